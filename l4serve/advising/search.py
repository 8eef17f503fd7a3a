"""The search: every candidate judged as a plan judges it, its speed under the load, the front, and the winner."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf

from l4serve.advising.answer import Answer, Rejected
from l4serve.advising.candidates import Candidate, Home, PodChoice, table
from l4serve.advising.ranking import Judged, Wish, answer_ms, behind, front_of, loser, rank
from l4serve.advising.sizing import Needed, fewest, missed
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


@dataclass
class Pods:
    """Judgements and speeds, each found once: the same pod on another machine is as fast."""

    wish: Wish
    remember: bool
    judged: dict[int, tuple[PodChoice, Judgement, str | None]] = field(default_factory=dict)
    speeds: dict[tuple[int, Load], Speed] = field(default_factory=dict)
    sizes: dict[int, Needed] = field(default_factory=dict)
    utilisation: float | None = None
    """Of the pod that was sized last: the next one is often alike."""

    def settle(self, pod: PodChoice) -> tuple[PodChoice, Judgement | None, str | None]:
        """The pod with a context that fits, its judgement, and why it cannot run."""
        known = self.judged.get(id(pod))
        if known is None or not self.remember:
            known = _settled(pod, self.wish.load)
            self.judged[id(pod)] = known
        return known

    def needed(self, pod: PodChoice) -> Needed:
        """The fewest replicas of a pod that keep the wish at its rate."""
        settled, judgement, reason = self.settle(pod)
        if reason or judgement is None:
            return Needed(replicas=None, reason=reason)
        found = self.sizes.get(id(pod))
        if found is None or not self.remember:
            found = self.sizes[id(pod)] = self._sized(pod, settled, judgement)
        return found

    def _sized(self, pod: PodChoice, settled: PodChoice, judgement: Judgement) -> Needed:
        wish = self.wish
        assert wish.load.rate is not None, "clients that wait are no rate"

        def speed_at(rate: float) -> Speed:
            return self.speed(settled, judgement, id(pod), replace(wish.load, rate=rate))

        found = fewest(speed_at, self.alone(pod, settled, judgement), wish, self.utilisation)
        if found.replicas is not None and self.remember:
            part = wish.load.rate / found.replicas
            self.utilisation = part / (speed_at(part).most_requests or part)
        return found

    def alone(self, pod: PodChoice, settled: PodChoice, judgement: Judgement) -> Speed:
        """The pod's speed for one client, which no load betters."""
        return self.speed(settled, judgement, id(pod), replace(self.wish.load, rate=None, clients=1))

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
    known = Pods(wish, remember=prune)
    kept: list[Judged] = []
    rejected: list[Rejected] = []
    tried = 0
    pods = tuple(pods)
    tries = (
        Candidate(pod=pod, home=home, replicas=replicas)
        for pod, home in places(pods, homes)
        for replicas in _counts(pod, home, known)
    )
    for candidate in tries:
        tried += 1
        reason = candidate.pod.refused or ruled_out(candidate, wish)
        if reason and prune:
            rejected.append(Rejected(candidate=candidate, reason=reason))
            continue
        found, why = _kept(candidate, wish, known)
        reason = reason or why or (_missed(found, wish) if found else None)
        if reason or found is None:
            rejected.append(Rejected(candidate=candidate, reason=reason or "not judged"))
        else:
            kept.append(found)
    if (rival := _rival(pods, homes, kept, known)) is not None:
        kept.append(rival)
        tried += 1
    winner = min(kept, key=partial(rank, wish), default=None)
    front = tuple(front_of(kept, winner))
    rejected += [Rejected(candidate=j.candidate, reason=loser(j, front)) for j in kept if j not in front]
    rejected += [Rejected(candidate=j.candidate, reason=behind(j, winner, wish)) for j in front if j is not winner]
    return Answer(winner=winner, front=front, rejected=tuple(rejected), tried=tried)


def _rival(pods: Sequence[PodChoice], homes: Sequence[Home], kept: Sequence[Judged], known: Pods) -> Judged | None:
    """The pod that answers faster than all, given as many replicas as the fastest.

    A rate gives a slow pod more replicas than a fast one needs: with as many, the fast one may wait less. Nobody waits
    less than one client alone, so a pod that is slower even for that one is not tried.
    """
    wish = known.wish
    if wish.load.rate is None or wish.goal != "latency" or not kept:
        return None
    best = min(kept, key=partial(rank, wish))
    for pod, home in places(pods, homes):
        candidate = Candidate(pod=pod, home=home, replicas=best.candidate.replicas)
        if pod.refused or ruled_out(candidate, wish) or (known.needed(pod).replicas or inf) >= candidate.replicas:
            continue
        settled, judgement, _ = known.settle(pod)
        assert judgement is not None, "only what runs has a size"
        if known.remember and answer_ms(known.alone(pod, settled, judgement).figures, wish) > rank(wish, best)[0]:
            continue
        found, _ = estimated(candidate, wish, known)
        if found is not None and _missed(found, wish) is None and rank(wish, found) < rank(wish, best):
            best = found
    return None if best in kept else best


def places(pods: Iterable[PodChoice], homes: Sequence[Home]) -> Iterator[tuple[PodChoice, Home]]:
    """Every pod with every machine that has its cards."""
    for pod in pods:
        cards = pod.subject.layout.gpus
        for home in homes:
            if home.shape.accelerator == pod.subject.card.name and home.shape.gpus % cards == 0:
                yield pod, home


def _counts(pod: PodChoice, home: Home, known: Pods) -> Iterable[int]:
    """Replicas that are worth a try: a few for clients that wait, for a rate the fewest that keep the wish."""
    most = home.most_replicas or inf
    if known.wish.load.rate is None:
        usual = table()["replicas"]
        tried = {*usual, home.configured, int(min(most, usual[-1]))}
        return sorted(n for n in tried if n <= min(most, known.wish.load.clients or 1))
    if pod.refused or _beneath(pod, known.wish):
        return [1]
    return [int(min(most, known.needed(pod).replicas or 1))]


def _beneath(pod: PodChoice, wish: Wish) -> bool:
    order = table()["quality"]
    return bool(order.index(pod.quality) > order.index(wish.quality))


def ruled_out(candidate: Candidate, wish: Wish) -> str | None:
    """Why quality, price or number rule a candidate out, whatever its speed."""
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


def _kept(candidate: Candidate, wish: Wish, known: Pods) -> tuple[Judged | None, str | None]:
    """The candidate judged, or why it is no answer."""
    if wish.load.rate is not None and not candidate.pod.refused and not _beneath(candidate.pod, wish):
        needed = known.needed(candidate.pod)
        if needed.replicas is None:
            return None, needed.reason
    return estimated(candidate, wish, known)


def estimated(candidate: Candidate, wish: Wish, known: Pods) -> tuple[Judged | None, str | None]:
    """A candidate under its part of the load, or why it cannot run there."""
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
    return missed(judged.speed, wish, judged.candidate.replicas)
