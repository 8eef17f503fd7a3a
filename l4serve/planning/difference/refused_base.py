"""What can be compared where the base of a stack is refused: the edits of its file, and what they do by their table.

Such a base has figures for no more than the parts that plan without what is refused. For the others the table of edits
says how the update lands, and the figures are those of the new side alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from l4serve.config.frozen import frozen
from l4serve.planning.difference.config_edits import edits_between
from l4serve.planning.difference.dangers import danger_of_gone
from l4serve.planning.difference.differ import diff_plans
from l4serve.planning.difference.flags import FlagChanges
from l4serve.planning.difference.interruption import interruption
from l4serve.planning.difference.stack_diff import ConfigEdit, Danger, Interruption, Part, StackDiff, WorkloadPart
from l4serve.planning.stack.edits import Effect
from l4serve.planning.stack.stack_plan import StackPlan

_ROOTS: Mapping[str, tuple[str, ...]] = {
    "cluster": ("cluster",),
    "namespace": ("namespace", "createNamespace"),
    "token": ("huggingFace",),
    "gateway": ("expose",),
    "dashboard": ("monitoring.dashboard",),
}
"""Where the config of a part stands that a stack has once."""
_MAPS = {"workload": "workloads", "pool": "nodePools", "class": "computeClasses"}
_BENEATH = ("cluster", "namespace")
_NO_FLAGS = FlagChanges({}, {}, {})


@frozen()
class RefusedBase:
    """A base that is refused, as far as it can be read."""

    serving: Mapping[str, Any]
    """Its serving object, in the form of the new side's that it is compared with."""
    hidden: tuple[str, ...] | None = ()
    """Paths where a text may be the secret for which the base is refused; None where any may be."""
    plan: StackPlan | None = None
    """The plan of its other parts, where all that is refused is some workloads."""

    def hides(self, path: str) -> bool:
        """Whether a text at a config path is better not shown."""
        return self.hidden is None or any(_holds(path, other) or _holds(other, path) for other in self.hidden)


def diff_from_refused(name: str, base: RefusedBase, new: StackPlan, serving: Mapping[str, Any]) -> StackDiff:
    """The difference of a stack whose base is refused; `serving` is the new side as its file or its config has it."""
    diff = diff_plans(name, base.plan, new)
    existing = new.cluster.managed is None
    edits = edits_between(base.serving, serving, existing=existing, hides=base.hides)
    edits = tuple(edit for edit in edits if edit.effect is not None)
    beneath = max((_hardest(_below(edits, _ROOTS[kind])) for kind in _BENEATH), default=Effect.NOTHING)
    beneath = beneath if beneath in (Effect.WORKLOAD_REPLACED, Effect.CLUSTER_REPLACED) else Effect.NOTHING
    workloads = tuple(_workload(part, base.serving, edits, beneath, new) for part in diff.workloads)
    pools = tuple(_pool(part, base.serving, edits, beneath) for part in diff.pools)
    others = (_known(part, base.serving, edits) for part in diff.others)
    dangers = [danger for danger in diff.dangers if base.plan or _is_edited(danger, edits)]
    return replace(
        diff,
        verdict="changed",
        before=None,
        dangers=(*_replaced(pools, workloads, edits, base), *dangers),
        edits=edits,
        workloads=(*workloads, *_gone(base.serving, new, {workload.name for workload in workloads})),
        pools=pools,
        others=tuple(part for part in others if part.change != "same"),
    )


def gone_from_refused(name: str) -> StackDiff:
    """The difference where the file of a refused stack goes."""
    return StackDiff(stack=name, verdict="changed", before=None, after=None, dangers=(danger_of_gone(name),))


def _below(edits: Sequence[ConfigEdit], roots: Sequence[str]) -> tuple[ConfigEdit, ...]:
    return tuple(edit for edit in edits if any(_holds(root, edit.path) for root in roots))


def _holds(outer: str, path: str) -> bool:
    return path == outer or path.startswith((f"{outer}.", f"{outer}["))


def _hardest(edits: Sequence[ConfigEdit]) -> Effect:
    return max((edit.effect or Effect.NOTHING for edit in edits), default=Effect.NOTHING)


