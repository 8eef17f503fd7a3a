"""The pods of a plan's Deployments and the pools that they share, as updates of them are judged."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from l4serve.planning.packing.placement import PodRequest, PoolRoom
from l4serve.planning.stack.room import pods_of, pool_room
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.values.figures import counted
from l4serve.planning.values.identity import Same
from l4serve.planning.values.names import on_demand_name

UNKNOWN = ""
"""The pool of pods that lie on no pool of the stack."""


def groups(plan: StackPlan) -> Iterator[list[PoolRoom]]:
    """The pools that share their pods: those of a compute class together, unless it makes machines beside them."""
    rooms = {pool.name: pool_room(pool) for pool in plan.node_pools}
    owners = {pool.name: pool.compute_class for pool in plan.node_pools}
    made = {each.name for each in plan.compute_classes if any(priority.shape for priority in each.priorities)}
    yield from ([room] for name, room in rooms.items() if owners[name] is None)
    for each in plan.compute_classes:
        shared = [room for name, room in rooms.items() if owners[name] == each.name]
        if shared and each.name not in made:
            yield shared


def placed(pods: Mapping[str, PodRequest], plan: StackPlan) -> Mapping[str, PodRequest]:
    """Pods by namespace and name; names alone, as outputs once had them, are of the plan's namespace."""
    return {name if "/" in name else f"{plan.namespace}/{name}": pod for name, pod in pods.items()}


def deployed(
    pods: Mapping[str, PodRequest], unsized: Collection[str], after: Mapping[str, PodRequest], plan: StackPlan
) -> Mapping[str, PodRequest]:
    """What is deployed, by namespace and name: the pods that are told of, and those of `unsized` Deployments, of which
    nothing is told, as the plan has them (`after`)."""
    return {**{name: after[name] for name in unsized if name in after}, **placed(pods, plan)}


def packed(plan: StackPlan) -> Mapping[str, PodRequest]:
    """The pods, by namespace and name of their Deployments; those off spot have their own."""
    return _packed(Same(plan))


@lru_cache(maxsize=4)
def _packed(same: Same[StackPlan]) -> Mapping[str, PodRequest]:
    """The same, worked out once: a difference asks it of both its plans for each of several dangers."""
    plan = same.value
    assigned = {name: pool.pool for pool in plan.placement for node in pool.nodes for name in node}
    found = {}
    for workload in plan.workloads:
        pods, kept = pods_of(workload), workload.scale.on_demand
        pods = replace(pods, node_pool=pods.node_pool or assigned.get(workload.name) or UNKNOWN)
        space, name = workload.namespace, workload.object_name
        found[f"{space}/{name}"] = replace(pods, replicas=pods.replicas - kept)
        if kept:
            off_spot = replace(pods, workload=on_demand_name(workload.name), replicas=kept)
            found[f"{space}/{on_demand_name(name)}"] = off_spot
    return found


def going_last(
    before: Mapping[str, PodRequest],
    after: Mapping[str, PodRequest],
    plan: StackPlan,
    pools: Sequence[PoolRoom],
    autoscaled: Collection[str],
) -> list[PodRequest]:
    """The deployed pods on these pools that an update to those of `after` ends last, with what they are called.

    Deployments that the plan has no more, and what the autoscaler of one that keeps no autoscaler may have added.
    """
    here = {pool.name for pool in pools}
    gone = [told(name, pod, plan) for name, pod in before.items() if pod.node_pool in here and name not in after]
    for name in sorted((before.keys() & after.keys() & set(autoscaled)) - autoscaled_by(plan)):
        new, more = after[name], before[name].replicas - after[name].replicas
        if more > 0 and new.node_pool in here:
            gone.append(replace(new, workload=adds_of(new.workload), replicas=more))
    return gone


def autoscaled_by(plan: StackPlan) -> set[str]:
    """Deployments, by namespace and name, whose number of pods an autoscaler of the plan sets."""
    return {f"{each.namespace}/{each.object_name}" for each in plan.workloads if each.scale.autoscaling}


def adds_of(workload: str) -> str:
    """What the pods are called that an autoscaler has made above those that are wanted."""
    return f"what the autoscaler of {workload} adds"


def room_of(pools: Sequence[PoolRoom]) -> str:
    """The nodes that there may be, in words."""
    which = f"pool {pools[0].name!r} holds" if len(pools) == 1 else f"pools {', '.join(p.name for p in pools)} hold"
    return f"{which} {counted(sum(pool.max_nodes for pool in pools), 'node')}"


def namespace_of(name: str) -> str:
    """The namespace of a Deployment that is known by namespace and name."""
    return name.rpartition("/")[0]


def told(name: str, pod: PodRequest, plan: StackPlan) -> PodRequest:
    """The pod with what it is called: by its namespace too, where the plan has another."""
    namespace = namespace_of(name)
    return pod if namespace == plan.namespace else replace(pod, workload=f"{pod.workload} in namespace {namespace}")
