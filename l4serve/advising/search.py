"""The search: every candidate judged as a plan judges it, its speed under the load, the front, and the winner."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf

from l4serve.advising.candidates import Candidate, Home, PodChoice, table
from l4serve.advising.ranking import Judged, Wish, behind, front_of, loser, rank
from l4serve.advising.sizing import curve_of, fewest, limits_of
from l4serve.config.frozen import frozen
from l4serve.engines.profile import engine_profile
from l4serve.planning.machines.allocatable import pod_capacity
from l4serve.planning.machines.boot_disks import DEFAULT_BOOT_DISK_GB
from l4serve.planning.memory.generations import GIB
from l4serve.planning.memory.host import host_needs
from l4serve.planning.performance.load import Load
from l4serve.planning.performance.speed import Figures, Speed
from l4serve.planning.workload.judging import Judgement, Subject, judge
from l4serve.planning.workload.speed_question import subject_speed

LENGTH_STEP = 128
MORE_REPLICAS = 3
"""How many more than the sizing says are tried: it goes by the mean of a chain, the estimate by requests that come."""


@frozen(kw_only=True)
class Rejected:
    """A candidate that is no answer, and its one reason."""

    candidate: Candidate
    reason: str


@frozen(kw_only=True)
class Answer:
    """The search's answer: the winner, the front that it is on, and why each other candidate lost."""

    winner: Judged | None
    front: tuple[Judged, ...]
    rejected: tuple[Rejected, ...]
    tried: int


@dataclass
class _Pods:
    """Judgements and speeds, each found once: the same pod on another machine is as fast."""

    wish: Wish
    remember: bool
    judged: dict[int, tuple[PodChoice, Judgement, str | None]] = field(default_factory=dict)
    speeds: dict[tuple[int, Load], Speed] = field(default_factory=dict)
    sizes: dict[int, int | None] = field(default_factory=dict)

    def settle(self, pod: PodChoice) -> tuple[PodChoice, Judgement | None, str | None]:
        """The pod with a context that fits, its judgement, and why it cannot run."""
        known = self.judged.get(id(pod))
        if known is None or not self.remember:
            known = _settled(pod, self.wish.load)
            self.judged[id(pod)] = known
        return known

    def replicas(self, pod: PodChoice) -> int | None:
        """The fewest replicas of a pod that keep the wish at its rate; None where it cannot run, or none do."""
        assert self.wish.traffic is not None, "clients that wait are no rate"
        settled, judgement, reason = self.settle(pod)
        if reason or judgement is None:
            return None
        if id(pod) not in self.sizes or not self.remember:
            curve = curve_of(settled.subject, judgement, self.wish.load)
            self.sizes[id(pod)] = fewest(curve, self.wish.traffic, limits_of(self.wish)) if curve.most else None
        return self.sizes[id(pod)]

    def speed(self, pod: PodChoice, judgement: Judgement, key: int, load: Load) -> Speed:
        """The pod's speed under its part of the load."""
        found = self.speeds.get((key, load))
        if found is None or not self.remember:
            found = subject_speed(pod.subject, judgement, load)
            self.speeds[key, load] = found
        return found


def search(pods: Iterable[PodChoice], homes: Sequence[Home], wish: Wish, *, prune: bool = True) -> Answer:
    """The best candidates for a wish.

    Pruned, a pod is judged and estimated once for all machines, and what the wish rules out by price or quality alone
    is not estimated. Without `prune` every candidate is, for itself, with the same answer.
    """
    known = _Pods(wish, remember=prune)
    kept: list[Judged] = []
    rejected: list[Rejected] = []
    tried = 0
    for candidate in _candidates(pods, homes, known):
        tried += 1
        reason = candidate.pod.refused or _ruled_out(candidate, wish)
        if reason and prune:
            rejected.append(Rejected(candidate=candidate, reason=reason))
            continue
        found, why = _kept(candidate, wish, known)
        reason = reason or why or (_missed(found, wish) if found else None)
        if reason or found is None:
            rejected.append(Rejected(candidate=candidate, reason=reason or "not judged"))
        else:
            kept.append(found)
    front = tuple(front_of(kept))
    winner = min(front, key=partial(rank, wish), default=None)
    rejected += [Rejected(candidate=j.candidate, reason=loser(j, front)) for j in kept if j not in front]
    rejected += [Rejected(candidate=j.candidate, reason=behind(j, winner, wish)) for j in front if j is not winner]
    return Answer(winner=winner, front=front, rejected=tuple(rejected), tried=tried)


