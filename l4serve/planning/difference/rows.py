"""Compares two plans row by row: what differs, what it is called, and how it lands. Data: data/rows.yaml."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import Any, Literal

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.config.secrecy.secret_names import HIDDEN
from l4serve.planning.stack.edits import Effect
from l4serve.planning.workload.workload_plan import WorkloadPlan

Kind = Literal["workload", "pool", "cluster", "class", "namespace", "token", "gateway", "dashboard"]
ANOTHER = "[hidden, another one]"


@frozen()
class Row:
    """One attribute of a plan that reaches a resource."""

    path: str
    """From a root such as `workload`, through attributes."""
    says: str
    lands: Effect
    existing: Effect | None
    """How it lands on a cluster that the stack did not make, where that differs."""
    grows: bool
    """Whether it lands harder where the new address range does not hold the old one."""
    hidden: bool


@frozen()
class Line:
    """One difference: what it is called, its two values, and how it lands."""

    path: str
    says: str
    before: Any
    after: Any
    lands: Effect


@cache
def rows(kind: Kind) -> tuple[Row, ...]:
    """The rows of one kind of part, the hardest first."""
    return tuple(
        Row(
            path=row["path"],
            says=row["says"],
            lands=_effect(row["lands"]),
            existing=_effect(row["existing"]) if "existing" in row else None,
            grows=row.get("grows", False),
            hidden=row.get("hidden", False),
        )
        for row in load_data(__file__, "rows.yaml")[kind]
    )


def compared(kind: Kind, before: Mapping[str, Any], after: Mapping[str, Any], *, existing: bool) -> tuple[Line, ...]:
    """The rows of a part whose values differ; `before` and `after` are the roots that the paths start from."""
    lines = []
    for row in rows(kind):
        old, new = _value(before, row.path), _value(after, row.path)
        if old == new:
            continue
        lands = row.existing if existing and row.existing is not None else row.lands
        if row.grows and not _holds(new, old):
            lands = Effect.CLUSTER_REPLACED
        old, new = (HIDDEN, ANOTHER) if row.hidden else (old, new)
        lines.append(Line(row.path, row.says, old, new, lands))
    return tuple(lines)


def workload_roots(plan: WorkloadPlan) -> Mapping[str, Any]:
    """What the paths of a workload's rows start from."""
    return {"workload": plan, "resources": plan.resources.as_kubernetes()}


def pods_mark(plan: WorkloadPlan) -> str:
    """A short text that is another one whenever the pods of a workload restart."""
    roots = workload_roots(plan)
    told = [repr(_value(roots, row.path)) for row in rows("workload") if row.lands is Effect.POD_RESTART]
    return sha256("\n".join(told).encode()).hexdigest()[:16]


def hardest(lines: tuple[Line, ...]) -> Effect:
    """The hardest effect of some lines; NOTHING where there are none."""
    return max((line.lands for line in lines), default=Effect.NOTHING)


def _value(roots: Mapping[str, Any], path: str) -> Any:
    first, *steps = _steps(path)
    value = roots.get(first)
    for step in steps:
        if value is None:
            return None
        value = value[step] if _is_mapping(type(value)) else getattr(value, step)  # type: ignore[arg-type]
    return value


@cache
def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


@cache
def _is_mapping(kind: type) -> bool:
    """Whether values of a type have keys: a difference of large stacks asks it of a million values of few types."""
    return issubclass(kind, Mapping)


def _holds(new: Any, old: Any) -> bool:
    """Whether an address range holds another; one that is not stated holds none and is in none."""
    if new is None or old is None:
        return False
    ours, theirs = ipaddress.ip_network(new, strict=False), ipaddress.ip_network(old, strict=False)
    return ours.version == theirs.version and ours.supernet_of(theirs)  # type: ignore[arg-type]


def _effect(text: str) -> Effect:
    return Effect[text.upper().replace(" ", "_")]
