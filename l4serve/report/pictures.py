"""Drawings of what happens: which pods are on which nodes, and how an update passes through the pods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.etree import ElementTree

from l4serve.report.charts import figure, legend
from l4serve.report.elements import Child, rectangle, svg, text
from l4serve.report.words import Doc

MOST_NODES = 64
"""Nodes drawn of a pool; the rest is a number."""
MOST_PODS = 8
_COLOURS = ("c0", "c1", "c2", "c3", "c4", "c6", "c7")
_WIDTH = 640.0
_GPU = 22.0
RESTARTS = ("pod restart", "workload replaced", "cluster replaced")


def packing(stack: Doc, side: str) -> Iterator[ElementTree.Element]:
    """One drawing for each pool of a side: its nodes in use, their GPUs, the pods on them."""
    gpus = {pool["name"]: pool[side]["gpus"] for pool in stack["pools"] if pool[side]}
    per_pod = {work["name"]: work[side]["gpus"] for work in stack["workloads"] if work[side]}
    colours = {name: _COLOURS[i % len(_COLOURS)] for i, name in enumerate(per_pod)}
    for pool, placed in (stack["packing"][side] or {}).items():
        if placed["nodes"]:
            yield _pool(pool, placed, gpus.get(pool, 1), per_pod, colours)


def _pool(
    name: str, placed: Doc, gpus: int, per_pod: Mapping[str, int], colours: Mapping[str, str]
) -> ElementTree.Element:
    nodes = placed["nodes"][:MOST_NODES]
    node_width = gpus * _GPU + 10
    in_a_row = max(1, int(_WIDTH // (node_width + 8)))
    stranded, idle = placed["gpusStranded"], placed["gpusIdle"]
    drawn: list[Child] = []
    for number, node in enumerate(nodes):
        x, y = (number % in_a_row) * (node_width + 8), (number // in_a_row) * 44.0 + 2
        held = ", ".join(f"{count} x {workload}" for workload, count in node.items())
        drawn.append(rectangle(x, y, node_width, 36, "frame", f"node {number + 1}: {held}"))
        cells = [workload for workload, count in node.items() for _ in range(count * per_pod.get(workload, 1))]
        for gpu in range(gpus):
            taken = cells[gpu] if gpu < len(cells) else None
            colour = colours.get(taken, "c5") if taken else ("stranded" if stranded == idle else "empty")
            drawn.append(rectangle(x + 5 + gpu * _GPU, y + 6, _GPU - 3, 24, colour, taken or "no pod"))
    used = {workload for node in nodes for workload in node}
    rows = (len(nodes) + in_a_row - 1) // in_a_row
    more = len(placed["nodes"]) - len(nodes)
    left = f", {more} more not drawn" if more > 0 else ""
    said = (
        f"pool {name}: {len(placed['nodes'])} nodes in use{left}, {idle} GPUs idle, of which no pod can use {stranded}"
    )
    names = [(colours[workload], workload) for workload in per_pod if workload in used]
    return figure(said, svg(_WIDTH, rows * 44.0, said, drawn), legend(names))


def rollout(workload: Doc) -> ElementTree.Element | None:
    """How an update passes through the pods of a workload; None for one that goes, or has no pods."""
    facts = workload["after"]
    if not facts or not facts["replicas"]:
        return None
    pods, surge = min(facts["replicas"], MOST_PODS), facts["rollout"]["maxSurge"]
    restarted = workload["before"] if workload["lands"] in RESTARTS else None
    old = (restarted or facts)["replicas"]
    step = (_WIDTH - 90) / (pods + 1)
    drawn: list[Child] = []
    for pod in range(pods):
        y = pod * 26.0 + 2
        start, end = 80 + pod * step, 80 + (pod + 1) * step
        serves_until = end if surge else start
        drawn.append(text(0, y + 14, f"pod {pod + 1}"))
        if pod < old:
            drawn.append(rectangle(80, y, serves_until - 80, 8, "c5", "the old pod serves"))
        drawn.append(rectangle(start, y + 10, step, 8, "c6", f"the new pod loads, at most {facts['startupSeconds']} s"))
        drawn.append(rectangle(end, y + 10, _WIDTH - 10 - end, 8, "c0", "the new pod serves"))
    drawn.append(
        text(
            80,
            pods * 26.0 + 16,
            f"each step ends as the new pod is ready, after {facts['startupSeconds']:,} s at most",
            "soft",
        )
    )
    said = _said(workload, facts, surge)
    names = [("c5", "old pod serves"), ("c6", "new pod loads"), ("c0", "new pod serves")]
    return figure(said, svg(_WIDTH, pods * 26.0 + 24, said, drawn), legend(names))


def _said(workload: Doc, facts: Doc, surge: int) -> str:
    way = "a new pod comes first" if surge else "an old pod goes first, for a new one has no place beside it"
    lasts = facts["startupSeconds"] * facts["replicas"]
    prefix = "Rollout" if workload["lands"] in RESTARTS else "A rollout, should one be needed"
    more = f"; the first {MOST_PODS} are drawn" if facts["replicas"] > MOST_PODS else ""
    return f"{prefix}: {way}; {facts['replicas']} pod{'s'[: facts['replicas'] != 1]} in at most {lasts:,} s{more}"
