"""What each request of an open load waits, from which a percentile is read."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from l4serve.config.frozen import frozen
from l4serve.planning.performance.loop_state import Observed

MILLI = 1000.0


@frozen()
class Waits:
    """Milliseconds that each request waits for its first token, and for a place, the shortest first."""

    first_token: tuple[float, ...] = ()
    place: tuple[float, ...] = ()


NO_WAITS = Waits()


def waits_of(seen: Observed) -> Waits:
    """The waits of the requests that were measured."""
    first, place = (tuple(MILLI * wait for wait in each) for each in (seen.firsts, seen.places))
    return Waits(first, place)


def at_percentile(waits: Sequence[float], percentile: float) -> float | None:
    """The wait that this share of the requests, in percent, does not pass; None where no wait is known."""
    return waits[min(len(waits), max(1, ceil(len(waits) * percentile / 100))) - 1] if waits else None
