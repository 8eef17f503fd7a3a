"""Advice on a workload of a stack: what its own place could run, and the edit of its file that the whole plan takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from l4serve.advising.answer import Answer, Rejected, Unhoused, no_answer, ranked
from l4serve.advising.budget import whole_edit
from l4serve.advising.candidates import Candidate, Home, Makes, pod_choices, table
from l4serve.advising.homes import homes_of
from l4serve.advising.known_pods import Pods
from l4serve.advising.ranking import Judged, Wish, rank
from l4serve.advising.search import search
from l4serve.advising.sizing import size
from l4serve.advising.trial import Planner, edit_path
from l4serve.config.frozen import frozen
from l4serve.config.reading.yaml_edits import with_values
from l4serve.config.refusals.problems import ConfigError
from l4serve.planning.machines.shapes import MachineShape
from l4serve.planning.values.edited import edited
from l4serve.planning.workload.judgement.subject import Subject
from l4serve.planning.workload.workload_plan import WorkloadPlan

REFUSED = "the stack refuses it: "
UNPLANNED = "ask for its model and card with --model and --gpu"


@frozen(kw_only=True)
class Written:
    """A stack file's text with the winner's edit, and the answer by which it won."""

    text: str
    answer: Answer


def stack_homes(workload: WorkloadPlan) -> tuple[Home, ...]:
    """The machines that a workload may get: the one that it is planned on, of a compute class the smallest and at the
    price of the dearest; where machines are made for pods, each that may be made. None where nobody plans them."""
    prospect = workload.prospect
    shape, price = prospect.machine, prospect.price
    if shape is None:
        return ()
    usd = None if price is None else price.usd_per_hour * prospect.share * shape.gpus / workload.layout.gpus
    scaled = workload.scale.autoscaling
    home = Home(
        shape=shape,
        usd_per_hour=usd,
        most_replicas=scaled.max_replicas if scaled else None,
        price_date=price.date if price else None,
        configured=workload.scale.replicas,
        autoscaled=(scaled.min_replicas, scaled.max_replicas) if scaled else None,
        shared=True,
    )
    if prospect.made is None:
        return (home,)
    made = _remembered(prospect.made)
    return tuple(
        replace(
            one, most_replicas=home.most_replicas, configured=home.configured, autoscaled=home.autoscaled, made=made
        )
        for one in homes_of(shape.accelerator, "on-demand", prospect.region)
    )


def _remembered(made: Makes) -> Makes:
    """The same, which plans each pod once."""
    known: dict[int, tuple[Subject, MachineShape | None]] = {}

    def remembered(subject: Subject) -> MachineShape | None:
        if id(subject) not in known:
            known[id(subject)] = subject, made(subject)
        return known[id(subject)][1]

    return remembered


class Advisor:
    """Searches what a workload could be on the machine that it has; what one search found the next one knows."""

    def __init__(self, workload: WorkloadPlan, wish: Wish) -> None:
        self.workload, self.wish, self.homes = workload, wish, stack_homes(workload)
        self.known = Pods(wish, remember=True)
        machines = {home.shape.gpus for home in self.homes}
        cards = tuple(count for count in table()["tensorParallel"] if any(not gpus % count for gpus in machines))
        self.pods = tuple(pod_choices(replace(workload.prospect.subject, gpu_counts=cards), cards))

    def best(self, most_replicas: int | None = None) -> Answer:
        """The best with no more replicas than these."""
        if not self.homes:
            reason = f"{self.workload.name} runs on nodes whose machine type nobody plans: {UNPLANNED}"
            return no_answer(Unhoused(accelerator=self.workload.prospect.subject.card.name, reason=reason))
        homes = self.homes
        if most_replicas is not None:
            homes = tuple(replace(h, most_replicas=min(h.most_replicas or most_replicas, most_replicas)) for h in homes)
        return search(self.pods, homes, self.wish, known=self.known)


def write_advice(text: str, workload: WorkloadPlan, wish: Wish, planner: Planner) -> Written:
    """The file's text with the best edit that the plan of the whole stack takes, with its estimate as advised.

    An edit that the stack's other parts refuse (room on the pools, rules of the cluster) loses, and the next is tried.
    Where more replicas lost than those that are taken, the counts between are halved for what the stack has room for.
    """
    refused: list[Rejected] = []
    advisor, draft = Advisor(workload, wish), _Draft(text=text, workload=workload, wish=wish, planner=planner)
    answer = advisor.best()
    order = ranked(answer, wish)
    best, high = _taken(draft, order, refused)
    first = tuple(refused)
    low = best[0].candidate.replicas if best else 0
    while high - low > 1:
        middle = (low + high) // 2
        fewer = advisor.best(middle)
        found, above = _taken(draft, ranked(fewer, wish), refused)
        if found is not None and (best is None or rank(wish, found[0]) < rank(wish, best[0])):
            best, answer = found, fewer
        low, high = (low, above) if above else (middle, high)
        low = max(low, best[0].candidate.replicas if best else 0)
    lost = {_key(each.candidate) for each in refused}
    rejected = (*(each for each in answer.rejected if _key(each.candidate) not in lost), *refused)
    if best is None:
        return Written(text=text, answer=replace(answer, winner=None, front=(), rejected=rejected, refused=first))
    winner, written = _scaled(draft, *best)
    front = tuple(
        winner if judged is best[0] else judged for judged in answer.front if _key(judged.candidate) not in lost
    )
    ahead = {_key(judged.candidate) for judged in order if rank(wish, judged) < rank(wish, best[0])}
    better = tuple(each for each in first if _key(each.candidate) in ahead)
    kept = tuple(each for each in rejected if _key(each.candidate) != _key(best[0].candidate))
    return Written(text=written, answer=replace(answer, winner=winner, front=front, rejected=kept, refused=better))


@frozen(kw_only=True)
class _Draft:
    """A stack file's text that may get an edit of a workload, and who plans it."""

    text: str
    workload: WorkloadPlan
    wish: Wish
    planner: Planner


