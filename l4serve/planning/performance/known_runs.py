"""What an engine makes of a load, found once for all limits that would not change it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from functools import lru_cache

from l4serve.planning.performance.burst import Burst
from l4serve.planning.performance.engine_loop import EngineLoop
from l4serve.planning.performance.full_engine import LOOKED_AT, FullEngine, Pace
from l4serve.planning.performance.load import Load
from l4serve.planning.performance.loop_state import Limits, Observed, all_of
from l4serve.planning.performance.step_time import StepClock

TURNS = 8
"""Times that a rate begins elsewhere in the order of its gaps, where lengths vary and the cache makes requests wait:
what they wait then hangs on which of them meet."""

Runs = list[tuple[Limits, Observed]]
Looks = list[tuple[Limits, Observed, Pace]]


def observed(clock: StepClock, limits: Limits, load: Load) -> Observed:
    """What the loop sees. A run stands for all limits that differ in none which it touched and within which the same
    fits: a search tries many limits, and most loads touch one or none."""
    runs = _runs(clock, *_alike(limits, load), load)
    for known, seen in runs:
        if known == limits or seen.fits(limits, known):
            return seen
    seen = (Burst if load.burst else EngineLoop)(clock, limits, load).run()
    if load.rate is not None and any(load.spread[:2]) and "cache" in seen.touched:
        others = (EngineLoop(clock, limits, load, load.arrivals_after(turn / TURNS)).run() for turn in range(1, TURNS))
        seen = all_of((seen, *others))
    runs.append((limits, seen))
    return seen


def full_pace(clock: StepClock, limits: Limits, load: Load, looked_at: int = LOOKED_AT) -> Pace:
    """The pace with every place taken, for the lengths of a load; a look stands for other limits as a run does."""
    looks = _looks(clock, *_alike(limits, load), load, looked_at)
    for known, seen, pace in looks:
        if known == limits or seen.fits(limits, known):
            return pace
    engine = FullEngine(clock, limits, replace(load, clients=1))
    pace = engine.look(looked_at)
    looks.append((limits, engine.seen, pace))
    return pace


def _alike(limits: Limits, load: Load) -> tuple[bool, bool, int, int, int | None]:
    """What must be the same of two limits: the scheduler, its blocks, what prompts share, and the longest sequence
    where it may cut a length."""
    return (
        limits.chunks,
        limits.ahead,
        limits.block,
        limits.shared,
        min(limits.longest, load.longest_request) if load.input_spread or load.output_spread else None,
    )


@lru_cache(maxsize=4096)
def _runs(*_key: Hashable) -> Runs:
    """The runs that are known of an engine's clock under a load."""
    return []


@lru_cache(maxsize=4096)
def _looks(*_key: Hashable) -> Looks:
    """The looks at a full engine that are known of its clock, its scheduler, a load and their length."""
    return []
