"""How many replicas serve a rate that varies, what the percentile of clients waits, and when an autoscaler must act.

A replica is a birth-death chain: with k requests in it, it completes X(k) a second (the engine loop with k clients),
and no more than X(m) where m is all that run at once. Its states follow from the rate; the tail of the wait for a place
is exponential, stretched by how arrivals vary: P(W > t) = P(wait) exp(-2 (X(m) - rate) t / (ca2 + 1)), Kingman's
correction of the M/M/m tail.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from math import ceil, floor, log

from l4serve.advising.candidates import table
from l4serve.advising.ranking import Judged, Wish
from l4serve.advising.traffic import Traffic
from l4serve.config.frozen import frozen
from l4serve.planning.memory.host import checkpoint_gib
from l4serve.planning.performance.load import Load
from l4serve.planning.workload.judging import Judgement, Subject
from l4serve.planning.workload.speed_question import places_of, subject_speed
from l4serve.planning.workload.start import plan_start

MOST_REPLICAS = 1000
SECONDS_PER_MINUTE = 60


@frozen()
class Curve:
    """One replica with more and more requests in it: how many it completes a second, and the mean seconds to the first
    token and from one to the next."""

    requests: tuple[int, ...]
    per_second: tuple[float, ...]
    ttft: tuple[float, ...]
    itl: tuple[float, ...]

    @property
    def places(self) -> int:
        """All that run at once."""
        return self.requests[-1]

    @property
    def most(self) -> float:
        """Requests a second with every place taken."""
        return max(self.per_second)

    def completed(self, requests: float) -> float:
        """Requests a second with so many in it."""
        return _between(self.requests, self.per_second, requests)

    def first_token(self, requests: float) -> float:
        """Seconds to a first token with so many in it, without waiting for a place."""
        return _between(self.requests, self.ttft, requests)

    def next_token(self, requests: float) -> float:
        """Seconds from one token to the next with so many in it."""
        return _between(self.requests, self.itl, requests)


@frozen(kw_only=True)
class Limits:
    """What each replica keeps, in seconds: a wait for a place, a first token, the time of each token after it."""

    wait: float
    first_token: float | None = None
    next_token: float | None = None

    def kept(self, replica: Replica) -> bool:
        """Whether a replica keeps them for the percentile; the time of a token in the mean."""
        waits = replica.wait() <= self.wait if self.first_token is None else replica.first_token() <= self.first_token
        return waits and (self.next_token is None or replica.curve.next_token(replica.running) <= self.next_token)


@frozen(kw_only=True)
class Replica:
    """One replica at a rate."""

    curve: Curve
    rate: float
    traffic: Traffic

    @cached_property
    def states(self) -> tuple[float, ...]:
        """The chance of each number of requests up to all places, and (last) of more than those."""
        load = self.rate / self.curve.most
        if load >= 1:
            return (*(0.0 for _ in range(self.curve.places + 1)), 1.0)
        weights, weight = [1.0], 1.0
        for k in range(1, self.curve.places + 1):
            weight *= self.rate / max(self.curve.completed(k), 1e-12)
            weights.append(weight)
        weights.append(weight * load / (1 - load))
        total = sum(weights)
        return tuple(w / total for w in weights)

    @property
    def running(self) -> float:
        """Mean number of requests that run."""
        return sum(min(k, self.curve.places) * p for k, p in enumerate(self.states))

    def wait(self) -> float:
        """Seconds that the percentile waits for a place; infinite where the replica does not keep up."""
        if self.rate >= self.curve.most:
            return float("inf")
        waiting, left = self.states[-1] + self.states[-2], 1 - self.traffic.percentile / 100
        if waiting <= left:
            return 0.0
        return log(waiting / left) * (self.traffic.arrival_cv2 + 1) / 2 / (self.curve.most - self.rate)

    def first_token(self) -> float:
        """Seconds to a first token at the percentile: the wait for a place, and the prompt among those that run."""
        return self.wait() + self.curve.first_token(self.running)


@frozen(kw_only=True)
class Sizing:
    """What serves a rate: replicas and nodes, what they then do, and the autoscaler's thresholds.

    The thresholds leave room for growth while another replica starts, so an autoscaler that holds them keeps
    `headroom_replicas` at this rate.
    """

    replicas: int
    headroom_replicas: int
    nodes: int
    utilisation: float
    running_per_replica: float
    wait_ms: float
    ttft_ms: float
    start_lag_seconds: float
    queue_target: int
    running_target: int


def size(judged: Judged, wish: Wish) -> Sizing | None:
    """What a candidate's replicas do at the wish's rate; None where they do not keep up."""
    assert wish.traffic is not None, "clients that wait are no rate"
    traffic, limits = wish.traffic, limits_of(wish)
    candidate = judged.candidate
    curve = curve_of(candidate.pod.subject, judged.judgement, wish.load)
    replica = Replica(curve=curve, rate=traffic.rate / candidate.replicas, traffic=traffic)
    if replica.rate >= curve.most:
        return None
    lag = start_lag(judged)
    growth = 1 + traffic.growth_per_minute * lag / SECONDS_PER_MINUTE
    early = Replica(curve=curve, rate=_highest_rate(curve, traffic, limits) / growth, traffic=traffic)
    return Sizing(
        replicas=candidate.replicas,
        headroom_replicas=max(candidate.replicas, ceil(traffic.rate / max(early.rate, traffic.rate / MOST_REPLICAS))),
        nodes=candidate.nodes,
        utilisation=replica.rate / curve.most,
        running_per_replica=replica.running,
        wait_ms=replica.wait() * 1000,
        ttft_ms=replica.first_token() * 1000,
        start_lag_seconds=lag,
        queue_target=max(1, floor(curve.most * table()["waitSeconds"])),
        running_target=max(1, floor(early.running)),
    )


def limits_of(wish: Wish) -> Limits:
    """What a wish asks of each replica."""
    first, each = wish.ttft_ms, wish.itl_ms
    return Limits(
        wait=table()["waitSeconds"],
        first_token=None if first is None else first / 1000,
        next_token=None if each is None else each / 1000,
    )


def fewest(curve: Curve, traffic: Traffic, limits: Limits) -> int | None:
    """The fewest replicas that keep the limits; None where none do."""
    for replicas in range(max(1, ceil(traffic.rate / curve.most)), MOST_REPLICAS + 1):
        if limits.kept(Replica(curve=curve, rate=traffic.rate / replicas, traffic=traffic)):
            return replicas
    return None


def _highest_rate(curve: Curve, traffic: Traffic, limits: Limits) -> float:
    """The highest rate at which one replica keeps the limits, by halving."""
    low, high = 0.0, curve.most
    for _ in range(24):
        middle = (low + high) / 2
        if limits.kept(Replica(curve=curve, rate=middle, traffic=traffic)):
            low = middle
        else:
            high = middle
    return low


def curve_of(subject: Subject, judgement: Judgement, load: Load) -> Curve:
    """A pod with one client, two, four, up to all that run at once."""
    fit = judgement.fit
    assert fit is not None, "only a pod that fits is sized"
    places = places_of(subject.options, fit, load.input_tokens + load.output_tokens)
    counts = sorted({*(2**k for k in range(places.bit_length())), places})
    closed = replace(load, rate=None, input_spread=0.0, output_spread=0.0)
    found = [subject_speed(subject, judgement, replace(closed, clients=count)).figures for count in counts]
    rising = [max(f.requests_per_second or 0.0 for f in found[: i + 1]) for i in range(len(found))]
    first, each = ([(getattr(f, name) or 0.0) / 1000 for f in found] for name in ("ttft_ms", "itl_ms"))
    return Curve(tuple(counts), tuple(rising), tuple(first), tuple(each))


def start_lag(judged: Judged) -> float:
    """Seconds from the wish for one more replica to its first token: a node, the weights, the engine."""
    subject = judged.candidate.pod.subject
    assert subject.shape is not None, "only a described model is sized"
    files = checkpoint_gib(subject.shape, subject.options)
    image = subject.workload.engine.image or subject.resolved.contract.image
    start = plan_start(subject.workload, None, image, files, subject.layout.gpus)
    assert start.total is not None, "the weights of a described model have a size"
    return float(start.total)


def _between(xs: Sequence[int], ys: Sequence[float], x: float) -> float:
    if x <= xs[0]:
        return ys[0] * x / xs[0] if x < xs[0] else ys[0]
    if x >= xs[-1]:
        return ys[-1]
    right = bisect_left(xs, x)
    share = (x - xs[right - 1]) / (xs[right] - xs[right - 1])
    return ys[right - 1] + share * (ys[right] - ys[right - 1])