def _scaled(draft: _Draft, judged: Judged, text: str) -> tuple[Judged, str]:
    """The same with the target by which the workload's own autoscaler acts in time, where its plan takes that."""
    scaling, sizing = draft.workload.scale.autoscaling, size(judged, draft.wish) if draft.wish.load.rate else None
    if scaling is None or sizing is None:
        return judged, text
    target = {"queue": sizing.queue_target, "running": sizing.running_target}.get(scaling.role)
    if target is None or str(target) == scaling.target:
        return judged, text
    pod = edited(judged.candidate.pod, edit={**judged.candidate.pod.edit, "autoscaling.target": target})
    scaled = edited(judged, candidate=edited(judged.candidate, pod=pod))
    _, written = _planned(draft, scaled)
    return (judged, text) if written is None else (scaled, written)


def _key(candidate: Candidate) -> tuple[str, int]:
    """What tells the candidates of one workload on one machine apart."""
    return repr(sorted(candidate.pod.edit.items())), candidate.replicas


def _taken(draft: _Draft, judged: Sequence[Judged], refused: list[Rejected]) -> tuple[tuple[Judged, str] | None, int]:
    """The first that the plan takes, with the edited text, and the fewest replicas above its own that were refused
    before it: 0 where none were, and where all are refused the most of them."""
    counts: list[int] = []
    for each in judged:
        known = next((one for one in refused if _key(one.candidate) == _key(each.candidate)), None)
        room = known or min((one for one in refused if _crowds(one, each.candidate)), key=_replicas, default=None)
        reason, text = _planned(draft, each) if room is None else (_too_many(room), None)
        if text is not None:
            return (each, text), min((count for count in counts if count > each.candidate.replicas), default=0)
        if known is None:
            refused.append(Rejected(candidate=each.candidate, reason=reason))
        counts.append(each.candidate.replicas)
    return None, max(counts, default=0)


def _crowds(lost: Rejected, more: Candidate) -> bool:
    """Whether a stack that had no room for one has none for another: as many cards a replica, and no fewer replicas."""
    if not lost.reason.startswith(REFUSED) or ".maxNodes:" not in lost.reason:
        return False
    fewer = lost.candidate
    return more.replicas >= fewer.replicas and more.gpus * fewer.replicas == fewer.gpus * more.replicas


def _replicas(lost: Rejected) -> int:
    return lost.candidate.replicas


def _too_many(lost: Rejected) -> str:
    reason = lost.reason.removeprefix(REFUSED)
    return f"the stack has no room for {lost.candidate.replicas} such replicas: {reason}"


def _planned(draft: _Draft, judged: Judged) -> tuple[str, str | None]:
    workload = draft.workload
    edit = whole_edit(judged.candidate, draft.wish)
    try:
        text = with_values(draft.text, {edit_path(workload.name, key): value for key, value in edit.items()})
        plan = draft.planner(text)
    except (ConfigError, ValueError) as error:
        return f"{REFUSED}{str(error).splitlines()[0]}", None
    after = next(w for w in plan.workloads if w.name == workload.name)
    if after.prospect.subject.options != judged.candidate.pod.subject.options:
        return "the stack plans it with other settings than were advised", None
    machine, advised = after.prospect.machine, judged.candidate.home.shape
    if machine != advised:
        return f"the stack plans it on {machine.name if machine else 'another machine'}, not on {advised.name}", None
    return "", text
