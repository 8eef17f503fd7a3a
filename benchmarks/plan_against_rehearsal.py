"""Whether plan and rehearsal agree on random stacks: what is planned runs, what is refused for want of nodes does not.

    python -m benchmarks.plan_against_rehearsal                    # the table of docs/security.md; takes half an hour
    python -m benchmarks.plan_against_rehearsal --stacks 40 --seed 7 --alone 2

Each planned stack is rendered and rehearsed on a real control plane, many at a time and kept apart by a label; with
`--alone`, some are rehearsed once more as the command does it, on a control plane of their own. A stack that is refused
and would be planned with more nodes is rehearsed with the nodes that it has. Where the plan notes that the order of
pods matters and the pods as they came do not all run, they come once more, the large ones first: so they must run.
Exits 1 where the two disagree.
"""

import argparse
import copy
import itertools
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.rehearsing.batches import Candidate, Outcome, large_first, most_replicas, rehearse_batch
from benchmarks.rehearsing.random_stacks import random_stacks
from l4serve.cli.commands.render_command import Rendered, render_stack
from l4serve.config.refusals.problems import ConfigError
from l4serve.config.stack_file import SECRET, SERVING_KEY, TOKEN_KEY, Stack, parse_stack
from l4serve.planning.machines.daemonsets import daemonset_overhead
from l4serve.planning.stack.stack_planner import plan_stack
from l4serve.sandbox.lifecycle import running_sandbox
from l4serve.sandbox.nodes import pool_nodes
from l4serve.sandbox.planned_nodes import planned_autoscaler, planned_nodes
from l4serve.sandbox.rehearsal import prepare, rehearse_objects

_ROOMY = 60
"""Nodes of a pool that are enough for any of the random stacks."""
_ORDER_MATTERS = "order-matters"


@dataclass(frozen=True)
class Trial:
    """A stack with what the plan says of it."""

    candidate: Candidate
    planned: bool
    serving: dict[str, Any]
    order_matters: bool = False
    """Whether the plan notes that a large pod can stay Pending behind small ones."""


@dataclass(frozen=True)
class Tried:
    """A trial and what came of it; neither where the plan refused it for another reason than its nodes."""

    trial: Trial | None = None
    outcome: Outcome | None = None
    large_first: bool = False
    """Whether it was rehearsed again because the plan notes that the order matters."""


def trials(rng: random.Random, wanted: int) -> Iterator[Trial | None]:
    """`wanted` planned stacks, and among them those refused for want of nodes; None for what is refused otherwise."""
    planned = 0
    for serving in random_stacks(rng):
        if planned == wanted:
            return
        trial = _planned(serving) or _short_of_nodes(serving)
        planned += trial is not None and trial.planned
        yield trial


def _stack(serving: dict[str, Any]) -> Stack | None:
    values = {"gcp:project": "my-project", SERVING_KEY: serving, TOKEN_KEY: SECRET}
    try:
        stack = parse_stack(serving["namespace"], values, base=Path.cwd())
        plan_stack(stack)
    except ConfigError:
        return None
    return stack


def _planned(serving: dict[str, Any]) -> Trial | None:
    stack = _stack(serving)
    if stack is None:
        return None
    rendered = render_stack(stack)
    nodes, autoscaler = planned_nodes(rendered.plan), planned_autoscaler(rendered.plan)
    order_matters = any(note.id == _ORDER_MATTERS for note in rendered.plan.notes)
    return Trial(Candidate(stack.name, rendered.objects, nodes, autoscaler), True, serving, order_matters)


def _short_of_nodes(serving: dict[str, Any]) -> Trial | None:
    """A refused stack whose pools, with more nodes, would hold the pods that each of them is named for."""
    if not all("nodePool" in workload for workload in serving["workloads"].values()):
        return None
    roomy = copy.deepcopy(serving)
    for pool in roomy.get("nodePools", {}).values():
        pool["maxNodes"] = _ROOMY
    stack = _stack(roomy)
    if stack is None:
        return None
    rendered = render_stack(stack)
    nodes = tuple(
        node
        for pool in rendered.plan.node_pools
        for node in pool_nodes(
            replace(pool, size=replace(pool.size, max_nodes=serving["nodePools"][pool.name]["maxNodes"]))
        )
    )
    return Trial(Candidate(stack.name, _at_most(rendered), nodes, planned_autoscaler(rendered.plan)), False, serving)