def _entries(serving: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = serving.get(key)
    return found if isinstance(found, Mapping) else {}


def _roots(part: Part, serving: Mapping[str, Any]) -> tuple[str, ...]:
    """Where the base's file has a part; nowhere where it does not have it."""
    if part.kind in _ROOTS:
        return _ROOTS[part.kind]
    key = _MAPS[part.kind]
    return (f"{key}.{part.name}",) if part.name in _entries(serving, key) else ()


def _known(part: Part, serving: Mapping[str, Any], edits: Sequence[ConfigEdit]) -> Part:
    """A part that has no plan on the older side, judged by the edits of its config where the base's file has it."""
    roots = _roots(part, serving)
    if part.change != "added" or not roots:
        return part
    lands = _hardest(_below(edits, roots))
    return replace(part, change="changed" if _below(edits, roots) else "same", lands=lands)


def _pool(part: Part, serving: Mapping[str, Any], edits: Sequence[ConfigEdit], beneath: Effect) -> Part:
    known = _known(part, serving, edits)
    if known is part or beneath is not Effect.CLUSTER_REPLACED:
        return known
    return replace(known, change="changed", lands=beneath)


def _workload(
    part: WorkloadPart, serving: Mapping[str, Any], edits: Sequence[ConfigEdit], beneath: Effect, new: StackPlan
) -> WorkloadPart:
    known = _known(part, serving, edits)
    if known is part or known.lands is None or not isinstance(known, WorkloadPart):
        return part
    lands = max(known.lands, beneath)
    plan = next(workload for workload in new.workloads if workload.name == part.name)
    noticed = interruption(plan, plan, lands, Effect.NOTHING)
    if lands is Effect.WORKLOAD_REPLACED:
        noticed = Interruption(True, "its objects are made anew")
    change = "changed" if lands > Effect.NOTHING else known.change
    return replace(known, change=change, lands=lands, flags=_NO_FLAGS, interruption=noticed)


def _gone(serving: Mapping[str, Any], new: StackPlan, told: Collection[str]) -> Iterator[WorkloadPart]:
    """Workloads of the base's file that the new side has no more, beside those that are told of."""
    kept = {workload.object_name for workload in new.workloads}
    for name in _entries(serving, "workloads"):
        if name not in kept and name not in told:
            yield WorkloadPart(
                kind="workload", name=name, change="removed", lands=None, lines=(), before=None, after=None,
                flags=_NO_FLAGS, interruption=Interruption(True, "it is deleted"),
            )  # fmt: skip


def _is_edited(danger: Danger, edits: Sequence[ConfigEdit]) -> bool:
    """Whether a danger that a new stack would have is one of this edit; what memory is like is no matter of a path."""
    return danger.kind in ("uncertain", "does not fit") or bool(_below(edits, (danger.path,)))


def _replaced(
    pools: Sequence[Part], workloads: Sequence[WorkloadPart], edits: Sequence[ConfigEdit], base: RefusedBase
) -> Iterator[Danger]:
    """What the edits replace, lift or take away, by their table alone; a base with a plan has told its own."""
    if base.plan is None:
        cluster = _below(edits, _ROOTS["cluster"])
        if _hardest(cluster) is Effect.CLUSTER_REPLACED:
            yield Danger("cluster replaced", "cluster", f"the cluster is replaced: {_paths(cluster)}")
        for pool in pools:
            if pool.lands is Effect.POOL_REPLACED:
                path = f"nodePools.{pool.name}"
                yield Danger("pool replaced", path, f"pool {pool.name} is replaced: {_paths(_below(edits, (path,)))}")
        for name in _entries(base.serving, "nodePools"):
            if name not in {pool.name for pool in pools}:
                yield Danger("pool removed", f"nodePools.{name}", f"pool {name} is deleted, and its nodes are drained")
        for edit in edits:
            if edit.before is True and edit.path.endswith((".protect", ".deletionProtection")) and not edit.after:
                yield Danger("protection lifted", edit.path, "what it protected may be deleted or replaced")
    planned = {workload.name for workload in base.plan.workloads} if base.plan else set()
    names = {workload.name for workload in workloads}
    for workload in workloads:
        if workload.name not in planned and workload.lands is Effect.WORKLOAD_REPLACED:
            path = f"workloads.{workload.name}"
            yield Danger("workload replaced", path, f"{workload.name} is replaced: {workload.interruption.why}")
    for name in _entries(base.serving, "workloads"):
        if name not in planned and name not in names:
            path = f"workloads.{name}"
            yield Danger("workload removed", path, f"{name} is deleted, and nothing answers at its address")


def _paths(edits: Sequence[ConfigEdit]) -> str:
    worst = _hardest(edits)
    return ", ".join(edit.path for edit in edits if edit.effect is worst)
