"""Pods that may run on several pools: one pool after the other is filled, and the rest goes on to the next."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from l4serve.planning.packing.bins import Vector, pack
from l4serve.planning.packing.placement import PodRequest, PoolRoom, kinds_of_sizes, sizes_of


def filled(
    pods: Sequence[PodRequest],
    rooms: Sequence[PoolRoom],
    residents: Mapping[str, Sequence[PodRequest]] | None = None,
) -> Iterator[tuple[PoolRoom, list[PodRequest]]]:
    """Each room in order with as many replicas as it holds beside its `residents`, those of earlier rooms left out.

    The pods of a room are in the order of `pods`; one that a room cannot take has 0 replicas there.
    """
    waiting = list(pods)
    for room in rooms:
        here = list(_held(waiting, room, (residents or {}).get(room.name, ())))
        waiting = [replace(pod, replicas=pod.replicas - put.replicas) for pod, put in zip(waiting, here, strict=True)]
        yield room, here


def hold(pods: Sequence[PodRequest], rooms: Sequence[PoolRoom]) -> bool:
    """Whether the rooms, filled in order, hold every replica."""
    if len(rooms) == 1:
        return _packs(sizes_of(pods), rooms[0])
    held = sum(pod.replicas for _, here in filled(pods, rooms) for pod in here)
    return held == sum(pod.replicas for pod in pods)


def _held(pods: Sequence[PodRequest], room: PoolRoom, residents: Sequence[PodRequest]) -> Iterator[PodRequest]:
    """As many replicas of each pod, in order, as the room holds beside those before."""
    if _packs(sizes_of([*residents, *pods]), room):
        yield from pods
        return
    load = sizes_of(residents)
    for pod in pods:
        low, high = 0, pod.replicas
        while low < high:
            middle = (low + high + 1) // 2
            more = load + Counter({pod.size: middle})
            low, high = (middle, high) if _packs(more, room) else (low, middle - 1)
        load[pod.size] += low
        yield replace(pod, replicas=low)


def _packs(load: Mapping[Vector, int], room: PoolRoom) -> bool:
    return pack(kinds_of_sizes(load), room.vector, room.max_nodes) is not None
