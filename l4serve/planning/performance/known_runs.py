"""What an engine makes of a load, found once for all limits that would not change it."""

from __future__ import annotations

from functools import lru_cache

from l4serve.planning.performance.engine_loop import EngineLoop
from l4serve.planning.performance.load import Load
from l4serve.planning.performance.loop_state import Limits, Observed
from l4serve.planning.performance.step_time import StepClock

Shelf = list[tuple[Limits, Observed]]


def observed(clock: StepClock, limits: Limits, load: Load) -> Observed:
    """What the loop sees. A run that no limit touched stands for all limits within which the same fits: a search tries
    many limits, and most loads touch none."""
    longest = limits.longest if load.input_spread or load.output_spread else None
    shelf = _shelf(clock, (limits.chunks, limits.ahead), longest, load)
    for known, seen in shelf:
        if known == limits or seen.fits(limits):
            return seen
    seen = EngineLoop(clock, limits, load).run()
    shelf.append((limits, seen))
    return seen


@lru_cache(maxsize=4096)
def _shelf(clock: StepClock, scheduler: tuple[bool, bool], longest: int | None, load: Load) -> Shelf:  # noqa: ARG001 - the key
    """The runs that are known of an engine's clock under a load."""
    return []
