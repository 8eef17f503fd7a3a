"""What an update asks of clients: another port, scheme, address or key, without which nothing answers them."""

from collections.abc import Iterator

from l4serve.config.words.paths import lies_in
from l4serve.planning.difference.client_requests import refused_requests
from l4serve.planning.gke.hf_token import SecretPlan
from l4serve.planning.workload.reach.network_guard import admitted_anew
from l4serve.planning.workload.reach.route_plan import RoutePlan
from l4serve.planning.workload.workload_plan import WorkloadPlan


def cut_off(before: WorkloadPlan, after: WorkloadPlan) -> Iterator[str]:
    """Why clients that reached a workload no longer do, once for each way; nothing where they notice no difference."""
    old, new = before.service, after.service
    behind = before.route is not None and after.route is not None
    if old.port != new.port:
        # Service and NetworkPolicy turn to the new port before any pod listens there.
        told = f"the Service answers at port {new.port} in place of {old.port}"
        yield f"{told}, where no pod listens until one has restarted, and clients inside the cluster must follow"
    if old.scheme != new.scheme:
        rest = ", and the gateway reaches none until all have restarted" if behind else ""
        yield f"the pods speak {new.scheme} in place of {old.scheme}, clients must follow{rest}"
    elif old.tls and new.tls and old.tls.secret != new.tls.secret:
        yield f"the pods show the certificate of Secret {new.tls.secret}, which clients must trust"
    if old.type == "LoadBalancer" != new.type:
        yield "the Service's load balancer goes, and its address with it"
    elif old.type != "ClusterIP" == new.type:
        yield "the Service's port of the nodes goes"
    yield from _shut_out(before, after)
    if behind and (gone := _proxies(before) - _proxies(after)) and after.network:
        yield f"the NetworkPolicy lets the gateway's proxies of {', '.join(sorted(gone))} in no more"
    yield from _another_key(before.engine.key_source, after.engine.key_source)
    yield from refused_requests(before, after)
    if before.route is not None:
        yield from _rerouted(before.route, after.route, after.name)


def read_anew(before: WorkloadPlan, after: WorkloadPlan) -> Iterator[str]:
    """What a restart of the pods means for clients whose key is kept where no stack file shows that it changed."""
    old, new = before.engine.key_source, after.engine.key_source
    if old and new and new.source != "token" and not any(_another_key(old, new)):
        told = f"pods that restart read {_place(new)} anew"
        yield f"{told}: a key that was changed there is asked of clients from then on"


def _shut_out(before: WorkloadPlan, after: WorkloadPlan) -> Iterator[str]:
    """Who may connect no more, where that is not the type of the Service, which is told already."""
    old, new = before.network, after.network
    if new is None or before.service.type != after.service.type:
        return
    if old is None:
        yield f"the NetworkPolicy lets in {'; '.join(new.admits)}, and nobody else"
    elif who := admitted_anew(new, old):
        yield f"the NetworkPolicy lets {', '.join(who)} in no more"


def _proxies(plan: WorkloadPlan) -> frozenset[str]:
    """Ranges of Google's that the pods admit."""
    openings = plan.network.ingress if plan.network else ()
    return frozenset(peer.cidr for opening in openings for peer in opening.peers if peer.google and peer.cidr)


def _another_key(old: SecretPlan | None, new: SecretPlan | None) -> Iterator[str]:
    if new is None:
        return
    if old is None:
        yield "clients must send the API key from now on"
    elif _place(old) != _place(new):
        told = f"each pod takes its key from {_place(new)} in place of {_place(old)} once it has started anew"
        yield f"{told}, and clients must send that one"
    elif old.revision != new.revision or old.mark != new.mark:
        told = f"each pod takes the key that {_place(new)} was set to once it has started anew"
        yield f"{told}, and clients must send that one"


def _place(key: SecretPlan) -> str:
    """Where a key is kept, in words."""
    if key.config_key is not None:
        return f"{key.config_key} of the config"
    return key.secret_version or f"Secret {key.secret_name} ({key.key})"


def _rerouted(old: RoutePlan, new: RoutePlan | None, name: str) -> Iterator[str]:
    served = [base.rstrip("/") for base in new.paths] if new else []
    if new is None:
        yield "the gateway serves it no more"
        return
    if old.public != new.public:
        yield "another gateway serves it, at another address"
    elif old.url != new.url:
        moved = old.prefix != new.prefix and old.url == f"{new.url.removesuffix(new.prefix)}{old.prefix}"
        keeps = f": workloads.{name}.expose.path: {old.prefix or '/'} keeps it" if moved else ""
        yield f"the gateway serves it at {new.url} in place of {old.url}, and clients must follow{keeps}"
    elif gone := [path for path in old.paths if not lies_in(path.rstrip("/"), served)]:
        yield f"the gateway serves {', '.join(gone)} no more"
    if old.public == new.public and old.address != new.address:
        yield f"the gateway gets another address ({new.address or 'of its own choice'}), and clients must follow"
    if new.timeout_seconds < old.timeout_seconds:
        yield f"the gateway ends requests that take longer than {new.timeout_seconds} s"
