"""Whether an update is noticed by those who are served: from how the workload lands, and its pool beneath it."""

from collections.abc import Sequence

from l4serve.planning.difference.clients import cut_off, read_anew
from l4serve.planning.difference.stack_diff import Interruption
from l4serve.planning.stack.edits import Effect
from l4serve.planning.workload.workload_plan import ScalePlan, WorkloadPlan


def interruption(
    before: WorkloadPlan,
    after: WorkloadPlan,
    lands: Effect,
    beneath: Effect,
    cluster: Effect = Effect.NOTHING,
    zones_gone: Sequence[str] = (),
) -> Interruption:
    """What an update means for those who are served.

    `beneath` is how the pool lands that the pods run on, `cluster` how the cluster does: another one that the stack
    only reaches replaces the provider, and the engine then makes every object there before it deletes the old one.
    `zones_gone` are those that a pool of the pods leaves while it stays.
    """
    if lands is Effect.CLUSTER_REPLACED:
        return Interruption(True, "the cluster is made anew, and nothing is served until its pods have loaded")
    if cluster is Effect.WORKLOAD_REPLACED:
        return Interruption(True, f"its objects are made in the other cluster first, {_followed(before, after)}")
    if lands is Effect.WORKLOAD_REPLACED:
        return _replaced(before, after)
    pods, cut = _of_pods(before, after, lands, beneath), tuple(cut_off(before, after))
    if zones_gone and beneath < Effect.NODE_RECREATION and _most(before) and _most(after):
        where = ", ".join(zones_gone)
        cut = (*cut, f"the nodes in {where} go, and pods on them serve again once they have loaded elsewhere")
    told = (*cut, *((pods.why,) if pods.expected or not cut else ()))
    unseen = read_anew(before, after) if lands >= Effect.POD_RESTART else ()
    return Interruption(pods.expected or bool(cut), "; ".join([*told, *unseen]))


def _of_pods(before: WorkloadPlan, after: WorkloadPlan, lands: Effect, beneath: Effect) -> Interruption:
    """The same of clients that ask as before: whether some pod answers them all the time."""
    if not _most(before):
        return Interruption(False, "it serves once its first pod has loaded" if _most(after) else "no pod runs")
    again = lands >= Effect.POD_RESTART
    if beneath >= Effect.NODE_RECREATION and (after.scale.replicas == 1 or not again):
        moved = _moved(after, beneath)
        return _also(moved, _restarted(after)) if beneath is Effect.NODE_RECREATION and again else moved
    if _most(before) and not _most(after):
        return Interruption(True, "its last pod ends, and nothing serves the model until replicas are above 0")
    if before.metadata.serving != after.metadata.serving:
        return _selected_anew(before, after)
    if again:
        restarted = _restarted(after)
        return _also(_moved(after, beneath), restarted) if beneath is Effect.NODE_RECREATION else restarted
    if before.scale.on_demand != after.scale.on_demand:
        return _kept_otherwise(before.scale, after.scale)
    if lands is Effect.IN_PLACE and _most(after) < _most(before):
        return Interruption(False, "pods that are too many end after their grace period; the others serve on")
    return Interruption(False, "no pod restarts")


def _replaced(before: WorkloadPlan, after: WorkloadPlan) -> Interruption:
    beside = (before.object_name, before.namespace) != (after.object_name, after.namespace)
    if not beside and before.service.name != after.service.name:
        return Interruption(True, f"the Service is {after.service.name} now, and clients must follow the name")
    if not beside:
        return Interruption(True, "objects keep their names, so the old ones are deleted before the new ones are made")
    return Interruption(True, f"the new pods come first, {_followed(before, after)}")


def _followed(before: WorkloadPlan, after: WorkloadPlan) -> str:
    told = f"and clients must follow them to {after.service.name} in namespace {after.namespace}"
    if before.route is None or after.route is None or before.namespace == after.namespace:
        return told
    address = after.route.address
    held = f", and gets address {address} once the old one has gone" if address else ", at another address"
    return f"{told}; the gateway is made anew there{held}"


def _restarted(after: WorkloadPlan) -> Interruption:
    rollout, replicas = after.scale.rollout, after.scale.replicas
    if rollout.max_surge:
        return Interruption(False, "a new pod loads beside the old ones before one of them goes")
    if replicas > (away := rollout.max_unavailable):
        if away > 1:
            return Interruption(False, f"up to {away} of {replicas} pods are away while the new ones load")
        return Interruption(False, f"one of {replicas} pods at a time is away while the new one loads")
    seconds = after.lifecycle.probes.startup_seconds
    why = "its claim reaches only one node" if after.storage.on_one_node else "no GPU is free beside the one pod"
    return Interruption(True, f"{why}: it goes first, and loading may take {seconds} s")


def _also(moved: Interruption, restarted: Interruption) -> Interruption:
    """The nodes are made anew before the Deployment is updated, so its pods load twice."""
    return Interruption(
        moved.expected or restarted.expected, f"{moved.why}; after that the update restarts its pods: {restarted.why}"
    )


def _selected_anew(before: WorkloadPlan, after: WorkloadPlan) -> Interruption:
    """The first pods that are kept off spot, or the last: the Service then knows the pods by another label."""
    kept, replicas = after.scale.on_demand, after.scale.replicas
    if not kept:
        left = max(0, before.scale.replicas - before.scale.on_demand)
        what = "the Service leaves the pods off spot at once"
        return Interruption(True, f"{what}: {left} of {before.scale.replicas} serve until others have loaded")
    if kept < replicas:
        what = "the pods off spot load first, and the Service turns to them only"
        return Interruption(True, f"{what}: {kept} of {replicas} serve until the others have restarted")
    room = bool(after.scale.rollout.max_surge)
    beside = "beside the old ones" if room else "and end an old one that has the last node off spot"
    return Interruption(not room, f"the pods off spot load first, {beside}")


def _kept_otherwise(before: ScalePlan, after: ScalePlan) -> Interruption:
    """More or fewer pods that are kept off spot, where some were and some are."""
    if after.on_demand > before.on_demand:
        return Interruption(False, "no pod restarts: those off spot load first, and as many others end after that")
    fewer = before.on_demand - after.on_demand
    return Interruption(False, f"no pod restarts: {fewer} off spot end, and others load in their place after that")


def _moved(after: WorkloadPlan, beneath: Effect) -> Interruption:
    what = "its pool is replaced" if beneath is Effect.POOL_REPLACED else "the nodes under it are made anew"
    if after.scale.replicas > 1:
        return Interruption(False, f"{what}: pods move one at a time, as the disruption budget says")
    return Interruption(True, f"{what}: its one pod is drained, and serves again once it has loaded elsewhere")


def _most(plan: WorkloadPlan) -> int:
    return plan.scale.most_replicas
