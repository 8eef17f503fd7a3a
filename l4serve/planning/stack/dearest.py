"""Nodes of the most pods where they cost most: any machine of a compute class may be sold out but its dearest."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from l4serve.planning.gke.classes import ComputeClassPlan, PriorityPlan
from l4serve.planning.gke.pool_plan import PoolPlan
from l4serve.planning.machines.prices import Price
from l4serve.planning.packing.placement import PodRequest, PoolRoom
from l4serve.planning.stack.node_counts import NodeCounts, node_counts, nodes_taken
from l4serve.planning.stack.room import pods_of, pool_room
from l4serve.planning.workload.workload_plan import WorkloadPlan

PriceOf = Callable[[PriorityPlan], Price | None]
"""The price of a machine of a priority that names one pool, or a machine type; None where it is not known."""


def dearest_counts(
    pools: Sequence[PoolPlan],
    classes: Sequence[ComputeClassPlan],
    workloads: Sequence[WorkloadPlan],
    made_price: PriceOf,
) -> NodeCounts:
    """The nodes of every workload's most replicas, those of a class on the priorities that cost most, dearest first.

    A priority whose price is not known comes last, since no sum has it.
    """
    rooms = {pool.resource_name: pool_room(pool) for pool in pools}
    prices = {pool.resource_name: pool.price for pool in pools}

    def price_of(priority: PriorityPlan) -> Price | None:
        return prices[priority.pools[0]] if priority.pools else made_price(priority)

    turned: list[ComputeClassPlan] = []
    places: dict[tuple[str, int], tuple[str, int]] = {}
    for each in classes:
        pods = [pods_of(plan) for plan in workloads if plan.placing.compute_class == each.name]
        ways = dearest_first(each.priorities, pods, rooms, price_of)
        turned.append(replace(each, priorities=tuple(way for _, way in ways)))
        places |= {(each.name, new): (each.name, old) for new, (old, _) in enumerate(ways)}
    found = node_counts(pools, turned, [(plan, plan.scale.most_replicas) for plan in workloads])
    return NodeCounts(found.of_pools, {places[key]: count for key, count in found.of_classes.items()})


def dearest_first(
    priorities: Sequence[PriorityPlan],
    pods: Sequence[PodRequest],
    rooms: Mapping[str, PoolRoom],
    price_of: PriceOf,
) -> list[tuple[int, PriorityPlan]]:
    """Each way to get a node with the position of its priority, by what all the pods would cost there, dearest first.

    `rooms` are the stack's pools by their names in GKE; a priority of several pools is a way for each.
    """
    total = sum(pod.replicas for pod in pods)

    def cost(way: tuple[int, PriorityPlan]) -> float:
        priority = way[1]
        price = price_of(priority)
        if price is None or not total:
            return 0.0
        if priority.shape is None:
            room = replace(rooms[priority.pools[0]], max_nodes=total)
        else:
            room = PoolRoom(name="made", shape=priority.shape, max_nodes=total)
        return price.usd_per_hour * nodes_taken(pods, room)

    ways = [
        (position, replace(priority, pools=pools))
        for position, priority in enumerate(priorities)
        for pools in [priority.pools[i : i + 1] for i in range(max(1, len(priority.pools)))]
    ]
    return sorted(ways, key=lambda way: (-cost(way), way[0]))
