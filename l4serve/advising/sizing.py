"""How many replicas serve a rate, what the percentile of requests waits, and when an autoscaler must act.

One replica at its part of the rate is what `l4serve estimate --rate` asks about: its first token, the time of a token
and the wait for a place are those of the engine loop under requests that come. The size is the least count that keeps
the promises by that estimate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import ceil, floor

from l4serve.advising.budget import MOST_REPLICAS, paid_replicas
from l4serve.advising.candidates import table
from l4serve.advising.ranking import Judged, Wish
from l4serve.config.frozen import frozen
from l4serve.planning.memory.host import checkpoint_gib
from l4serve.planning.performance.speed import Speed
from l4serve.planning.performance.waits import at_percentile
from l4serve.planning.values.figures import counted, shown
from l4serve.planning.workload.judgement.speed_question import subject_speed
from l4serve.planning.workload.pods.start import plan_start

SECONDS_PER_MINUTE = 60
HALVINGS = 12
"""Of the search for the highest rate of one replica: to a part in 4,000."""
GALLOP = 2
ROUNDING = 1e-9
USUAL_UTILISATION = 0.75
"""Where the search for the fewest replicas begins, if of nothing alike it is known where it ended."""
WOBBLE = 3
EASED = 1.1
"""Times a promise: where the most replicas do not keep even that, fewer do not keep the promise. They wait as long as
the most or longer, but for a few percent."""

SpeedOf = Callable[[int], Speed]
"""One replica's speed under its part of the load, by the number of replicas."""


@frozen(kw_only=True)
class Needed:
    """The fewest replicas that keep a wish; None, and why, where none do."""

    replicas: int | None
    reason: str | None = None


@frozen(kw_only=True)
class Sizing:
    """What serves a rate: replicas and nodes, what they then do, and the autoscaler's thresholds.

    `ttft_ms` is the mean, as the winner's estimate; `ttft_at_percentile_ms` and `wait_ms` (for a place) are of the
    `percentile`. The thresholds leave room for growth while another replica starts, so an autoscaler that holds them
    keeps `headroom_replicas` at this rate, for `headroom_usd_per_hour`. A budget bounds them: they are no more than the
    `max_replicas` that it pays, which the autoscaler is to be given.
    """

    replicas: int
    headroom_replicas: int
    headroom_usd_per_hour: float | None
    max_replicas: int | None
    nodes: int
    utilisation: float
    running_per_replica: float
    percentile: float
    wait_ms: float
    ttft_ms: float
    ttft_at_percentile_ms: float
    start_lag_seconds: float
    queue_target: int
    running_target: int


def missed(speed: Speed, wish: Wish, replicas: int, eased: float = 1.0) -> str | None:
    """The first promise, so many times as long, that so many replicas of this speed do not keep; None where they keep
    all.

    A rate is kept up with even where the cards are as slow as the bound allows. A first token is promised to the
    percentile that was asked for, else to the mean; without such a promise the wait for a place is bounded there.
    """
    figures, rate = speed.figures, wish.load.rate
    first, whose = figures.ttft_ms, ""
    if rate is not None:
        verb = "does" if replicas == 1 else "do"
        behind = f"{counted(replicas, 'replica')} {verb} not keep up with {rate:g} requests a second"
        if first is None:
            return behind
        if not speed.slowest_keeps_up:
            return f"with steps {100 * speed.bound.slower:.0f} % slower, as the bound allows, {behind}"
        if wish.traffic.percentile is not None:
            first = at_percentile(speed.waits.first_token, wish.traffic.percentile)
            whose = f" at {wish.traffic.percentile:g} %"
        waiting, longest = at_percentile(speed.waits.place, wish.traffic.told), table()["waitSeconds"] * 1000
        if wish.ttft_ms is None and waiting is not None and waiting > longest * eased:
            return f"{wish.traffic.told:g} % wait up to {waiting:,.0f} ms for a place, more than {longest:,.0f}"
    for name, asked, found in ((f"ttft{whose}", wish.ttft_ms, first), ("itl", wish.itl_ms, figures.itl_ms)):
        if asked is not None and (found is None or found > asked * eased):
            above = f"ms is above {shown(asked, 3)}"
            return f"no {name} is judged" if found is None else f"{name} of {shown(found, 3)} {above}"
    return None


def fewest(
    speed_of: SpeedOf, alone: Speed, wish: Wish, utilisation: float | None = None, count: int | None = None
) -> Needed:
    """The fewest replicas that keep a wish at its rate.

    `alone` is the speed of one client, which no rate betters: what it misses no count keeps. The search begins
    with the `count` of something alike that kept the wish, or at the `utilisation` at which it did.
    """
    rate = wish.load.rate
    assert rate is not None, "clients that wait are no rate"
    if reason := _hopeless(alone, wish):
        return Needed(replicas=None, reason=reason)
    one = speed_of(1)
    assert one.most_requests, "whatever serves one client serves some requests a second"
    if missed(one, wish, 1) is None:
        return Needed(replicas=1)
    # Where a card as slow as it may be does not keep up, nothing need be followed step by step.
    too_few = max(1, floor(rate * (1 + one.bound.slower) / one.most_requests * (1 - ROUNDING)))
    guess = count or round(rate / (one.most_requests * (utilisation or USUAL_UTILISATION)))
    return _found(speed_of, wish, too_few, max(too_few + 1, guess))


def fewest_for_clients(speed_of: SpeedOf, alone: Speed, wish: Wish) -> Needed:
    """The fewest replicas that keep a wish for its clients, who are dealt out to them; `alone` is the speed of one."""
    assert wish.load.rate is None, "a rate is no clients that wait"
    if reason := _hopeless(alone, wish):
        return Needed(replicas=None, reason=reason)
    if wish.ttft_ms is None and wish.itl_ms is None:
        return Needed(replicas=1)
    return _found(speed_of, wish, 0, 1)


