"""The search: every candidate judged as a plan judges it, its speed under the load, the front, and the winner."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from math import ceil, inf

from l4serve.advising.answer import Answer, Rejected
from l4serve.advising.budget import bought, over_budget, paid_replicas
from l4serve.advising.candidates import Candidate, Home, PodChoice, table
from l4serve.advising.known_pods import Pods
from l4serve.advising.load_share import share_of, times_of, together
from l4serve.advising.ranking import Judged, Wish, answer_ms, behind, describe, front_of, loser, rank, winner_of
from l4serve.advising.sizing import missed
from l4serve.planning.machines.allocatable import pod_capacity
from l4serve.planning.machines.boot_disks import DEFAULT_BOOT_DISK_GB
from l4serve.planning.memory.host import host_needs
from l4serve.planning.performance.unproven import warned
from l4serve.planning.values.edited import edited
from l4serve.planning.values.quantity import GIB
from l4serve.planning.workload.judgement.subject import Subject


def search(
    pods: Iterable[PodChoice], homes: Sequence[Home], wish: Wish, *, prune: bool = True, known: Pods | None = None
) -> Answer:
    """The best candidates for a wish.

    Pruned, a pod is judged and estimated once for all machines, and what the wish rules out by price or quality alone
    is not estimated. Without `prune` every candidate is, for itself, with the same answer. What another search for the
    wish has `known` of the same pods is not found again.
    """
    known = known or Pods(wish, remember=prune)
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
        reason = ruled_out(candidate, wish)
        if reason and prune:
            rejected.append(Rejected(candidate=candidate, reason=reason))
            continue
        found, why = _kept(candidate, wish, known)
        reason = reason or why or (_missed(found, wish) if found else None)
        if reason or found is None:
            rejected.append(Rejected(candidate=_as_judged(candidate, known), reason=reason or "not judged"))
        else:
            kept.append(found)
    kept, idle = _paid_least(kept)
    rivals = _rivals(pods, homes, kept, known)
    tried += len(rivals)
    kept, idle_rivals = _paid_least([*kept, *rivals])
    rejected += [*idle, *idle_rivals]
    winner = winner_of(kept, wish)
    front = tuple(front_of(kept, winner))
    best = {id(judged) for judged in front}
    lost = [(judged, loser(judged, front)) for judged in kept if id(judged) not in best]
    lost += [(judged, behind(judged, winner, wish)) for judged in front if judged is not winner]
    rejected += [Rejected(candidate=judged.candidate, reason=reason, compared=True) for judged, reason in lost]
    return Answer(winner=winner, front=front, rejected=tuple(rejected), tried=tried)


def _paid_least(kept: Iterable[Judged]) -> tuple[list[Judged], list[Rejected]]:
    """Those whose pods run nowhere for less money, and the others: by its part of a machine a card that is sold with
    many may be the cheapest, and the cards beside it idle."""
    same: dict[tuple[object, ...], list[Judged]] = {}
    for judged in kept:
        pod = judged.candidate.pod
        key = (pod.subject.layout, judged.candidate.replicas, judged.figures, *pod.edit.items())
        same.setdefault(key, []).append(judged)
    least: list[Judged] = []
    idle: list[Rejected] = []
    for alike in same.values():
        best = min(alike, key=_bill)
        for judged in alike:
            if _bill(judged) <= _bill(best):
                least.append(judged)
            else:
                reason = f"the same pods are paid less for: {describe(best.candidate)}"
                idle.append(Rejected(candidate=judged.candidate, reason=reason, compared=True))
    return least, idle


def _bill(judged: Judged) -> float:
    return judged.candidate.bill or 0.0


def _rivals(pods: Sequence[PodChoice], homes: Sequence[Home], kept: Sequence[Judged], known: Pods) -> list[Judged]:
    """Pods that are better than all that were kept, each with as many replicas as the money of the winner before it
    buys, or of the winner's own with a number between those that were tried.

    The fewest that keep a wish, and a few times as many, are more of a slow pod than of a fast one. Nobody waits less
    than one client alone, so for latency a pod that is slower even for that one is not tried.
    """
    found: list[Judged] = []
    if known.wish.load.rate is not None and known.wish.goal != "latency":
        return found
    while (better := _better(pods, homes, (*kept, *found), known)) is not None:
        found.append(better)
    return found


def _better(pods: Sequence[PodChoice], homes: Sequence[Home], kept: Sequence[Judged], known: Pods) -> Judged | None:
    """The best challenger of the winner, where it is better than all that were kept."""
    wish, winner = known.wish, winner_of(kept, known.wish)
    if winner is None:
        return None
    first = best = min(kept, key=partial(rank, wish))
    for candidate in _challengers(pods, homes, winner.candidate, known):
        pod = candidate.pod
        if ruled_out(candidate, wish) or (known.needed(pod).replicas or inf) >= candidate.replicas:
            continue
        settled, judgement, _ = known.settle(pod)
        assert judgement is not None, "only what runs has a size"
        soonest = known.alone(pod, settled, judgement).figures
        if known.remember and wish.goal == "latency" and answer_ms(soonest, wish) > rank(wish, best)[0]:
            continue
        found, _ = estimated(candidate, wish, known)
        if found is not None and _missed(found, wish) is None and rank(wish, found) < rank(wish, best):
            best = found
    return None if best is first else best


def _challengers(
    pods: Sequence[PodChoice], homes: Sequence[Home], winner: Candidate, known: Pods
) -> Iterator[Candidate]:
    """What the winner's money buys of every pod, and of its own also the numbers between: one replica more may have so
    few clients that its engine is quicker. For latency more are always better."""
    wish = known.wish
    for pod, home in places(pods, homes):
        one = Candidate(pod=pod, home=home, replicas=1)
        yield edited(one, replicas=_matching(pod, home, winner, wish))
        if wish.goal == "latency" or home != winner.home or _beneath(pod, wish) or known.settle(pod)[0] != winner.pod:
            continue
        fewest, (least, most) = known.needed(pod).replicas or 1, table()["quarters"]
        counts = sorted({_dealt(ceil(fewest * part / 4), home, wish) for part in range(least, most + 1)})
        yield from (edited(one, replicas=count) for count in counts)


def _matching(pod: PodChoice, home: Home, other: Candidate, wish: Wish) -> int:
    """Replicas of a pod that the money of another buys; without a price, those on as many cards."""
    one = Candidate(pod=pod, home=home, replicas=1)
    count = other.gpus // one.gpus if other.bill is None else bought(one, other.bill)
    return _dealt(other.gpus // one.gpus if count is None else count, home, wish)


def _dealt(count: int, home: Home, wish: Wish) -> int:
    """As many replicas as a home takes and a load fills: of clients, one less would leave some replica with more."""
    clients, count = wish.load.clients, int(min(count, home.most_replicas or inf))
    if clients is None:
        return count
    return ceil(clients / share) if count and (share := share_of(wish.load, count).clients) else 0


def places(pods: Iterable[PodChoice], homes: Sequence[Home]) -> Iterator[tuple[PodChoice, Home]]:
    """Every pod with every machine that has its cards."""
    for pod in pods:
        yield from ((pod, home) for home in homes if home.takes(pod.subject))


def _counts(pod: PodChoice, home: Home, known: Pods) -> Iterable[int]:
    """Replicas that are worth a try: the fewest that keep the wish, and for latency those that the budget pays; for
    clients that wait these always, a few times as many, and those that the workload has."""
    wish = known.wish
    one = Candidate(pod=pod, home=home, replicas=1)
    if ruled_out(one, wish):
        return [1]
    fewest = known.needed(pod).replicas
    most = home.most_replicas or inf
    if fewest is None:
        return [1]
    if wish.load.rate is not None:
        paid = paid_replicas(one, wish) or 0 if wish.goal == "latency" else 0
        return sorted({int(min(most, fewest)), int(min(most, max(fewest, paid)))})
    tried = (*(fewest * times for times in table()["replicas"]), paid_replicas(one, wish) or fewest)
    # Of other pods the replicas that a workload has would cost other money: they get what the best's buys.
    had = {int(min(home.configured or 1, most, wish.load.clients or 1))} if "gpus" not in pod.edit else set()
    return sorted({_dealt(count, home, wish) for count in tried} | had)


def _beneath(pod: PodChoice, wish: Wish) -> bool:
    order = table()["quality"]
    return bool(order.index(pod.quality) > order.index(wish.quality))


def ruled_out(candidate: Candidate, wish: Wish) -> str | None:
    """Why quality, price or number rule a candidate out, whatever its speed."""
    if _beneath(candidate.pod, wish):
        return f"quality {candidate.pod.quality} is below {wish.quality}"
    if candidate.home.most_replicas is not None and candidate.replicas > candidate.home.most_replicas:
        return f"{candidate.replicas} replicas are more than {candidate.home.most_replicas}"
    return over_budget(candidate, wish)


def _kept(candidate: Candidate, wish: Wish, known: Pods) -> tuple[Judged | None, str | None]:
    """The candidate judged, or why it is no answer."""
    if not _beneath(candidate.pod, wish):
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
    if told := warned(verdict.rule_id for verdict in judgement.verdicts):
        return None, told
    load = share_of(wish.load, candidate.replicas)
    speed = known.speed(pod, judgement, id(candidate.pod), load)
    if not speed.judged:
        return None, "; ".join(speed.not_judged)
    settled = edited(candidate, pod=pod)
    times = times_of(wish.load, candidate.replicas)
    figures = together(speed.figures, times)
    return Judged(candidate=settled, judgement=judgement, speed=speed, times=times, figures=figures), None


def _as_judged(candidate: Candidate, known: Pods) -> Candidate:
    """The candidate with the context that its reason is of; one that cannot run is as it was asked."""
    pod, _, reason = known.settle(candidate.pod)
    return candidate if reason else edited(candidate, pod=pod)


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
