"""The route of a workload on the stack's gateway: host, paths, health check, time limit."""

from collections.abc import Iterator, Mapping

from l4serve.config.frozen import frozen
from l4serve.config.gathering import Step, refuse_all
from l4serve.config.keys.exposure import Route
from l4serve.config.keys.workload import Workload
from l4serve.config.refusals.problems import Problem, refuse
from l4serve.config.words.paths import lies_in
from l4serve.engines.releases.contract import Contract
from l4serve.engines.releases.profile import engine_profile
from l4serve.planning.gke.gateway import GatewayPlan
from l4serve.planning.workload.judgement.subject import Subject
from l4serve.planning.workload.reach.endpoint_picker import PickerPlan, plan_picker


@frozen(kw_only=True)
class RoutePlan:
    """Where the gateway serves a workload, and how it looks after it."""

    gateway: str
    public: bool
    host: str | None
    address: str | None
    """Name of the gateway's address; None where Google chooses one."""
    prefix: str
    """Prefix of the public paths, without a slash at its end."""
    paths: tuple[str, ...]
    """Paths of the engine that are served."""
    past_key: tuple[str, ...]
    """Those of them below which the model may be used without the API key."""
    health_path: str
    timeout_seconds: int
    encrypted: bool
    picker: PickerPlan | None
    """Who chooses the pod for a request; None leaves it to the load balancer."""
    notes: tuple[str, ...]

    @property
    def url(self) -> str:
        """Base of the public paths; without a host it begins with the gateway's address."""
        scheme = "https" if self.encrypted else "http"
        return f"{scheme}://{self.host or 'ADDRESS'}{self.prefix}"


def exposed(workload: Workload) -> bool:
    """Whether a workload is served by the stack's gateway, where there is one."""
    return workload.expose is None or workload.expose.enabled


def refuse_routes(workloads: Mapping[str, Workload], gateway: GatewayPlan | None) -> None:
    """Raises ConfigError for a route without a gateway, and for two workloads at one place."""
    refuse_all(_problems(workloads, gateway))


def _problems(workloads: Mapping[str, Workload], gateway: GatewayPlan | None) -> Iterator[Problem]:
    if gateway is None:
        for name, workload in workloads.items():
            if workload.expose is not None and workload.expose.enabled:
                what = "the stack has no gateway to serve it"
                yield Problem(f"workloads.{name}.expose", what, "set expose for the stack, or remove it")
        return
    taken: dict[tuple[str | None, str], str] = {}
    for name, workload in workloads.items():
        host = _host(workload, gateway)
        for place in dict.fromkeys(_places(name, workload, workloads, gateway)) if exposed(workload) else ():
            if taken.setdefault(place, name) != name:
                what = f"{taken[place]} is served at {place[0] or 'any host'}{place[1]} too"
                yield Problem(
                    f"workloads.{name}.expose.path", what, f"set a path of its own, such as {_free(name, host, taken)}"
                )
                break


def _free(name: str, host: str | None, taken: Mapping[tuple[str | None, str], str]) -> str:
    """A path on a host at which, and below which, nothing is served yet."""
    served = [path for at, path in taken if at == host]
    paths = (f"/{name}{suffix}" for suffix in ("", *(f"-{number}" for number in range(2, 100))))
    return next(path for path in paths if not any(lies_in(each, (path,)) for each in served))


def _places(
    name: str, workload: Workload, workloads: Mapping[str, Workload], gateway: GatewayPlan
) -> Iterator[tuple[str | None, str]]:
    """(host, public path) of a workload: its prefix, and each path of the engine below it."""
    host, prefix = _host(workload, gateway), _prefix(name, workload, workloads)
    yield host, prefix or "/"
    for path in _served(workload):
        yield host, f"{prefix}{path}".rstrip("/") or "/"


def _served(workload: Workload) -> tuple[str, ...]:
    """Paths of the engine that a workload's route serves."""
    paths = workload.expose.paths if workload.expose else None
    return engine_profile(workload.engine.kind).guarded_paths if paths is None else paths


def plan_route(
    name: str,
    workload: Workload,
    workloads: Mapping[str, Workload],
    gateway: GatewayPlan | None,
    contract: Contract,
    subject: Step[Subject],
    *,
    autopilot: bool = False,
) -> RoutePlan | None:
    """The route of a workload; None where nothing exposes it. `workloads` are all of the stack.

    On Autopilot the picker has no system nodes to run on. Raises ConfigError where it would serve no path.
    """
    if gateway is None or not exposed(workload):
        return None
    config, profile = workload.expose or Route(), engine_profile(workload.engine.kind)
    paths = _served(workload)
    if not paths:
        refuse(
            f"workloads.{name}.expose.paths", "no path of the engine is served", "name one, such as /v1, or unset it"
        )
    return RoutePlan(
        gateway=gateway.name,
        public=gateway.public,
        host=_host(workload, gateway),
        address=gateway.address,
        prefix=_prefix(name, workload, workloads),
        paths=paths,
        past_key=profile.past_key(paths),
        health_path=contract.health_path,
        timeout_seconds=config.timeout_seconds,
        encrypted=gateway.encrypted,
        picker=plan_picker(f"workloads.{name}", workload, workload.renamed_from or name, contract, subject),
        notes=tuple(_notes(workload, gateway, paths, autopilot=autopilot)),
    )


def _host(workload: Workload, gateway: GatewayPlan) -> str | None:
    return (workload.expose.host if workload.expose else None) or gateway.host


def _prefix(name: str, workload: Workload, workloads: Mapping[str, Workload]) -> str:
    config = workload.expose
    if config is not None and config.path is not None:
        return config.path.rstrip("/")
    alone = sum(exposed(each) for each in workloads.values()) == 1
    own = workload.renamed_from or name  # a name of the config alone moves no client
    return "" if alone or (config is not None and config.host is not None) else f"/{own}"


def _notes(workload: Workload, gateway: GatewayPlan, paths: tuple[str, ...], *, autopilot: bool) -> Iterator[str]:
    whom = "the internet" if gateway.public else "the network"
    if gateway.public and workload.api_key is None:
        yield "everybody on the internet may use the model: it asks for no API key"
    if workload.expose is not None and workload.expose.inference_pool:
        room = "on a node that Autopilot bills" if autopilot else "of the system nodes"
        yield f"an endpoint picker runs beside it, which asks for 1 CPU and 2 GiB {room}"
    profile = engine_profile(workload.engine.kind)
    unguarded, past_key, kept = profile.unguarded(paths), profile.past_key(paths), ", ".join(profile.guarded_paths)
    if workload.api_key is None:
        return
    if not gateway.encrypted:
        yield "its API key, and what is asked and answered, crosses the network in plain text: the gateway shows no TLS"
    if gateway.public and past_key:
        bare = ", ".join(past_key)
        yield f"everybody on the internet may use the model past its key, by {bare}: it guards only {kept}"
    elif unguarded:
        yield f"{whom} reaches {', '.join(unguarded)} without the API key, which the engine asks for on {kept}"
