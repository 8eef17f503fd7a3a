"""A cache whose size the operator states: the least that holds one sequence, and the most that the card holds."""

from __future__ import annotations

from collections.abc import Callable

from l4serve.config.frozen import frozen
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.values.edited import edited

MIB = 2**20
_HIGHEST = 2**40
BLOCKS, BYTES = "engine.numGpuBlocksOverride", "engine.kvCacheMemoryBytes"


@frozen()
class StatedCache:
    """The stated size in its own unit: blocks, or MiB of bytes."""

    key: str
    asked: int
    options: ServingOptions

    def with_size(self, size: int) -> ServingOptions:
        """The options with another size."""
        if self.key == BLOCKS:
            return edited(self.options, gpu_blocks=size)
        return edited(self.options, kv_cache_memory_bytes=size * MIB)

    def written(self, size: int) -> int | str:
        """A size as the config writes it."""
        return size if self.key == BLOCKS else f"{size}M"


def stated_cache(options: ServingOptions) -> StatedCache | None:
    """The size that the operator states; None where the engine measures it. Blocks win, as in the engine."""
    if options.gpu_blocks is not None:
        return StatedCache(BLOCKS, options.gpu_blocks, options)
    if options.kv_cache_memory_bytes is not None:
        return StatedCache(BYTES, options.kv_cache_memory_bytes // MIB, options)
    return None


def mended_size(stated: StatedCache, judge: Callable[[ServingOptions], Fit]) -> int | None:
    """The nearest size that fits: the least that holds a sequence, or the most that the card holds; None if neither.

    What the engine asks for grows with the size, and what the cache holds too, so both ends are found by halving.
    """

    def holds(size: int) -> bool:
        return judge(stated.with_size(size)).max_concurrency >= 1

    def sound(size: int) -> bool:
        fit = judge(stated.with_size(size))
        return fit.is_sure

    high = max(1, stated.asked)
    while not holds(high):
        high *= 2
        if high > _HIGHEST:
            return None
    least = _first(holds, 0, high)
    if stated.asked < least:
        return least
    return _first(lambda size: not sound(size), least, stated.asked) - 1 if sound(least) else None


def _first(holds: Callable[[int], bool], low: int, high: int) -> int:
    """The first number above `low` for which a condition, that holds from some number on, holds; at most `high`."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
