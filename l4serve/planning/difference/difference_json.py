"""A difference as plain JSON values: the stable interface of `l4serve diff --json`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from pydantic import BaseModel

from l4serve.planning.difference.facts import packing_facts, spot_share, stranded
from l4serve.planning.difference.rows import Line
from l4serve.planning.difference.stack_diff import Part, Refused, StackDiff, WorkloadPart
from l4serve.planning.stack.plan_json import levels_json
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.values.note import Note

SCHEMA_VERSION = 1


def difference_json(base: str, diffs: Sequence[StackDiff], remarks: Sequence[str] = ()) -> dict[str, Any]:
    """The differences of stacks to a base, in their order."""
    stacks = [stack_diff_json(diff) for diff in diffs]
    return {"schemaVersion": SCHEMA_VERSION, "base": base, "remarks": list(remarks), "stacks": stacks}


def stack_diff_json(diff: StackDiff) -> dict[str, Any]:
    """The difference of one stack."""
    return {
        "stack": diff.stack,
        "verdict": diff.verdict,
        "danger": [{"kind": each.kind, "path": each.path, "text": each.text} for each in diff.dangers],
        "cost": {"before": _cost(diff.before), "after": _cost(diff.after)},
        "workloads": [_workload(part) for part in diff.workloads],
        "pools": [_part(part) for part in diff.pools],
        "objects": [{"kind": part.kind, **_part(part)} for part in diff.others],
        "edits": [
            {
                "path": edit.path,
                "before": plain(edit.before),
                "after": plain(edit.after),
                "lands": edit.effect.text if edit.effect is not None else None,
            }
            for edit in diff.edits
        ],
        "notes": {"added": _notes(diff.notes_added), "removed": _notes(diff.notes_gone)},
        "packing": {"before": _packing(diff.before), "after": _packing(diff.after)},
        "refusals": _refused(diff.refusals),
        "baseRefusals": _refused(diff.refused_before),
    }


def _cost(plan: StackPlan | None) -> dict[str, Any] | None:
    if plan is None:
        return None
    shares = {"spotShare": spot_share(plan), "gpusStranded": stranded(plan), "unknown": list(plan.cost.unknown)}
    return {**levels_json(plan.cost), **shares, "priceDates": list(plan.cost.price_dates)}


def _packing(plan: StackPlan | None) -> dict[str, Any] | None:
    return None if plan is None else packing_facts(plan)


def _part(part: Part) -> dict[str, Any]:
    return {
        "name": part.name,
        "change": part.change,
        "lands": None if part.lands is None else part.lands.text,
        "before": plain(part.before),
        "after": plain(part.after),
        "changes": [_line(line) for line in part.lines],
    }


def _workload(part: WorkloadPart) -> dict[str, Any]:
    flags = part.flags
    return {
        **_part(part),
        "flags": {
            "added": plain(flags.added),
            "removed": plain(flags.removed),
            "changed": {flag: plain(values) for flag, values in flags.changed.items()},
        },
        "downtime": {"expected": part.interruption.expected, "why": part.interruption.why},
    }


def _line(line: Line) -> dict[str, Any]:
    return {"what": line.says, "before": plain(line.before), "after": plain(line.after), "lands": line.lands.text}


def _notes(notes: Iterable[Note]) -> list[dict[str, str]]:
    return [{"path": note.path, "text": note.text} for note in notes]


def _refused(problems: Iterable[Refused]) -> list[dict[str, str]]:
    return [{"path": each.path, "text": each.message, "fix": each.remedy, "place": each.place} for each in problems]


def plain(value: Any) -> Any:
    """A value of a plan as JSON: dataclasses and models as objects, sequences as lists."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    return value
