"""A difference as one comment on a change: Markdown of bounded length, in which nothing from a file acts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from l4serve.config.words.characters import RUNNER_COMMAND, visible
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

MARK = "<!-- l4serve-diff -->"
"""The hidden first line by which the comment of an earlier run is found and replaced."""
LIMIT = 65_536
"""Characters that a comment may have, on GitHub and below GitLab's million."""
_ROOM_FOR_THE_CUT = 300
_ACTING = re.compile(r"([\\`*_{}\[\]<>()#+!|~@&$]|:(?=[\w+-]+:))")
_CALLING = re.compile(r"(?<!\w)(@[A-Za-z0-9][\w/-]*|(?:[\w-]+/[\w.-]+)?#\d+|GH-\d+)")
_TABLE = ("| stack | workload | lands | context | KV cache | USD/h planned |", "|---|---|---|---|---|---|")


def comment(doc: Doc, limit: int = LIMIT) -> str:
    """The comment: the mark, one line, a table of what changed, details folded; cut with a count at the limit."""
    head = [MARK, f"**l4serve diff**: {_text(summary(doc))}", ""]
    stacks = [stack for stack in doc["stacks"] if stack["verdict"] != "same"]
    if not stacks:
        return "\n".join(head) + "\n"
    share = (limit - _ROOM_FOR_THE_CUT) // 4
    head += _within([line for stack in stacks for line in _dangers(stack)], share, "dangers")
    rows = [_row(stack, part) for stack in stacks for part in changed(stack["workloads"])]
    if rows:
        head += [*_TABLE, *_within(rows, share, "changed workloads"), ""]
    remarks = [f"- {_text(remark)}" for remark in doc["remarks"]]
    tail = [f"Compared with {_code(doc['base'])}.", *_within(remarks, share // 4, "remarks")]
    left, kept = limit - _ROOM_FOR_THE_CUT - sum(len(line) + 1 for line in (*head, *tail)), []
    details = [block for stack in stacks for block in _details(stack)]
    for block in details:
        if len(block) < left:
            kept.append(block)
            left -= len(block) + 1
    missing = len(details) - len(kept)
    cut = [f"_{missing} more sections are left out here; `l4serve diff` prints them all._"] if missing else []
    return "\n".join([*head, *kept, *tail, *cut]) + "\n"


def _within(lines: list[str], room: int, what: str) -> list[str]:
    """As many of the lines as the room holds, and how many are left out."""
    kept: list[str] = []
    for line in lines:
        if len(line) + 1 > room:
            break
        kept.append(line)
        room -= len(line) + 1
    missing = len([line for line in lines[len(kept) :] if line])
    return [*kept, "", f"_{missing} more {what}._"] if missing else kept


def _dangers(stack: Doc) -> Iterator[str]:
    for problem in stack["refusals"]:
        fix = f" Fix: {_text(problem['fix'])}" if problem["fix"] else ""
        told = f"{_code(located(problem))}: {_text(problem['text'])}{fix}"
        yield f"- :no_entry: {_code(stack['stack'])} **refused** {told}"
    for danger in stack["danger"]:
        told = f"{_code(danger['path'])}: {_text(danger['text'])}"
        yield f"- :warning: {_code(stack['stack'])} **{_text(danger['kind'])}** {told}"
    for problem in stack["baseRefusals"]:
        told = f"{_code(located(problem))}: {_text(problem['text'])}"
        yield f"- :information_source: {_code(stack['stack'])} **the base was refused** {told}"
    if stack["refusals"] or stack["danger"] or stack["baseRefusals"]:
        yield ""


def _row(stack: Doc, workload: Doc) -> str:
    pairs = {pair.label: pair for pair in workload_pairs(workload)}
    planned = next(pair for pair in cost_pairs(stack) if pair.label == "USD, as planned")
    old, new = (None if side is None else side.partition(" per hour")[0] for side in (planned.before, planned.after))
    hour = Pair("", old, new)
    landed = landing(workload) + (", downtime" if workload["downtime"]["expected"] else "")
    cells = (landed, pairs["context"].text, pairs["KV cache"].text, hour.text)
    names = (_code(stack["stack"]), _code(workload["name"]))
    return f"| {' | '.join((*names, *map(_text, cells)))} |"


def _details(stack: Doc) -> Iterator[str]:
    for workload in changed(stack["workloads"]):
        lines = [*_noticed(workload), *_items(workload_pairs(workload))]
        lines += [f"- {sign} {_code(text)}" for sign, text in flag_lines(workload)] if workload["before"] else []
        lines += _items(change_pairs(workload))
        yield _folded(f"{stack['stack']}: workload {workload['name']}", lines)
    for pool in changed(stack["pools"]):
        lines = [f"- lands: {_text(landing(pool))}", *_items(pool_pairs(pool)), *_items(change_pairs(pool))]
        yield _folded(f"{stack['stack']}: pool {pool['name']}", lines)
    for each in stack["objects"]:
        lines = [f"- lands: {_text(landing(each))}", *_items(change_pairs(each))]
        yield _folded(f"{stack['stack']}: {each['kind']} {each['name']}", lines)
    if cost := _items(cost_pairs(stack)):
        yield _folded(f"{stack['stack']}: cost", cost)
    if stack["edits"]:
        edits = [
            f"- {_code(edit['path'])}: {_text(shown_edit(edit['before']))} -> {_text(shown_edit(edit['after']))}"
            for edit in stack["edits"]
        ]
        yield _folded(f"{stack['stack']}: edits", edits)
    if added := [f"- {_code(note['path'])}: {_text(note['text'])}" for note in stack["notes"]["added"]]:
        yield _folded(f"{stack['stack']}: new notes", added)


def _noticed(workload: Doc) -> list[str]:
    if workload["change"] != "changed":
        return []
    said = "downtime" if workload["downtime"]["expected"] else "no downtime"
    return [f"- lands: {_text(landing(workload))}", f"- {said}: {_text(workload['downtime']['why'])}"]


def _items(pairs: list[Pair]) -> list[str]:
    return [f"- {_text(pair.label)}: {_text(pair.text)}" for pair in pairs if pair.told]


def _folded(title: str, lines: list[str]) -> str:
    body = "\n".join(lines)
    return f"<details><summary>{_html(title)}</summary>\n\n{body}\n\n</details>\n"


def _text(text: str) -> str:
    """A text in which no character starts markup, a mention, a link, an emoji or a tag.

    GitHub looks for mentions and references when Markdown's escapes are gone: those become code.
    """
    parts = _CALLING.split(visible(text))
    return "".join(f"`{part}`" if index % 2 else _inert(part) for index, part in enumerate(parts))


def _inert(text: str) -> str:
    escaped = _ACTING.sub(r"\\\1", text)
    return escaped.replace("://", "\\://").replace("www.", "www\\.").replace(" -\\> ", " → ")


def _html(text: str) -> str:
    """A text inside a tag, where Markdown's escapes do not count."""
    parts = _CALLING.split(visible(text))
    return "".join(f"<code>{_spelt(part)}</code>" if index % 2 else _spelt(part) for index, part in enumerate(parts))


def _spelt(text: str) -> str:
    return "".join(char if char.isalnum() or char in " -.:/" else f"&#{ord(char)};" for char in text)


def _code(text: str) -> str:
    """A text as code on one line, in the middle of a sentence or a table."""
    kept = RUNNER_COMMAND.sub(r"\\x23", visible(text)).replace("`", "'").replace("|", "\u2758")
    return f"`{kept}`"
