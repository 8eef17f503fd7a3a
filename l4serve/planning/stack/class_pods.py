"""The pods of compute classes on the stack's own pools: where the replicas go, and the room that an update finds."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from l4serve.planning.packing.overflow import filled
from l4serve.planning.packing.placement import PodRequest, PoolRoom, spare_pods
from l4serve.planning.packing.spare import SPARE_LIMIT
from l4serve.planning.workload.nodes.node_choice import Placing


def spread_over_classes(
    pods: Sequence[tuple[Placing, PodRequest]], rooms: Mapping[str, PoolRoom]
) -> tuple[PodRequest, ...]:
    """The pods, those of a class dealt to its pools in its order.

    What no pool of the class holds goes to machines that the class makes; where it makes none, it stays with the pool
    that the pods are packed on, which then refuses it.
    """
    pinned = [pod for placing, pod in pods if not placing.class_pools]
    residents: dict[str, list[PodRequest]] = defaultdict(list)
    for pod in pinned:
        residents[pod.node_pool or ""].append(pod)
    dealt: list[PodRequest] = []
    for placing, pod in pods:
        if not placing.class_pools:
            continue
        left = pod.replicas
        parts: dict[str, int] = {}
        for room, (here,) in filled([pod], [rooms[name] for name in placing.class_pools], residents):
            parts[room.name], left = here.replicas, left - here.replicas
        if left and not placing.makes_nodes and pod.node_pool is not None:
            parts[pod.node_pool] += left
        for name, replicas in parts.items():
            part = replace(pod, node_pool=name, replicas=replicas)
            residents[name].append(part)
            if replicas:
                dealt.append(part)
    return (*pinned, *dealt)


def class_spare(
    placing: Placing, pod: PodRequest, placed: Sequence[PodRequest], rooms: Mapping[str, PoolRoom]
) -> int | None:
    """Pods that fit beside all replicas on the pools of a class; None where it makes nodes on demand."""
    if placing.makes_nodes:
        return None
    free = (
        spare_pods(pod, [other for other in placed if other.node_pool == name], rooms[name])
        for name in placing.class_pools
    )
    return min(SPARE_LIMIT, sum(free))