def price_days(answer: Answer) -> str:
    """The days of the prices by which candidates were compared, such as `2026-08-03`; empty where none is known."""
    judged = (*answer.front, *([answer.winner] if answer.winner else ()))
    return ", ".join(sorted({each.candidate.home.price_date for each in judged if each.candidate.home.price_date}))


def ranked(answer: Answer, wish: Wish) -> list[Judged]:
    """The front in the order of the goal, the winner first."""
    return sorted(answer.front, key=partial(rank, wish))


def _candidates(pods: Iterable[PodChoice], homes: Sequence[Home], known: _Pods) -> Iterator[Candidate]:
    for pod in pods:
        cards = pod.subject.layout.gpus
        for home in homes:
            if home.shape.accelerator != pod.subject.card.name or home.shape.gpus % cards:
                continue
            for replicas in _counts(pod, home, known):
                yield Candidate(pod=pod, home=home, replicas=replicas)


def _counts(pod: PodChoice, home: Home, known: _Pods) -> Iterable[int]:
    """Replicas that are worth a try: a few for clients that wait, for a rate as many as serve it."""
    if known.wish.traffic is None:
        most = min(home.most_replicas or inf, known.wish.load.clients or 1)
        return [n for n in table()["replicas"] if n <= most]
    fits = pod.refused is None and not _beneath(pod, known.wish)
    return [(known.replicas(pod) if fits else None) or 1]


def _beneath(pod: PodChoice, wish: Wish) -> bool:
    order = table()["quality"]
    return bool(order.index(pod.quality) > order.index(wish.quality))


def _ruled_out(candidate: Candidate, wish: Wish) -> str | None:
    if _beneath(candidate.pod, wish):
        return f"quality {candidate.pod.quality} is below {wish.quality}"
    if candidate.home.most_replicas is not None and candidate.replicas > candidate.home.most_replicas:
        return f"{candidate.replicas} replicas are more than {candidate.home.most_replicas}"
    price = candidate.bill
    if wish.budget_usd_hour is not None:
        if price is None:
            return "no price is known to hold against the budget"
        if price > wish.budget_usd_hour:
            machines = f"{candidate.nodes} x {candidate.home.shape.name}"
            return f"{price:.2f} USD an hour for {machines} are above the budget of {wish.budget_usd_hour:.2f}"
    return None


def _settled(pod: PodChoice, load: Load) -> tuple[PodChoice, Judgement, str | None]:
    judgement = judge(pod.subject, remedied=False)
    fit, needed = judgement.fit, load.input_tokens + load.output_tokens
    if fit is not None and needed <= fit.largest_max_model_len and (not fit.fits or fit.max_model_len < needed):
        longest = fit.largest_max_model_len if not fit.fits else needed
        pod = _with_length(pod, _rounded(longest, needed, fit.largest_max_model_len))
        judgement = judge(pod.subject, remedied=False)
        fit = judgement.fit
    refused = next(iter(judgement.refusals), None)
    if refused is not None:
        return pod, judgement, f"{refused.path}: {refused.message}"
    if fit is None:
        return pod, judgement, "; ".join(judgement.notes)
    if not fit.fits:
        return pod, judgement, "; ".join(fit.reasons)
    if fit.margin_is_uncertain:
        return pod, judgement, f"fits only within the uncertainty of {fit.uncertainty_gib:.2f} GiB"
    if needed > fit.max_model_len:
        return pod, judgement, f"a context of {fit.max_model_len} tokens is shorter than a request of {needed}"
    return pod, judgement, None


def _rounded(wanted: int, needed: int, largest: int) -> int:
    """A context in round steps that holds a request and fits."""
    down, up = wanted // LENGTH_STEP * LENGTH_STEP, -(-wanted // LENGTH_STEP) * LENGTH_STEP
    return next((length for length in (down, up) if needed <= length <= largest), wanted)