def _at_most(rendered: Rendered) -> tuple[Any, ...]:
    return most_replicas(rendered.objects, {w.object_name: w.scale.most_replicas for w in rendered.plan.workloads})


def rehearsed(drawn: Iterable[Trial | None], size: int) -> Iterator[Tried]:
    """Every trial with its outcome, `size` of them on the control plane at a time."""
    waiting = iter(drawn)
    with running_sandbox("random stacks") as sandbox, sandbox.client() as client:
        applier = prepare(sandbox, client, (), overhead=daemonset_overhead())
        while chunk := [*itertools.islice(waiting, size)]:
            by_name = {trial.candidate.name: trial for trial in chunk if trial is not None}
            yield from (Tried() for trial in chunk if trial is None)
            outcomes = [*rehearse_batch(client, applier, [trial.candidate for trial in by_name.values()])]
            again = {each.name for each in outcomes if not each.ok and by_name[each.name].order_matters}
            yield from (Tried(by_name[each.name], each) for each in outcomes if each.name not in again)
            for outcome in rehearse_batch(client, applier, [large_first(by_name[name].candidate) for name in again]):
                yield Tried(by_name[outcome.name], outcome, large_first=True)


def rehearsed_alone(found: Iterable[Trial]) -> Iterator[tuple[Trial, bool]]:
    """Trials as `l4serve rehearse` does them, each on a control plane of its own."""
    for trial in found:
        own = trial.candidate
        rehearsal = rehearse_objects(own.objects, own.nodes, label=own.name, timeout_s=120, autoscaler=own.autoscaler)
        yield trial, rehearsal.ok


def _tell(trial: Trial, outcome: Outcome | None) -> None:
    """Shows a stack on which plan and rehearsal disagree, at once: a run is long."""
    print("DISAGREE", "planned" if trial.planned else "refused", trial.serving, sep="\n  ", flush=True)
    for what in (*outcome.refused, *(p for p in outcome.placements if not p.ready)) if outcome else ():
        print(f"  {what}", flush=True)


def main() -> None:
    """Prints how many stacks were planned, rehearsed and agreed on, and every stack of a disagreement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stacks", type=int, default=500, help="stacks that are planned")
    parser.add_argument("--batch", type=int, default=25)
    parser.add_argument(
        "--alone", type=int, default=5, help="planned stacks that are rehearsed once more by themselves"
    )
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    tally: Counter[str] = Counter()
    disagreed = 0
    planned: list[Trial] = []
    for tried in rehearsed(trials(random.Random(options.seed), options.stacks), options.batch):
        trial, outcome = tried.trial, tried.outcome
        if trial is None or outcome is None:
            tally["refused for another reason than the number of nodes"] += 1
            continue
        said = "planned" if trial.planned else "refused for want of nodes"
        said += ", large pods first as its note says" if tried.large_first else ""
        tally[f"{trial.serving['cluster']['mode']}, {said}, {'runs' if outcome.ok else 'does not run'}"] += 1
        planned += [trial] if trial.planned else []
        if outcome.ok != trial.planned:
            disagreed += 1
            _tell(trial, outcome)
        if len(planned) % options.batch == 0:
            print(f"{time.monotonic() - began:.0f} s: {dict(tally)}", file=sys.stderr, flush=True)
    for trial, ok in rehearsed_alone(planned[: options.alone]):
        tally[f"alone, {trial.serving['cluster']['mode']}, planned, {'runs' if ok else 'does not run'}"] += 1
        if not ok:
            disagreed += 1
            _tell(trial, None)
    print(f"{options.stacks} planned stacks (seed {options.seed}) in {time.monotonic() - began:.0f} s:")
    for what, count in sorted(tally.items()):
        print(f"  {count} {what}")
    raise SystemExit(1 if disagreed else 0)


if __name__ == "__main__":
    main()
