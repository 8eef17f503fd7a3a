"""How many nodes the pods of a stack take: on its pools, and on the machines that its compute classes make."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from l4serve.config.frozen import frozen
from l4serve.planning.gke.classes import ComputeClassPlan, PriorityPlan
from l4serve.planning.gke.pool_plan import PoolPlan
from l4serve.planning.packing.bins import pack
from l4serve.planning.packing.overflow import filled
from l4serve.planning.packing.placement import PodRequest, PoolRoom, kinds_of
from l4serve.planning.stack.room import pods_of, pool_room
from l4serve.planning.workload.workload_plan import WorkloadPlan


@frozen()
class NodeCounts:
    """Nodes that a number of replicas takes."""

    of_pools: Mapping[str, int]
    """By the pool's name; not below its minNodes."""
    of_classes: Mapping[tuple[str, int], int]
    """By class and position of the priority, for priorities that name a machine type."""


def node_counts(
    pools: Sequence[PoolPlan], classes: Sequence[ComputeClassPlan], pods: Sequence[tuple[WorkloadPlan, int]]
) -> NodeCounts:
    """The nodes that so many replicas of each workload take, those of a class in the order of its priorities."""
    rooms = {pool.resource_name: pool_room(pool) for pool in pools}
    spot = {pool.resource_name for pool in pools if pool.supply.provisioning == "spot"}
    pinned: dict[str | None, list[PodRequest]] = defaultdict(list)
    for pod in (_some(plan, count) for plan, count in pods if plan.placing.compute_class is None):
        pinned[pod.node_pool].append(pod)
    taken = {room.name: nodes_taken(pinned[room.name], room) for room in rooms.values()}
    made: dict[tuple[str, int], int] = defaultdict(int)
    for each in classes:
        own = [(plan, count) for plan, count in pods if plan.placing.compute_class == each.name]
        lasting = [_some(plan, min(count, plan.scale.on_demand)) for plan, count in own if plan.scale.on_demand]
        others = [_some(plan, max(0, count - plan.scale.on_demand)) for plan, count in own]
        skipped = {i for i, p in enumerate(each.priorities) if p.spot or spot.intersection(p.pools)}
        for waiting, without in ((lasting, skipped), (others, frozenset[int]())):
            left = {name: replace(room, max_nodes=room.max_nodes - taken[room.name]) for name, room in rooms.items()}
            for position, room, nodes in by_priority(each.priorities, waiting, left, without=without):
                if position is None:
                    taken[room.name] += nodes
                else:
                    made[each.name, position] += nodes
    return NodeCounts({pool.name: max(pool.size.min_nodes, taken[pool.name]) for pool in pools}, dict(made))


def by_priority(
    priorities: Sequence[PriorityPlan],
    pods: Sequence[PodRequest],
    rooms: Mapping[str, PoolRoom],
    *,
    without: Collection[int] = (),
) -> Iterator[tuple[int | None, PoolRoom, int]]:
    """Per room that is used: the position of its priority (None for a pool of the stack), the room, its nodes.

    `without` are positions that the pods may not take.
    """
    waiting = list(pods)
    for position, priority in enumerate(priorities):
        if position in without:
            continue
        total = sum(pod.replicas for pod in waiting)
        made = (
            [PoolRoom(name="made", shape=priority.shape, max_nodes=total)]
            if priority.shape is not None
            else [rooms[name] for name in priority.pools]
        )
        for room, here in filled(waiting, made):
            waiting = [
                replace(pod, replicas=pod.replicas - put.replicas) for pod, put in zip(waiting, here, strict=True)
            ]
            if nodes := nodes_taken(here, room):
                yield None if priority.shape is None else position, room, nodes


def _some(plan: WorkloadPlan, count: int) -> PodRequest:
    return replace(pods_of(plan), replicas=count)


def nodes_taken(pods: Sequence[PodRequest], room: PoolRoom) -> int:
    """Nodes of a room that hold the pods; all of them where no packing is found."""
    packing = pack(kinds_of([pod for pod in pods if pod.replicas]), room.vector, room.max_nodes)
    return packing.used() if packing else room.max_nodes