def _with_length(pod: PodChoice, length: int) -> PodChoice:
    key = engine_profile(pod.subject.workload.engine.kind).path("length")
    edit = {key: length}
    return replace(pod, edit={**pod.edit, **edit}, subject=pod.subject.edited(edit, pod.subject.shape))


def _kept(candidate: Candidate, wish: Wish, known: _Pods) -> tuple[Judged | None, str | None]:
    """The candidate judged; for a rate with a replica more while the mean of the requests misses the wish."""
    found, why = _judged(candidate, wish, known)
    last = candidate.replicas + MORE_REPLICAS if wish.traffic else 0
    if candidate.home.most_replicas is not None:
        last = min(last, candidate.home.most_replicas)
    for replicas in range(candidate.replicas + 1, last + 1):
        if found is None or _missed(found, wish) is None:
            break
        found, why = _judged(replace(candidate, replicas=replicas), wish, known)
    return found, why


def _judged(candidate: Candidate, wish: Wish, known: _Pods) -> tuple[Judged | None, str | None]:
    pod, judgement, reason = known.settle(candidate.pod)
    if reason or judgement is None:
        return None, reason
    if short := _host_shortage(pod.subject, candidate.home):
        return None, short
    load = share_of(wish.load, candidate.replicas)
    speed = known.speed(pod, judgement, id(candidate.pod), load)
    if not speed.judged:
        return None, "; ".join(speed.not_judged)
    settled = replace(candidate, pod=pod, edit={**pod.edit, **({"replicas": candidate.replicas})})
    times = times_of(wish.load, candidate.replicas)
    figures = together(speed.figures, times)
    return Judged(candidate=settled, judgement=judgement, speed=speed, times=times, figures=figures), None


def share_of(load: Load, replicas: int) -> Load:
    """One replica's part of a load; of clients, that of the replica that has most."""
    if load.rate is not None:
        return replace(load, rate=load.rate / replicas)
    return replace(load, clients=-(-(load.clients or 1) // replicas))


def times_of(load: Load, replicas: int) -> float:
    """How many times one replica's part a load is: clients are no more than there are, however they are dealt out."""
    part = share_of(load, replicas)
    return replicas if load.rate is not None else (load.clients or 1) / (part.clients or 1)


def together(figures: Figures, times: float) -> Figures:
    """What replicas serve that have one replica's part so many times."""

    def all_of(value: float | None) -> float | None:
        return None if value is None else value * times

    return replace(
        figures,
        output_tokens_per_second=all_of(figures.output_tokens_per_second),
        requests_per_second=all_of(figures.requests_per_second),
        running_requests=all_of(figures.running_requests),
    )


def _host_shortage(subject: Subject, home: Home) -> str | None:
    """What of the machine a pod with these cards would lack; None where it has enough."""
    assert subject.shape is not None, "only a described model has a fit"
    needs = host_needs(subject.shape, subject.options)
    disk = max(DEFAULT_BOOT_DISK_GB, int(needs.node_disk_gib * 1.5))
    room = pod_capacity(home.shape, subject.layout.gpus, boot_disk_gib=disk, local_ssds=0)
    if room.memory_bytes < needs.memory_gib * GIB:
        part = f"a pod of {subject.layout.gpus} GPU gets {room.memory_bytes / GIB:.1f} GiB of {home.shape.machine_type}"
        return f"{part} and needs {needs.memory_gib:.1f} while it loads"
    return None


def _missed(judged: Judged, wish: Wish) -> str | None:
    """The first promise that a candidate does not keep."""
    figures = judged.figures
    if wish.load.rate is not None and figures.ttft_ms is None:
        return f"{judged.candidate.replicas} replicas do not keep up with {wish.load.rate:g} requests a second"
    for name, asked, found in (("ttft", wish.ttft_ms, figures.ttft_ms), ("itl", wish.itl_ms, figures.itl_ms)):
        if asked is not None and (found is None or found > asked):
            return f"{name} of {found:,.0f} ms is above {asked:,.0f}" if found is not None else f"no {name} is judged"
    return None
