"""What breaks when the workloads of a stack move to another release: the plan's own judgement under both contracts."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from l4serve.config.frozen import frozen
from l4serve.config.gathering import Step, gather_all, refuse_all
from l4serve.config.keys.workload import Workload
from l4serve.config.refusals.problems import ConfigError, Problem
from l4serve.config.stack_file import Stack
from l4serve.engines.migration import DefaultChange, changed_defaults, deprecated_options, metrics_gone
from l4serve.engines.releases.contract import Contract
from l4serve.engines.releases.replacements import Removal
from l4serve.engines.releases.resolution import ResolvedContract
from l4serve.engines.traits import Verdict
from l4serve.planning.stack.dashboard_definition import chart_metrics
from l4serve.planning.stack.stack_planner import Survey, survey
from l4serve.planning.values.lasting import lasting
from l4serve.planning.workload.drafting import Draft
from l4serve.planning.workload.judgement.alike import judge_alike
from l4serve.planning.workload.judgement.judging import Judgement
from l4serve.planning.workload.judgement.subject import Subject


@frozen()
class Watched:
    """A metric that the stack reads, under both contracts; None where the release does not show it."""

    use: str
    """autoscaling or dashboard."""
    what: str
    now: str | None
    then: str | None


@frozen(kw_only=True)
class Side:
    """One release's answer to a workload."""

    version: str
    contract: Contract
    judgement: Judgement
    beside: tuple[Problem, ...] = ()
    """What stops its plan and no judgement sees, such as a folder that its pods cannot write to; paths inside it."""
    notes: tuple[str, ...] = ()
    """What its pods would be allowed, where that is to be said."""

    @property
    def refusals(self) -> tuple[Problem, ...]:
        """Settings that cannot stay under the release, beside those that its rules and its memory refuse."""
        return (*self.judgement.flags_refused, *self.beside)

    @property
    def deprecated(self) -> tuple[str, ...]:
        """Options in use that the release announces the end of."""
        return deprecated_options(self.judgement.launch, self.contract)

    @property
    def breaks(self) -> bool:
        """Whether the workload would not be planned under the release."""
        return bool(self.judgement.refusals or self.beside)


@frozen(kw_only=True)
class Moved:
    """One workload under its own release and the one asked about."""

    name: str
    engine: str
    now: Side
    then: Side
    metrics_gone: tuple[Removal, ...]
    defaults_changed: tuple[DefaultChange, ...]
    watched: tuple[Watched, ...]
    notes: tuple[str, ...]

    @property
    def breaks(self) -> bool:
        """Whether the workload would not run, or not scale, after the move."""
        blind = any(metric.use == "autoscaling" and metric.then is None for metric in self.watched)
        return self.then.breaks or blind

    @property
    def new_verdicts(self) -> tuple[Verdict, ...]:
        """Rules that hold only after the move."""
        return _beyond(self.then, self.now)

    @property
    def settled_verdicts(self) -> tuple[Verdict, ...]:
        """Rules that hold only before the move."""
        return _beyond(self.now, self.then)


@lasting
def version_move(stack: Stack, target: ResolvedContract | None) -> tuple[Moved, ...]:
    """Every workload under its own release and under the target; without one, under its own alone.

    Workloads of another engine stay as they are. Raises ConfigError for a stack whose workloads cannot be judged, and
    for what is refused of its cluster and its nodes under whatever release.
    """
    found = survey(stack)
    refuse_all(_of_its_nodes(found))
    judged = zip(found.subjects, gather_all(found.subjects.values()), strict=True)
    return tuple(_moved(stack, target, name, subject, found) for name, subject in judged)


def _of_its_nodes(found: Survey) -> Iterator[Problem]:
    """What is refused of the nodes that the workloads would run on, whose move then breaks nothing that runs."""
    try:
        found.refuse_nodes()
    except ConfigError as error:
        yield from (problem for problem in error.problems if re.match(r"cluster\b|nodePools\b", problem.path))


def _moved(stack: Stack, target: ResolvedContract | None, name: str, now: Subject, found: Survey) -> Moved:
    kind = now.workload.engine.kind
    then = under(now, target) if target and target.contract.engine == kind else now
    before = _side(name, now, found.drafts[name])
    after = before if then is now else _side(name, then, partial(found.draft, name, then))
    return Moved(
        name=name,
        engine=kind,
        now=before,
        then=after,
        metrics_gone=metrics_gone(before.contract, after.contract) if after is not before else (),
        defaults_changed=_defaults_changed(before, after),
        watched=_watched(stack, now.workload, before.contract, after.contract),
        notes=_notes(now, then, before, after),
    )


def _defaults_changed(before: Side, after: Side) -> tuple[DefaultChange, ...]:
    if after is before:
        return ()
    return changed_defaults(before.judgement.launch, before.contract, after.contract)


def under(subject: Subject, target: ResolvedContract) -> Subject:
    """A subject as it would be under another release: the contract and image of its own are left behind."""
    version, engine = target.requested_version, subject.workload.engine
    left = {"contract": None} if version == engine.version else {"contract": None, "image": None}
    moved = engine.model_copy(update={"version": version, **left})
    return replace(subject, resolved=target, workload=subject.workload.model_copy(update={"engine": moved}))


def _side(name: str, subject: Subject, draft: Step[Draft]) -> Side:
    version, contract = subject.workload.engine.version, subject.resolved.contract
    side = Side(version=version, contract=contract, judgement=judge_alike(subject))
    try:
        return replace(side, notes=draft().access.guard.notes)
    except ConfigError as error:
        inside = _inside(f"workloads.{name}.", error.problems)
        return replace(side, beside=tuple(problem for problem in inside if problem not in side.judgement.refusals))


def _inside(path: str, problems: tuple[Problem, ...]) -> Iterator[Problem]:
    """The problems of a workload's own, with paths inside it: a fault of a pool or the cluster is none of a release."""
    own = (problem for problem in problems if problem.path.startswith(path))
    return (replace(problem, path=problem.path.removeprefix(path)) for problem in own)


def _beyond(one: Side, other: Side) -> tuple[Verdict, ...]:
    known = {verdict.rule_id for verdict in other.judgement.verdicts}
    return tuple(verdict for verdict in one.judgement.verdicts if verdict.rule_id not in known)


def _notes(now: Subject, then: Subject, before: Side, after: Side) -> tuple[str, ...]:
    image = now.workload.engine.image
    left = image is not None and then.workload.engine.image is None
    own = (now.resolved.note, then.resolved.note)
    behind = (f"engine.image {image} is left behind: the move takes the release's own image",) if left else ()
    sides = (*before.judgement.notes, *before.notes, *after.judgement.notes, *after.notes)
    return tuple(dict.fromkeys((*(note for note in own if note), *behind, *sides)))


def _watched(stack: Stack, workload: Workload, now: Contract, then: Contract) -> tuple[Watched, ...]:
    """The metrics that the autoscaler and the dashboard read, under both contracts."""
    watched = []
    if workload.autoscaling is not None:
        role = workload.autoscaling.metric
        before, after = now.autoscaling_metrics.get(role), then.autoscaling_metrics.get(role)
        watched.append(Watched("autoscaling", role, before, after))
    if stack.config.monitoring.dashboard:
        charts = chart_metrics(then)
        watched += [Watched("dashboard", title, name, charts.get(title)) for title, name in chart_metrics(now).items()]
    return tuple(watched)
