"""The one line that says what changes in all stacks, and the line of each."""

from __future__ import annotations

from collections.abc import Sequence

from l4serve.report.words import Doc, hardest_landing, planned_change


def summary(doc: Doc) -> str:
    """One line on the whole difference."""
    stacks = doc["stacks"]
    told = [stack_summary(stack) for stack in stacks if stack["verdict"] != "same"]
    if not told:
        reservation = f" But {'; '.join(doc['remarks'])}." if doc["remarks"] else ""
        return f"Nothing changes in {_count(len(stacks), 'stack')}.{reservation}"
    same = len(stacks) - len(told)
    rest = f"; {_count(same, 'stack')} unchanged" if same else ""
    some = told[:5] + ([f"{len(told) - 5} more"] if len(told) > 5 else [])
    return f"{'; '.join(some)}{rest}"


def stack_summary(stack: Doc) -> str:
    """One line on one stack."""
    if stack["verdict"] == "refused":
        return f"{stack['stack']} is refused: {_count(len(stack['refusals']), 'problem')}"
    landed = hardest_landing(stack)
    parts = [*_sides(stack), *_counts(stack["workloads"]), *([f"hardest: {landed}"] if landed != "nothing" else [])]
    if cost := planned_change(stack):
        parts.append(cost)
    if stack["danger"]:
        parts.append(_count(len(stack["danger"]), "danger"))
    return f"{stack['stack']}: {', '.join(parts)}"


def _sides(stack: Doc) -> list[str]:
    """What must be known of a stack that does not stand on both sides."""
    told = ["the stack goes"] if stack["cost"]["after"] is None else []
    if stack["baseRefusals"]:
        parts = [part for key in ("objects", "pools", "workloads") for part in stack[key]]
        unread = parts and all(part["change"] == "added" for part in parts)
        told.append("the base was refused" + (" unread, so all counts as added" if unread else ""))
    return told


def _counts(workloads: Sequence[Doc]) -> list[str]:
    changes = [workload["change"] for workload in workloads]
    told = ((changes.count(word), word) for word in ("changed", "added", "removed"))
    return [f"{_count(number, 'workload')} {word}" for number, word in told if number] or ["no workload changed"]


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s'[: number != 1]}"
