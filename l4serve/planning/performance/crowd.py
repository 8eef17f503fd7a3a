"""Clients of whom more ask than run at once: the pace of a full engine, and Little's law for those who wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from l4serve.planning.performance.full_engine import LOOKED_AT, WARM_UP, pace_of
from l4serve.planning.performance.known_runs import full_pace, observed
from l4serve.planning.performance.load import CROWD_SPREAD, Load
from l4serve.planning.performance.loop_state import Limits, Observed
from l4serve.planning.performance.step_time import StepClock

QUEUED = 6
"""Times the places of an engine that preempts, beyond which whoever comes waits for the first token alone."""


def closed(clock: StepClock, limits: Limits, load: Load) -> Observed:
    """What clients see that each have one request at a time, or one in all.

    The engine is followed step by step for as many clients as it has places, and twice as many of equal lengths; who
    comes beyond that finds a pace that no longer changes. Where a part of the requests are a crowd's, the pace is as
    much of theirs.

    Requests that give their blocks back wait within their answer, at the head of the queue: the more of them, the more
    prompts were let in. Where each does so more than once, more clients are followed, until the rest waits for the
    first token.
    """
    clients = load.clients or 1
    if load.burst:
        return observed(clock, limits, load)
    if load.crowd:
        return _with_crowd(clock, limits, load)
    places = places_of(limits, load)
    if load.input_spread or load.output_spread:
        if clients > places:
            return _between(clock, limits, load, places)
    elif clients > 2 * places:
        seen, followed = observed(clock, limits, replace(load, clients=2 * places)), 2 * places
        if seen.preempted > seen.requests:
            followed = min(clients, QUEUED * places)
            seen = observed(clock, limits, replace(load, clients=followed))
        return seen if followed == clients else pace_of(seen, followed).seen_by(clients)
    return observed(clock, limits, load)


def _with_crowd(clock: StepClock, limits: Limits, load: Load) -> Observed:
    """What clients see of whose requests a part has the lengths of a crowd: where all of them run, the engine is full
    with so many places."""
    clients, alike = load.clients or 1, replace(load, crowd=0.0)
    crowd = replace(alike, clients=None, input_spread=CROWD_SPREAD[0], output_spread=CROWD_SPREAD[1])
    looked_at = max(WARM_UP, round(LOOKED_AT * load.crowd))  # the less of the pace is theirs, the coarser it may be
    pace = full_pace(clock, replace(limits, sequences=min(clients, limits.sequences)), crowd, looked_at)
    theirs = pace.seen_by(clients)
    return theirs if load.crowd == 1 else mixed(closed(clock, limits, alike), theirs, load.crowd)


def mixed(one: Observed, other: Observed, share: float) -> Observed:
    """What the requests see of which so large a share sees the other, and the rest the one."""

    def of_both(part: Callable[[Observed], float]) -> float:
        return (1 - share) * part(one) + share * part(other)

    held_by = {limit: (1 - share) * time / one.busy for limit, time in one.held_by.items()}
    for limit, time in other.held_by.items():
        held_by[limit] = held_by.get(limit, 0.0) + share * time / other.busy
    return Observed(
        ttft=of_both(lambda seen: seen.ttft / seen.requests),
        itl=of_both(lambda seen: seen.itl / seen.decoded if seen.decoded else 0.0),
        decoded=1 if one.decoded or other.decoded else 0,
        total=of_both(lambda seen: seen.total / seen.requests),
        tokens=of_both(lambda seen: seen.tokens / seen.requests),
        requests=1,
        running=of_both(lambda seen: seen.running / (seen.busy + seen.idle)),
        busy=1.0,
        held_by=held_by,
    )


def waiting_share(clients: int, running: int) -> float:
    """How full an engine's queue is: not at all while all run, and for good where as many wait as run."""
    return min(1.0, max(0.0, clients / running - 1))


def _between(clock: StepClock, limits: Limits, load: Load, running: int) -> Observed:
    """Between what as many clients see as run, and the pace of an engine that never has a place free."""
    clients = load.clients or 1
    share = waiting_share(clients, running)
    # More short requests may run at once than those of mean lengths, and never more than there are clients.
    pace = full_pace(clock, replace(limits, sequences=min(clients, limits.sequences)), replace(load, clients=None))
    full = pace.seen_by(clients)
    if share == 1:
        return full
    calm = pace_of(closed(clock, limits, replace(load, clients=running)), running)
    return mixed(calm.seen_by(clients), full, share)


def places_of(limits: Limits, load: Load) -> int:
    """Requests that run at once with half of their answers in the cache."""
    tokens = load.mean_input - limits.shared + load.mean_output / 2
    return max(1, min(limits.sequences, int(limits.cache_tokens // tokens)))
