"""CUDA graphs: how many batch sizes are captured, and what they take."""

from __future__ import annotations

from functools import lru_cache

from l4serve.planning.memory.constants import Constants


def graph_gib(sizes: int, layers: int, constants: Constants) -> float:
    """GiB of CUDA graphs for this many captured batch sizes of a model with this many layers."""
    share = constants.graph_mib
    return (share["base"] + sizes * (share["perSize"] + share["perSizeAndLayer"] * layers)) / 1024 if sizes else 0.0


@lru_cache(maxsize=4096)
def capture_count(largest: int, step: int, *, dense: int = 0) -> int:
    """How many batch sizes are captured: 1, 2, 4, every 8th below 256 and every `step`th from there on.

    Every one up to `dense` is too.
    """
    stepped = len(range(8, min(largest + 1, 256), 8)) + len(range(256, largest + 1, step))
    small = {1, 2, 4, *(size for size in range(1, dense + 1) if size % 8)}
    return stepped + sum(1 for size in small if size <= largest)
