"""Requests that come at a rate: followed as they come, and close to the most that is served at fixed shares of it.

There a request more or less changes which of them meet, and what preemption wastes. Figures between those of the
shares, none below one before it, keep what is said from falling while the rate rises.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate

from l4serve.config.frozen import frozen
from l4serve.planning.performance.full_engine import Pace
from l4serve.planning.performance.known_runs import observed
from l4serve.planning.performance.load import Load
from l4serve.planning.performance.loop_state import Limits, Observed
from l4serve.planning.performance.step_time import StepClock

SHARES = (0.9, 0.95, 1.0)
"""Of the most that is served: up to the first, which a card slower by the bound still serves, the rate itself is
followed."""


@frozen()
class _Means:
    """What requests see in the mean: waits for the first token, seconds of a token, of the rest of an answer, requests
    that run and the share of time that is busy; and the waits of each, the shortest first."""

    means: tuple[float, ...]
    firsts: tuple[float, ...]
    places: tuple[float, ...]

    def joined(self, by: Callable[[float, float], float], other: _Means) -> _Means:
        """Each figure joined with that of another."""
        return _Means(
            tuple(map(by, self.means, other.means)),
            tuple(map(by, self.firsts, other.firsts)),
            tuple(map(by, self.places, other.places)),
        )

    def observed(self) -> Observed:
        """As one request saw it that stands for all."""
        wait, each, rest, running, busy = self.means
        return Observed(
            ttft=wait,
            itl=each,
            decoded=1 if each else 0,
            total=wait + rest,
            requests=1,
            running=running,
            busy=busy,
            idle=1 - busy,
            firsts=list(self.firsts),
            places=list(self.places),
        )


def at_rate(clock: StepClock, limits: Limits, load: Load, full: Pace) -> Observed:
    """What requests see that come at a rate, of an engine with this pace where every place is taken. Their answers are
    as long as the load says: which of them end while they are measured hangs on the engine."""
    seen = _seen(clock, limits, load, full)
    return replace(seen, tokens=full.output * seen.requests)


def _seen(clock: StepClock, limits: Limits, load: Load, full: Pace) -> Observed:
    share = (load.rate or 0.0) / full.requests
    if share <= SHARES[0]:
        return observed(clock, limits, load)
    above = min(bisect_left(SHARES, share), len(SHARES) - 1)
    seen = (observed(clock, limits, replace(load, rate=part * full.requests)) for part in SHARES[: above + 1])
    means = (_means(each, full) for each in seen)
    highest: list[_Means] = list(accumulate(means, lambda so_far, one: so_far.joined(max, one)))
    low, high = highest[-2:]
    between = (share - SHARES[above - 1]) / (SHARES[above] - SHARES[above - 1])
    return low.joined(lambda one, other: one + between * (other - one), high).observed()


def _means(seen: Observed, full: Pace) -> _Means:
    """The means of a run, in which tokens come no later than where every place is taken for good."""
    time = seen.busy + seen.idle
    means = (
        seen.ttft / seen.requests,
        min(full.itl, seen.itl / seen.decoded) if seen.decoded else 0.0,
        min(full.decoding, (seen.total - seen.ttft) / seen.requests),
        seen.running / time,
        seen.busy / time,
    )
    return _Means(means, tuple(seen.firsts), tuple(seen.places))
