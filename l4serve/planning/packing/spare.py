"""How many more pods fit beside those that are packed on some nodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from l4serve.config.frozen import frozen
from l4serve.planning.packing.bins import Filling, Item, Packing, Vector, fits, less, most, pack

SPARE_LIMIT = 8
"""More than that nobody asks for."""


@frozen()
class Beside:
    """What nodes have beside the pods that are packed on them."""

    kinds: Sequence[Item]
    node: Vector
    nodes: int
    rests: Mapping[Vector, int]
    """What some packing leaves of how many nodes, which often holds enough already."""
    over: Vector
    """What all nodes have beyond what all pods ask for, however they lie."""

    def spare(self, size: Vector) -> int:
        """How many more pods of a size fit, at most `SPARE_LIMIT`."""
        sure = min(SPARE_LIMIT, sum(most(size, rest, SPARE_LIMIT) * nodes for rest, nodes in self.rests.items()))
        highest = max(sure, most(size, self.over, SPARE_LIMIT))
        for extra in range(sure + 1, highest + 1):
            if pack([*self.kinds, Item("spare", size, extra)], self.node, self.nodes) is None:
                return extra - 1
        return highest


def beside(kinds: Sequence[Item], node: Vector, nodes: int, packing: Packing | None = None) -> Beside:
    """What is beside the kinds; a packing of them saves looking for one."""
    rests = _rests(kinds, node, packing) if packing else {}
    asked = (sum(kind.size[axis] * kind.count for kind in kinds) for axis in range(len(node)))
    over = tuple(max(0, room * nodes - each) for room, each in zip(node, asked, strict=True))
    return Beside(kinds, node, nodes, rests, over)


def _rests(kinds: Sequence[Item], node: Vector, packing: Packing) -> Mapping[Vector, int]:
    """What is left of how many nodes; those that none of the kinds has room on are left out."""
    least = tuple(map(min, zip(*(kind.size for kind in kinds), node, strict=True)))
    rests = Counter(rest_of(kinds, filling, node) for filling in packing.nodes)
    return {rest: nodes for rest, nodes in rests.items() if fits(least, rest)}


def rest_of(kinds: Sequence[Item], filling: Filling, node: Vector) -> Vector:
    """What its pods leave of a node."""
    for kind, count in filling:
        node = less(node, kinds[kind].size, count)
    return node