def _hopeless(alone: Speed, wish: Wish) -> str | None:
    """Why no number of replicas keeps a wish, where that is known from one client."""
    if not alone.judged:
        return "; ".join(alone.not_judged)
    mean = replace(wish, load=replace(wish.load, rate=None))
    reason = missed(alone, mean, 1) or _missed_by_lengths(alone, wish)
    return f"{reason}, even for a single client" if reason else None


def _missed_by_lengths(alone: Speed, wish: Wish) -> str | None:
    """The promise to a percentile that the lengths of its prompts alone break, by more than their sample may err."""
    percentile, asked = wish.traffic.percentile, wish.ttft_ms
    first = None if percentile is None else at_percentile(alone.waits.first_token, percentile)
    if first is None or asked is None or first <= asked * EASED:
        return None
    return f"ttft at {percentile:g} % of {shown(first, 3)} ms is above {shown(asked, 3)}"


def _found(speed_of: SpeedOf, wish: Wish, too_few: int, at: int) -> Needed:
    """The fewest replicas above these that keep a wish, looked for around `at`."""

    def miss(count: int, eased: float = 1.0) -> str | None:
        return missed(speed_of(count), wish, count, eased)

    found = None
    if miss(min(at, MOST_REPLICAS)) is None or not _out_of_reach(speed_of, wish):
        found = least(lambda count: miss(count) is None, too_few, at, lambda count: miss(count, EASED) is None)
    if found is not None:
        return Needed(replicas=found)
    told = f"with {MOST_REPLICAS} replicas, the most that are tried: {miss(MOST_REPLICAS)}"
    return Needed(replicas=None, reason=told)


def _out_of_reach(speed_of: SpeedOf, wish: Wish) -> bool:
    """Whether the most replicas miss a promise by so much that no fewer need be tried."""
    promised = wish.ttft_ms is not None or wish.itl_ms is not None
    return promised and missed(speed_of(MOST_REPLICAS), wish, MOST_REPLICAS, EASED) is not None


def least(
    kept: Callable[[int], bool], low: int, at: int, nearly: Callable[[int], bool] = lambda _count: True
) -> int | None:
    """The least count above `low`, which is too few, that is kept, looked for around `at`.

    More is hardly ever worse: the waits of the same arrivals at a lower rate wobble by a percent or two, so the counts
    just below what halving finds are tried as well, down to one that is not even `nearly` kept.
    """
    beneath, high, step = low, None, 1
    while high is None:
        at = min(at, MOST_REPLICAS)
        if at <= low:
            return None
        if kept(at):
            high = at
        else:
            low, at, step = at, at + step, step * GALLOP
    while high - low > 1:
        at = max(high - step, (low + high) // 2)
        if kept(at):
            high, step = at, step * GALLOP
        else:
            low, step = at, MOST_REPLICAS
    found = high
    for count in range(high - 2, max(beneath, high * 3 // 4 - 1, high - WOBBLE - 1), -1):
        if not nearly(count + 1):
            break
        if kept(count):
            found = count
    return found


def size(judged: Judged, wish: Wish) -> Sizing | None:
    """What a candidate's replicas do at the wish's rate; None where they do not keep up."""
    rate, candidate = wish.load.rate, judged.candidate
    assert rate is not None, "clients that wait are no rate"

    def speed_at(one: float) -> Speed:
        return subject_speed(candidate.pod.subject, judged.judgement, replace(wish.load, rate=one))

    speed = speed_at(rate / candidate.replicas)
    most, told = speed.most_requests, wish.traffic.told
    first, waiting = (at_percentile(waits, told) for waits in (speed.waits.first_token, speed.waits.place))
    if not most or speed.figures.ttft_ms is None or first is None or waiting is None:
        return None
    lag = start_lag(judged)
    growth = 1 + wish.traffic.growth_per_minute * lag / SECONDS_PER_MINUTE
    paid = paid_replicas(candidate, wish)
    early = _highest_rate(speed_at, wish, rate / candidate.replicas, most) / growth
    headroom = max(candidate.replicas, min(ceil(rate / max(early, rate / MOST_REPLICAS)), paid or MOST_REPLICAS))
    return Sizing(
        replicas=candidate.replicas,
        headroom_replicas=headroom,
        headroom_usd_per_hour=replace(candidate, replicas=headroom).bill,
        max_replicas=paid,
        nodes=candidate.nodes,
        utilisation=rate / candidate.replicas / most,
        running_per_replica=speed.figures.running_requests or 0.0,
        percentile=told,
        wait_ms=waiting,
        ttft_ms=speed.figures.ttft_ms,
        ttft_at_percentile_ms=first,
        start_lag_seconds=lag,
        queue_target=max(1, floor(most * table()["waitSeconds"])),
        running_target=max(1, floor(speed_at(early).figures.running_requests or 0.0)),
    )


def _highest_rate(speed_at: Callable[[float], Speed], wish: Wish, low: float, high: float) -> float:
    """The highest rate between two at which one replica keeps the wish, by halving."""
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if missed(speed_at(middle), wish, 1) is None:
            low = middle
        else:
            high = middle
    return low


def start_lag(judged: Judged) -> float:
    """Seconds from the wish for one more replica to its first token: a node, the weights, the engine."""
    subject = judged.candidate.pod.subject
    assert subject.shape is not None, "only a described model is sized"
    files = checkpoint_gib(subject.shape, subject.options)
    image = subject.workload.engine.image or subject.resolved.contract.image
    start = plan_start(subject.workload, None, image, files, subject.layout.gpus)
    assert start.total is not None, "the weights of a described model have a size"
    return float(start.total)
