"""A difference, or one plan, as a page: one file without network, without script, for light and dark and a phone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

from l4serve.report.charts import concurrency_chart, cost_chart, memory_bars, planned_costs
from l4serve.report.elements import Child, document, element
from l4serve.report.pictures import packing, rollout
from l4serve.report.shown_values import shown_edit
from l4serve.report.summaries import stack_summary, summary
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

_STYLE = Path(__file__).with_name("style.css")


def difference_page(doc: Doc) -> str:
    """The page of a difference."""
    return _page("l4serve diff", summary(doc), f"Compared with {doc['base']}", doc, one_sided=False)


def plan_page(doc: Doc) -> str:
    """The page of one side: the difference to nothing."""
    names = ", ".join(stack["stack"] for stack in doc["stacks"])
    return _page(f"l4serve plan of {names}", "What this stack comes to", "", doc, one_sided=True)


def _page(title: str, lead: str, base: str, doc: Doc, *, one_sided: bool) -> str:
    stacks = [stack for stack in doc["stacks"] if one_sided or stack["verdict"] != "same"]
    names = [element("li", element("a", stack["stack"], href=f"#stack-{i}")) for i, stack in enumerate(stacks)]
    several = len(stacks) > 1
    body: list[Child] = [
        element("a", "Skip to the stacks", href="#stacks", class_="skip"),
        element(
            "header",
            element("h1", title),
            element("p", lead, class_="lead"),
            element("p", base, class_="soft") if base else None,
            *(element("p", remark, class_="soft") for remark in doc["remarks"]),
        ),
        element("nav", element("ul", names), aria_label="Stacks") if several else None,
        _all_dangers(stacks) if several else None,
        planned_costs(stacks) if several else None,
        element("main", [_stack(i, stack, one_sided=one_sided) for i, stack in enumerate(stacks)], id="stacks"),
    ]
    return document(title, _STYLE.read_text("utf-8"), body)


def _stack(number: int, stack: Doc, *, one_sided: bool) -> ElementTree.Element:
    told = "" if one_sided else stack_summary(stack).removeprefix(f"{stack['stack']}: ")
    children: list[Child] = [element("h2", stack["stack"]), element("p", told) if told else None]
    children += [_dangers(stack), *_refusals(stack), _cost(stack)]
    parts = stack["workloads"] if one_sided else list(changed(stack["workloads"]))
    children += [_workload(workload, one_sided=one_sided) for workload in parts]
    pools = stack["pools"] if one_sided else list(changed(stack["pools"]))
    children += [_plain_part("pool", pool, pool_pairs(pool), one_sided=one_sided) for pool in pools]
    if not one_sided:
        children += [_plain_part(each["kind"], each, change_pairs(each), one_sided=False) for each in stack["objects"]]
    children += [_packing(stack, one_sided=one_sided), _edits(stack), _notes(stack, one_sided=one_sided)]
    return element("section", children, id=f"stack-{number}")


def _dangers(stack: Doc) -> ElementTree.Element | None:
    items = [
        element("li", element("strong", danger["kind"]), " ", element("code", danger["path"]), ": ", danger["text"],
                class_="danger")
        for danger in stack["danger"]
    ]  # fmt: skip
    return element("ul", items, class_="dangers", aria_label="Dangers") if items else None


def _all_dangers(stacks: Sequence[Doc]) -> ElementTree.Element | None:
    """The dangers of every stack before anything else."""
    items = [
        element("li", element("strong", danger["kind"]), f" in {stack['stack']}: {danger['text']}", class_="danger")
        for stack in stacks
        for danger in stack["danger"]
    ]
    return element("ul", items, class_="dangers", aria_label="Dangers of all stacks") if items else None


def _refusals(stack: Doc) -> Iterator[Child]:
    for word, problems in (("refused", stack["refusals"]), ("the base was refused", stack["baseRefusals"])):
        items = [
            element(
                "li", element("code", located(each)), f": {each['text']}", f" Fix: {each['fix']}" if each["fix"] else ""
            )
            for each in problems
        ]
        if items:
            yield element("div", element("h3", word), element("ul", items), class_="card")


def _cost(stack: Doc) -> ElementTree.Element:
    return element("div", element("h3", "Cost"), cost_chart(stack), _table(cost_pairs(stack)), class_="card")


def _workload(workload: Doc, *, one_sided: bool) -> ElementTree.Element:
    title = f"{workload['name']}" if one_sided else f"{workload['name']}: {landing(workload)}"
    children: list[Child] = [element("h3", title)]
    if workload["change"] == "changed":
        noticed = "Downtime" if workload["downtime"]["expected"] else "No downtime"
        children.append(element("p", f"{noticed}: {workload['downtime']['why']}."))
    children += [memory_bars(workload), concurrency_chart(workload), rollout(workload)]
    flags = [element("li", element("code", f"{sign} {said}")) for sign, said in flag_lines(workload)]
    children.append(_folded("Figures", [_table(workload_pairs(workload))], is_open=True))
    if flags:
        children.append(_folded("Flags", [element("ul", flags)]))
    if others := change_pairs(workload):
        children.append(_folded("What else differs in its resources", [_table(others)]))
    return element("article", children, class_="card")


def _plain_part(kind: str, part: Doc, pairs: Sequence[Pair], *, one_sided: bool) -> ElementTree.Element:
    title = f"{kind} {part['name']}" if one_sided else f"{kind} {part['name']}: {landing(part)}"
    others = change_pairs(part) if kind == "pool" else []
    return element("div", element("h3", title), _table([*pairs, *others]), class_="card")


def _packing(stack: Doc, *, one_sided: bool) -> ElementTree.Element | None:
    after = list(packing(stack, "after"))
    before = (
        [] if one_sided or stack["packing"]["before"] == stack["packing"]["after"] else list(packing(stack, "before"))
    )
    if not before and not after:
        return None
    told = [element("h3", "Pods on nodes, with as many replicas as there may be")]
    if before:
        told += [element("h4", "before"), *before, element("h4", "after")]
    return element("div", told, after, class_="card")


def _edits(stack: Doc) -> ElementTree.Element | None:
    rows = [Pair(edit["path"], shown_edit(edit["before"]), shown_edit(edit["after"])) for edit in stack["edits"]]
    return _folded("Edits of the stack file, recipes applied", [_table(rows)]) if rows else None


def _notes(stack: Doc, *, one_sided: bool) -> ElementTree.Element | None:
    items = [element("li", element("code", note["path"]), f": {note['text']}") for note in stack["notes"]["added"]]
    return _folded("Notes" if one_sided else "New notes", [element("ul", items)], is_open=True) if items else None


def _folded(title: str, children: Iterable[Child], *, is_open: bool = False) -> ElementTree.Element:
    return element("details", element("summary", title), children, open=is_open)


def _table(pairs: Sequence[Pair]) -> ElementTree.Element:
    two = any(pair.before is not None for pair in pairs) and any(pair.after is not None for pair in pairs)
    heads = ("", "before", "after") if two else ("", "")
    rows = [element("tr", [element("th", head, scope="col") for head in heads])] if two else []
    for pair in pairs:
        name = element("th", pair.label, scope="row")
        if two:
            mark = "differs" if pair.differs else None
            cells = [element("td", pair.before or "-"), element("td", pair.after or "-", class_=mark)]
        else:
            cells = [element("td", pair.text)]
        rows.append(element("tr", name, cells))
    return element("div", element("table", rows), class_="scroll", tabindex="0", role="region", aria_label="Figures")
