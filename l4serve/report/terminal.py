"""A difference as lines of text: danger first, then workloads, machines, money, and the edits behind them."""

from __future__ import annotations

from collections.abc import Iterator

from l4serve.config.words.characters import visible
from l4serve.report.shown_values import shown_edit
from l4serve.report.summaries import summary
from l4serve.report.words import (
    Doc,
    Pair,
    change_pairs,
    changed,
    cost_pairs,
    flag_lines,
    landing,
    located,
    pool_pairs,
    workload_pairs,
)


def terminal_text(doc: Doc) -> str:
    """The whole difference; one line where nothing changes. No value of a stack file makes a line of its own."""
    lines = [summary(doc)]
    for stack in doc["stacks"]:
        lines += [
            f"DANGER in {stack['stack']}: {each['kind']}: {each['path']}: {each['text']}" for each in stack["danger"]
        ]
    for stack in doc["stacks"]:
        if stack["verdict"] != "same":
            lines += ["", *_stack(stack)]
    if len(lines) > 1:
        lines += ["", f"compared with {doc['base']}", *(f"note: {remark}" for remark in doc["remarks"])]
    return "\n".join(map(visible, lines))


def _stack(stack: Doc) -> Iterator[str]:
    yield f"{stack['stack']}: {stack['verdict']}"
    for problem in stack["refusals"]:
        yield f"  refused: {located(problem)}: {problem['text']}"
        if problem["fix"]:
            yield f"    fix: {problem['fix']}"
    for problem in stack["baseRefusals"]:
        yield f"  the base was refused: {located(problem)}: {problem['text']}"
    for workload in changed(stack["workloads"]):
        yield from _workload(workload)
    for pool in changed(stack["pools"]):
        yield f"  pool {pool['name']}: {landing(pool)}"
        yield from _told(pool_pairs(pool))
        yield from _told(change_pairs(pool))
    for each in stack["objects"]:
        yield f"  {each['kind']} {each['name']}: {landing(each)}"
        yield from _told(change_pairs(each))
    yield from _told(cost_pairs(stack), indent="  ")
    yield from _edits(stack)


def _workload(workload: Doc) -> Iterator[str]:
    yield f"  workload {workload['name']}: {landing(workload)}"
    if workload["change"] == "changed":
        noticed = "downtime" if workload["downtime"]["expected"] else "no downtime"
        yield f"    {noticed}: {workload['downtime']['why']}"
    yield from _told(workload_pairs(workload))
    if workload["change"] == "changed":
        yield from (f"    {sign} {text}" for sign, text in flag_lines(workload))
        yield from _told(change_pairs(workload))


def _told(pairs: list[Pair], indent: str = "    ") -> Iterator[str]:
    """The pairs that differ; of a part that comes or goes, those that say anything."""
    return (f"{indent}{pair.label}: {pair.text}" for pair in pairs if pair.told)


def _edits(stack: Doc) -> Iterator[str]:
    for edit in stack["edits"]:
        yield f"  edit {edit['path']}: {shown_edit(edit['before'])} -> {shown_edit(edit['after'])}"
    for note in stack["notes"]["added"]:
        yield f"  new note: {note['path']}: {note['text']}"
