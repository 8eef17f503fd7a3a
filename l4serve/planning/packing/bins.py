"""Vector bin packing of pods onto identical nodes: the smallest proof that replicas fit a pool.

Heuristics find most packings at once; where they fail, a bounded exhaustive search decides. Sizes are vectors of
non-negative integers in one fixed order of resources; what a resource means is the caller's business.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from itertools import accumulate

from l4serve.config.frozen import frozen

Vector = tuple[int, ...]
SEARCH_LIMIT = 20_000
"""Remainders that the exhaustive search looks at before it gives up."""
SEARCH_PODS = 64
"""Pods beyond which only the heuristics are asked: fragmentation hardly matters then, and the search is deep."""


@frozen()
class Item:
    """A kind of pod: its size, and how many of it there are."""

    name: str
    size: Vector
    count: int


Filling = tuple[tuple[int, int], ...]
"""The kinds that a node holds, by their position among the items, each with how many: few of what may be a thousand."""


@frozen()
class Packing:
    """What each node holds."""

    nodes: tuple[Filling, ...]

    def used(self) -> int:
        """Nodes that hold anything."""
        return sum(map(bool, self.nodes))


def fits(size: Vector, room: Vector) -> bool:
    """Whether every resource of a size is within the room."""
    return all(need <= have for need, have in zip(size, room, strict=True))


def pack(items: Sequence[Item], node: Vector, max_nodes: int) -> Packing | None:
    """A packing of all items on at most `max_nodes` nodes, or None when there is none within the search limit."""
    if any(item.count and not fits(item.size, node) for item in items):
        return None
    if fewest_nodes(items, node) > max_nodes:
        return None
    found = (_first_fit(items, node, max_nodes, order) for order in _orders(items, node))
    return next((packing for packing in found if packing), None) or _search(items, node, max_nodes)


def spread(items: Sequence[Item], node: Vector, free: Sequence[Vector]) -> Packing | None:
    """Where the pods land when the smallest come first and each takes the emptiest node, as an unlucky rollout does.

    `free` is what each node has left, `node` the whole of one.
    """
    rooms = [*free]
    held: list[dict[int, int]] = [{} for _ in rooms]
    emptiest = [(-_free_share(room, node), n) for n, room in enumerate(rooms)]
    heapq.heapify(emptiest)
    order = sorted(range(len(items)), key=lambda i: _share(items[i].size, node))
    for index, least in zip(order, _least_from([items[i].size for i in order]), strict=True):
        size, passed = items[index].size, []
        for _ in range(items[index].count):
            while emptiest and not fits(size, rooms[emptiest[0][1]]):
                passed.append(heapq.heappop(emptiest))
            if not emptiest:
                return None
            _, chosen = heapq.heappop(emptiest)
            rooms[chosen] = less(rooms[chosen], size, 1)
            held[chosen][index] = held[chosen].get(index, 0) + 1
            if fits(least, rooms[chosen]):
                heapq.heappush(emptiest, (-_free_share(rooms[chosen], node), chosen))
        for entry in passed:
            heapq.heappush(emptiest, entry)
    return Packing(tuple(tuple(sorted(each.items())) for each in held))


def _least_from(sizes: Sequence[Vector]) -> list[Vector]:
    """For each position the least that it or a later one asks of each resource: what has less room takes none."""
    return list(accumulate(reversed(sizes), lambda one, other: tuple(map(min, one, other))))[::-1]


def fewest_nodes(items: Sequence[Item], node: Vector) -> int:
    """Nodes below which no packing is: what all items ask of a resource together, over what a node has of it."""
    asked = ((sum(item.size[axis] * item.count for item in items), room) for axis, room in enumerate(node))
    return max((-(-total // room) for total, room in asked if total), default=0)


def _share(size: Vector, node: Vector) -> float:
    return max((need / have for need, have in zip(size, node, strict=True) if have), default=0.0)


def _free_share(room: Vector, node: Vector) -> float:
    return sum(have / whole for have, whole in zip(room, node, strict=True) if whole)


def _orders(items: Sequence[Item], node: Vector) -> Iterator[list[int]]:
    """Largest first: by the scarcest resource, then by each single one."""
    indices = range(len(items))
    yield sorted(indices, key=lambda i: -_share(items[i].size, node))
    for axis in range(len(node)):
        yield sorted(indices, key=lambda i, axis=axis: -items[i].size[axis])  # type: ignore[misc]


def _first_fit(items: Sequence[Item], node: Vector, nodes: int, order: Sequence[int]) -> Packing | None:
    """Each kind on the first nodes with room for it; nodes that hold the same are filled as one run.

    A run that no later kind has room on is full, and not looked at again.
    """
    empty: Filling = ()
    open_runs, full_runs = [(0, node, empty, nodes)], list[tuple[int, Vector, Filling, int]]()
    for index, least in zip(order, _least_from([items[i].size for i in order]), strict=True):
        size, left = items[index].size, items[index].count
        runs, open_runs = open_runs, []
        for position, (start, room, held, length) in enumerate(runs):
            if not left:
                open_runs += runs[position:]
                break
            for count, times in _shares(most(size, room, left), left, length):
                after = (less(room, size, count), (*held, (index, count))) if count else (room, held)
                (open_runs if fits(least, after[0]) else full_runs).append((start, *after, times))
                start, left = start + times, left - count * times
        if left:
            return None
    runs = sorted((*full_runs, *open_runs))
    return Packing(tuple(node for _, _, held, length in runs for node in [tuple(sorted(held))] * length))


def _shares(each: int, left: int, length: int) -> Iterator[tuple[int, int]]:
    """How `left` pods fill a run of nodes that hold `each` of them: pods per node, and for how many nodes."""
    full = min(length, left // each) if each else 0
    rest = left - full * each if each and full < length else 0
    for count, times in ((each, full), (rest, 1 if rest else 0), (0, length - full - (1 if rest else 0))):
        if times:
            yield count, times


def less(room: Vector, size: Vector, count: int) -> Vector:
    """A room after so many of a size moved in."""
    return tuple(have - need * count for have, need in zip(room, size, strict=True))


def _search(items: Sequence[Item], node: Vector, max_nodes: int) -> Packing | None:
    """Depth-first over maximal fillings of one node after the other; remainders seen before are not tried again."""
    if sum(item.count for item in items) > SEARCH_PODS:
        return None
    seen: set[tuple[tuple[int, ...], int]] = set()

    def solve(left: tuple[int, ...], nodes: int) -> tuple[tuple[int, ...], ...] | None:
        if not any(left):
            return ()
        if nodes == 0 or (left, nodes) in seen or len(seen) >= SEARCH_LIMIT:
            return None
        seen.add((left, nodes))
        for filling in _fillings(items, left, node):
            rest = solve(tuple(a - b for a, b in zip(left, filling, strict=True)), nodes - 1)
            if rest is not None:
                return (filling, *rest)
        return None

    found = solve(tuple(item.count for item in items), max_nodes)
    return None if found is None else Packing(tuple(map(_filling, found)))


def _filling(counts: Sequence[int]) -> Filling:
    return tuple((index, count) for index, count in enumerate(counts) if count)


def _fillings(items: Sequence[Item], left: tuple[int, ...], room: Vector, at: int = 0) -> Iterator[tuple[int, ...]]:
    """Fillings of one node to which nothing more that is left could be added."""
    if at == len(items):
        if all(not fits(item.size, room) for item, count in zip(items, left, strict=True) if count):
            yield ()
        return
    size, more = items[at].size, left[at]
    for count in range(most(size, room, more), -1, -1):
        remaining = less(room, size, count)
        after = (*left[:at], more - count, *left[at + 1 :])
        for rest in _fillings(items, after, remaining, at + 1):
            yield (count, *rest)


def most(size: Vector, room: Vector, limit: int) -> int:
    """How many of a size a room holds, at most `limit`."""
    return min([limit, *(have // need for have, need in zip(room, size, strict=True) if need)])
