"""Requests that come at a rate: followed as they come, and close to the most that is served over several draws of them.

There one draw says more of itself than of the rate: some hundred requests are a few queues, and what preemption wastes
depends on how they meet. Means over several draws at fixed shares of the most, none below one before it, keep what is
said from falling while the rate rises.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import fmean

from l4serve.config.frozen import frozen
from l4serve.planning.performance.known_runs import observed
from l4serve.planning.performance.load import Load
from l4serve.planning.performance.loop_state import Limits, Observed
from l4serve.planning.performance.step_time import StepClock

SHARES = (0.9, 0.95, 1.0)
"""Of the most that is served: up to the first, which a card slower by the bound still serves, one draw is followed."""
DRAWS = 5


@frozen()
class _Means:
    """What requests see in the mean: waits for the first token, seconds of a token, of the rest of an answer, tokens,
    requests that run and the share of time that is busy; and the waits of each, the shortest first."""

    means: tuple[float, ...]
    firsts: tuple[float, ...]
    places: tuple[float, ...]

    def joined(self, by: Callable[[tuple[float, ...]], float], *others: _Means) -> _Means:
        """All of several, each figure joined with that of the others."""
        every = (self, *others)
        return _Means(
            tuple(map(by, zip(*(each.means for each in every), strict=True))),
            tuple(map(by, zip(*(each.firsts for each in every), strict=False))),
            tuple(map(by, zip(*(each.places for each in every), strict=False))),
        )

    def observed(self) -> Observed:
        """As one request saw it that stands for all."""
        wait, each, rest, tokens, running, busy = self.means
        return Observed(
            ttft=wait,
            itl=each,
            decoded=1 if each else 0,
            total=wait + rest,
            tokens=tokens,
            requests=1,
            running=running,
            busy=busy,
            idle=1 - busy,
            firsts=list(self.firsts),
            places=list(self.places),
        )


def at_rate(clock: StepClock, limits: Limits, load: Load, most: float) -> Observed:
    """What requests see that come at a rate, of an engine that serves no more than so many."""
    share = (load.rate or 0.0) / most
    if share <= SHARES[0]:
        return observed(clock, limits, load)
    above = min(bisect_left(SHARES, share), len(SHARES) - 1)
    calm = replace(load, rate=SHARES[0] * most)
    low = high = _means(observed(clock, limits, calm))
    for part in SHARES[1 : above + 1]:
        draws = [replace(load, rate=part * most, draw=draw) for draw in range(DRAWS)]
        first, *others = (_means(observed(clock, limits, draw)) for draw in draws)
        low, high = high, high.joined(max, first.joined(fmean, *others))
    between = (share - SHARES[above - 1]) / (SHARES[above] - SHARES[above - 1])
    return low.joined(lambda pair: pair[0] + between * (pair[1] - pair[0]), high).observed()


def _means(seen: Observed) -> _Means:
    time = seen.busy + seen.idle
    means = (
        seen.ttft / seen.requests,
        seen.itl / seen.decoded if seen.decoded else 0.0,
        (seen.total - seen.ttft) / seen.requests,
        seen.tokens / seen.requests,
        seen.running / time,
        seen.busy / time,
    )
    return _Means(means, _sorted(seen.firsts), _sorted(seen.places))


def _sorted(waits: Sequence[float]) -> tuple[float, ...]:
    return tuple(sorted(waits))
