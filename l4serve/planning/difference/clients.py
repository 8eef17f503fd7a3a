"""What an update asks of clients: another port, scheme, address or key, without which nothing answers them."""

from collections.abc import Iterator

from l4serve.planning.workload.route_plan import RoutePlan
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
    if old.type == "LoadBalancer" != new.type:
        yield "the Service's load balancer goes, and its address with it"
    if after.engine.api_key and not before.engine.api_key:
        yield "clients must send the API key from now on"
    if before.route is not None:
        yield from _rerouted(before.route, after.route, after.name)


def _rerouted(old: RoutePlan, new: RoutePlan | None, name: str) -> Iterator[str]:
    if new is None:
        yield "the gateway serves it no more"
    elif old.public != new.public:
        yield "another gateway serves it, at another address"
    elif old.url != new.url:
        moved = old.prefix != new.prefix and old.url == f"{new.url.removesuffix(new.prefix)}{old.prefix}"
        keeps = f": workloads.{name}.expose.path: {old.prefix or '/'} keeps it" if moved else ""
        yield f"the gateway serves it at {new.url} in place of {old.url}, and clients must follow{keeps}"
    elif gone := [path for path in old.paths if not any(_below(path, base) for base in new.paths)]:
        yield f"the gateway serves {', '.join(gone)} no more"


def _below(path: str, base: str) -> bool:
    return f"{path.rstrip('/')}/".startswith(f"{base.rstrip('/')}/")
