"""From two plans of a stack to what differs between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from l4serve.config.keys.stack import StackConfig
from l4serve.planning.difference.config_edits import config_edits
from l4serve.planning.difference.dangers import danger_of_gone, dangers, dangers_of_new
from l4serve.planning.difference.facts import pool_facts, workload_facts
from l4serve.planning.difference.flags import flag_changes
from l4serve.planning.difference.interruption import interruption
from l4serve.planning.difference.notes import notes_of_update
from l4serve.planning.difference.rows import Kind, compared, hardest, workload_roots
from l4serve.planning.difference.stack_diff import (
    Change,
    ConfigEdit,
    Danger,
    Interruption,
    Part,
    StackDiff,
    WorkloadPart,
)
from l4serve.planning.gke.pool_plan import PoolPlan
from l4serve.planning.stack.edits import Effect
from l4serve.planning.stack.exchange import pods_json, read_pods
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.stack.surges import paced
from l4serve.planning.workload.workload_plan import WorkloadPlan

Pair = tuple[WorkloadPlan | None, WorkloadPlan | None]
_LEFT = Interruption(False, "its pods run on, and nothing updates them")


def diff_plans(
    name: str, old: StackPlan | None, new: StackPlan | None, configs: tuple[StackConfig, StackConfig] | None = None
) -> StackDiff:
    """The difference between two plans of a stack; None on one side is a stack that is not there.

    `configs` are what the two were planned from, for the edits that lead from one to the other.
    """
    if old is not None and new is not None:
        new = paced(new, read_pods(pods_json(old)))
    others = tuple(_others(old, new))
    beneath = max((part.lands or Effect.NOTHING for part in others if part.kind == "cluster"), default=Effect.NOTHING)
    pools = tuple(_pool(old, new, pool, beneath) for pool in _names(old, new))
    pairs = _pairs(old, new)
    lands = {pool.name: pool.lands or Effect.NOTHING for pool in pools}
    zones = {pool.name: _zones_gone(old, new, pool.name) for pool in pools}
    workloads = tuple(_workload(pair, beneath, lands, zones) for pair in pairs)
    found: tuple[Danger, ...] = ()
    if new is not None:
        found = tuple(dangers(old, new, pairs, workloads, pools, others) if old else dangers_of_new(new, pairs))
    elif old is not None:
        found = (danger_of_gone(name),)
        workloads = tuple(replace(part, interruption=_LEFT) for part in workloads)
    edits = _edits(configs, old, new) if configs else ()
    added, gone = notes_of_update(old, new, stays=beneath not in (Effect.CLUSTER_REPLACED, Effect.WORKLOAD_REPLACED))
    same = (
        not found
        and all(part.change == "same" for part in (*others, *pools, *workloads))
        and (old is None) == (new is None)
        and (old is None or new is None or old.cost == new.cost)
    )
    return StackDiff(
        stack=name,
        verdict="same" if same else "changed",
        before=old,
        after=new,
        dangers=found,
        edits=edits,
        workloads=workloads,
        pools=pools,
        others=tuple(part for part in others if part.change != "same"),
        notes_added=added,
        notes_gone=gone,
    )


def _edits(
    configs: tuple[StackConfig, StackConfig], old: StackPlan | None, new: StackPlan | None
) -> tuple[ConfigEdit, ...]:
    existing = all(plan is not None and plan.cluster.managed is None for plan in (old, new))
    return config_edits(*configs, existing=existing)


def _change(before: Any, after: Any, *, differs: bool) -> Change:
    if before is None:
        return "added"
    if after is None:
        return "removed"
    return "changed" if differs else "same"


def _part(
    kind: Kind,
    name: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    *,
    existing: bool = False,
    facts: tuple[Mapping[str, Any] | None, Mapping[str, Any] | None] = (None, None),
) -> Part:
    lines = compared(kind, before, after, existing=existing) if before and after else ()
    # What planning counts on a pool, such as nodes in use, follows from its workloads and is no change of the pool.
    change = _change(before, after, differs=bool(lines) or (kind == "workload" and facts[0] != facts[1]))
    lands = hardest(lines) if before and after else None
    return Part(kind=kind, name=name, change=change, lands=lands, lines=lines, before=facts[0], after=facts[1])


def _others(before: StackPlan | None, after: StackPlan | None) -> Iterator[Part]:
    existing = all(plan is None or plan.cluster.managed is None for plan in (before, after))
    if before is None and after is None:
        return
    roots = [({"cluster": plan.cluster} if plan else None) for plan in (before, after)]
    yield _part("cluster", _cluster_name(after or before), roots[0], roots[1], existing=existing)
    old, new = (
        {c.name: {"compute_class": c} for c in plan.compute_classes} if plan else {} for plan in (before, after)
    )
    for name in dict.fromkeys([*new, *old]):
        yield _part("class", name, old.get(name), new.get(name))
    spaces = [
        {"namespace": plan.namespace, "create_namespace": plan.create_namespace, "pod_security": plan.pod_security}
        if plan
        else None
        for plan in (before, after)
    ]
    yield _part("namespace", next(str(space["namespace"]) for space in reversed(spaces) if space), spaces[0], spaces[1])
    # A Secret that is there already is no object of the stack.
    kept = (
        plan.secret if plan and plan.secret and plan.secret.source != "existing" else None for plan in (before, after)
    )
    secrets = [{"secret": secret} if secret else None for secret in kept]
    if any(secrets):
        yield _part("token", "token", secrets[0], secrets[1])
    gateways = [{"gateway": plan.gateway} if plan and plan.gateway else None for plan in (before, after)]
    if any(gateways):
        yield _part("gateway", "gateway", gateways[0], gateways[1])
    boards = [
        {"dashboard": plan.dashboard, "dashboard_project": plan.dashboard_project} if plan and plan.dashboard else None
        for plan in (before, after)
    ]
    if any(boards):
        yield _part("dashboard", "dashboard", boards[0], boards[1])


def _cluster_name(plan: StackPlan | None) -> str:
    return (plan.cluster.name if plan else None) or "(by kubeconfig)"


def _names(before: StackPlan | None, after: StackPlan | None) -> Sequence[str]:
    """Pools as the new side orders them, then those that are gone."""
    return tuple(dict.fromkeys(pool.name for plan in (after, before) if plan for pool in plan.node_pools))


def _pool_of(plan: StackPlan | None, name: str) -> PoolPlan | None:
    return next((pool for pool in plan.node_pools if pool.name == name), None) if plan else None


def _pool(before: StackPlan | None, after: StackPlan | None, name: str, beneath: Effect) -> Part:
    old, new = _pool_of(before, name), _pool_of(after, name)
    roots = [
        {"pool": pool, "cluster": plan.cluster} if plan and pool else None
        for plan, pool in ((before, old), (after, new))
    ]
    facts = (pool_facts(before, old) if before and old else None, pool_facts(after, new) if after and new else None)
    part = _part("pool", name, roots[0], roots[1], facts=facts)
    if part.lands is None:
        return part
    made = (old is None or old.create) and (new is None or new.create)
    lands = part.lands if made else Effect.NOTHING
    if beneath is Effect.CLUSTER_REPLACED and made:
        lands = Effect.CLUSTER_REPLACED
    change: Change = "changed" if part.change == "changed" or lands > Effect.NOTHING else "same"
    return Part(
        kind="pool", name=name, change=change, lands=lands, lines=part.lines, before=part.before, after=part.after
    )


def _zones_gone(before: StackPlan | None, after: StackPlan | None, name: str) -> Sequence[str]:
    """Zones that a pool of the stack leaves."""
    old, new = _pool_of(before, name), _pool_of(after, name)
    if old is None or new is None or not (old.create and new.create):
        return ()
    return tuple(zone for zone in old.size.zones if zone not in new.size.zones)


def _pairs(before: StackPlan | None, after: StackPlan | None) -> tuple[Pair, ...]:
    """Workloads by the name that their objects have: a rename that keeps it is one workload."""
    old = {workload.object_name: workload for workload in before.workloads} if before else {}
    new = {workload.object_name: workload for workload in after.workloads} if after else {}
    by_key = {workload.name: workload for workload in old.values()}
    pairs: list[Pair] = []
    for object_name, workload in new.items():
        same_key = by_key.get(workload.name)
        match = old.get(object_name) or (same_key if same_key and same_key.object_name not in new else None)
        pairs.append((match, workload))
    taken = {id(match) for match, _ in pairs}
    return (*pairs, *((workload, None) for workload in old.values() if id(workload) not in taken))


def _workload(
    pair: Pair, beneath: Effect, pools: Mapping[str, Effect], zones: Mapping[str, Sequence[str]]
) -> WorkloadPart:
    old, new = pair
    roots = [workload_roots(plan) if plan else None for plan in pair]
    facts = (workload_facts(old) if old else None, workload_facts(new) if new else None)
    part = _part("workload", next(plan.name for plan in (new, old) if plan), roots[0], roots[1], facts=facts)
    lands, change = part.lands, part.change
    noticed = Interruption(False, "")
    if old and new and lands is not None:
        if beneath is Effect.CLUSTER_REPLACED or beneath is Effect.WORKLOAD_REPLACED:
            lands, change = max(lands, beneath), "changed"
        home = new.placing.packed_on or ""
        # Pods lie where they were placed before the update, which may be any pool of their class.
        places = dict.fromkeys([old.placing.packed_on, *old.placing.class_pools])
        gone = tuple(dict.fromkeys(zone for place in places for zone in zones.get(place or "", ())))
        noticed = interruption(old, new, lands, pools.get(home, Effect.NOTHING), beneath, gone)
        if noticed.expected and change == "same":
            # No object of it differs: the gateway or the pool does, and those who ask this workload notice.
            change = "changed"
    elif old:
        noticed = Interruption(True, "it is deleted")
    return WorkloadPart(
        kind="workload",
        name=part.name,
        change=change,
        lands=lands,
        lines=part.lines,
        before=part.before,
        after=part.after,
        flags=flag_changes(old.engine.argv if old else (), new.engine.argv if new else ()),
        interruption=noticed,
    )
