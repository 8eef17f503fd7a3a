"""The difference between two plans of a stack: frozen values, and nothing that makes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from l4serve.config.frozen import frozen
from l4serve.planning.difference.flags import FlagChanges
from l4serve.planning.difference.rows import Line
from l4serve.planning.stack.edits import Effect
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.values.note import Note

Change = Literal["added", "removed", "changed", "same"]
Verdict = Literal["same", "changed", "refused"]
Facts = Mapping[str, Any]
_GOES: Mapping[str, Effect] = {
    "workload": Effect.WORKLOAD_REPLACED,
    "namespace": Effect.WORKLOAD_REPLACED,
    "pool": Effect.POOL_REPLACED,
    "cluster": Effect.CLUSTER_REPLACED,
}
"""How hard it weighs that a part goes, by its kind: as hard as its replacement. Others stand beside the pods."""


@frozen()
class Danger:
    """Something that a reviewer must not overlook."""

    kind: str
    path: str
    text: str


@frozen()
class Interruption:
    """Whether people who are served notice the update, and why."""

    expected: bool
    why: str


@frozen(kw_only=True)
class Part:
    """One part of a stack on both sides."""

    kind: str
    name: str
    change: Change
    lands: Effect | None
    """None for a part that is added or removed."""
    lines: tuple[Line, ...]
    before: Facts | None
    after: Facts | None

    @property
    def weight(self) -> Effect:
        """How hard the part lands; one that comes is in place, and one that goes weighs what replacing it does."""
        if self.lands is not None:
            return self.lands
        return _GOES.get(self.kind, Effect.IN_PLACE) if self.change == "removed" else Effect.IN_PLACE


@frozen(kw_only=True)
class WorkloadPart(Part):
    """A workload on both sides."""

    flags: FlagChanges
    interruption: Interruption


@frozen()
class ConfigEdit:
    """A config path whose value differs, and what the table of edits says of it."""

    path: str
    before: Any
    after: Any
    effect: Effect | None


@frozen()
class Refused:
    """One reason why a side cannot work."""

    path: str
    message: str
    remedy: str
    place: str = ""
    """File and line, such as `Pulumi.dev.yaml:12`."""


@frozen(kw_only=True)
class StackDiff:
    """What changes from one plan of a stack to the next."""

    stack: str
    verdict: Verdict
    before: StackPlan | None
    """None where the stack is new, or was refused before."""
    after: StackPlan | None
    """None where the stack is gone, or is refused now."""
    refusals: tuple[Refused, ...] = ()
    refused_before: tuple[Refused, ...] = ()
    dangers: tuple[Danger, ...] = ()
    edits: tuple[ConfigEdit, ...] = ()
    workloads: tuple[WorkloadPart, ...] = ()
    pools: tuple[Part, ...] = ()
    others: tuple[Part, ...] = ()
    """The cluster, compute classes, namespace, token and dashboard, where they differ."""
    notes_added: tuple[Note, ...] = ()
    notes_gone: tuple[Note, ...] = ()

    @property
    def parts(self) -> tuple[Part, ...]:
        """Every part, the cluster first."""
        return (*self.others, *self.pools, *self.workloads)
