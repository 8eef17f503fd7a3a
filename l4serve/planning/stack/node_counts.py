"""How many nodes the pods of a stack take: on its pools, and on the machines that its compute classes make."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from l4serve.planning.gke.classes import ComputeClassPlan, PriorityPlan
from l4serve.planning.gke.pool_plan import PoolPlan
from l4serve.planning.packing.bins import pack
from l4serve.planning.packing.overflow import filled
from l4serve.planning.packing.placement import PodRequest, PoolRoom, kinds_of
from l4serve.planning.stack.room import pods_of, pool_room
from l4serve.planning.workload.workload_plan import WorkloadPlan


@dataclass(frozen=True)
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
    requests = [(plan.placing.compute_class, replace(pods_of(plan), replicas=count)) for plan, count in pods]
    pinned = [pod for owner, pod in requests if owner is None]
    taken = {room.name: _nodes([pod for pod in pinned if pod.node_pool == room.name], room) for room in rooms.values()}
    made: dict[tuple[str, int], int] = {}
    for each in classes:
        waiting = [pod for owner, pod in requests if owner == each.name]
        for position, room, nodes in by_priority(each.priorities, waiting, rooms):
            if position is None:
                taken[room.name] += nodes
            else:
                made[each.name, position] = nodes
    return NodeCounts({pool.name: max(pool.size.min_nodes, taken[pool.name]) for pool in pools}, made)


def by_priority(
    priorities: Sequence[PriorityPlan], pods: Sequence[PodRequest], rooms: Mapping[str, PoolRoom]
) -> Iterator[tuple[int | None, PoolRoom, int]]:
    """Per room that is used: the position of its priority (None for a pool of the stack), the room, its nodes."""
    waiting = list(pods)
    for position, priority in enumerate(priorities):
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
            if nodes := _nodes(here, room):
                yield None if priority.shape is None else position, room, nodes


def _nodes(pods: Sequence[PodRequest], room: PoolRoom) -> int:
    """Nodes of a room that hold the pods; all of them where no packing is found."""
    packing = pack(kinds_of([pod for pod in pods if pod.replicas]), room.vector, room.max_nodes)
    return packing.used() if packing else room.max_nodes
