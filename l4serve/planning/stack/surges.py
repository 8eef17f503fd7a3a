"""Updates that start pods beside the old ones where others still have the room for them: which of them never end."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from l4serve.config.frozen import frozen
from l4serve.config.refusals.problems import Problem
from l4serve.planning.packing.bins import Vector, fits
from l4serve.planning.packing.overflow import hold
from l4serve.planning.packing.placement import PodRequest, PoolRoom
from l4serve.planning.stack.planned_pods import (
    adds_of,
    autoscaled_by,
    deployed,
    going_last,
    groups,
    packed,
    placed,
    room_of,
)
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.values.names import on_demand_name
from l4serve.planning.workload.workload_plan import WorkloadPlan

_Load = Counter[Vector]
"""How many pods there are of each size."""


@frozen(kw_only=True)
class _Rollout:
    """What a Deployment takes of its pools while its pods change, the new ones first."""

    moments: tuple[_Load, _Load]
    """With the first new pods, and with the last old one."""
    meanwhile: _Load
    """While it waits for room."""
    end: _Load


def paced(plan: StackPlan, before: Mapping[str, PodRequest], unsettled: Collection[str] = ()) -> StackPlan:
    """The plan, in which an old pod goes first where those of `before` are too large for the new ones beside them.

    Smaller pods leave room that their update does not find yet. One that adds pods of another size starts as many
    of the old size even without a surge. Of `unsettled` Deployments, by namespace and name, nobody knows how many
    pods there are of which size: where one at a time could find no room, all old ones go first, which ends by any mix.
    """
    before, everything, surging = placed(before, plan), packed(plan), _surging(plan)
    resized = {name for name in before.keys() & everything.keys() if before[name].size != everything[name].size}
    more = {
        name: pod.replicas - (1 if name in unsettled else before[name].replicas)
        for name, pod in everything.items()
        if name in before
    }
    after = {name: pod for name, pod in everything.items() if name in surging or (name in resized and more[name] > 0)}
    if not resized & after.keys():
        return plan

    def stuck(surging: Collection[str]) -> set[str]:
        found: set[str] = set()
        for pools in groups(plan):
            rollouts = _rollouts(before, after, pools, surging=surging)
            if resized & rollouts.keys():
                found |= _waiting(rollouts, _others(everything, rollouts, pools), pools)
        return found

    waiting = stuck(surging)
    without_surge = stuck(surging.keys() - waiting) if waiting else waiting
    return replace(
        plan,
        workloads=tuple(
            _old_first(w, [more[name] for name in _names(w) & without_surge]) if _names(w) & waiting else w
            for w in plan.workloads
        ),
    )


def surge_problems(
    before: Mapping[str, PodRequest],
    plan: StackPlan,
    unsized: Collection[str] = (),
    autoscaled: Collection[str] = (),
) -> Mapping[str, Problem]:
    """What to say of each Deployment, by namespace and name, whose update would wait for ever if its pods change.

    `before`, `unsized` and `autoscaled` are as `exchange_problems` has them.
    """
    after = packed(plan)
    before = deployed(before, unsized, after, plan)
    ending = sorted(name for name in unsized if name not in after)
    owners = {name: workload.name for workload in plan.workloads for name in _names(workload)}
    lasting, surging = autoscaled_by(plan) & set(autoscaled), _surging(plan)
    found: dict[str, Problem] = {}
    for pools in groups(plan):
        going = going_last(before, after, plan, pools, autoscaled)
        rollouts = _rollouts(before, surging, pools, surging=surging, lasting=lasting)
        shrinking = [name for name in rollouts if name in lasting and before[name].replicas > after[name].replicas]
        if not (going or ending or shrinking):
            continue
        others = _others(after, rollouts, pools) + _load(*going)
        for name in sorted(rollouts if ending else _waiting(rollouts, others, pools)):
            late = [pod.workload for pod in going] + [name.rpartition("/")[2] for name in ending]
            late = late or [adds_of(owners[name])]
            found[name] = _problem(owners[name], pools, late, sure=not ending)
    return found


def _surging(plan: StackPlan) -> Mapping[str, PodRequest]:
    """The pods of those Deployments whose updates start a new one first."""
    names = {name for each in plan.workloads if each.scale.rollout.max_surge for name in _names(each)}
    return {name: pod for name, pod in packed(plan).items() if name in names}


def _rollouts(
    before: Mapping[str, PodRequest],
    after: Mapping[str, PodRequest],
    pools: Sequence[PoolRoom],
    *,
    surging: Collection[str],
    lasting: Collection[str] = (),
) -> Mapping[str, _Rollout]:
    """Those of the Deployments that have pods on these pools already, by namespace and name.

    Pods that no node of the pools could hold are on nodes that go: the update makes others in their place.
    """
    here = {pool.name for pool in pools}
    return {
        name: _rollout(old, new, surge=int(name in surging), lasting=name in lasting)
        for name, new in after.items()
        if new.node_pool in here
        if (old := before.get(name)) is not None and old.node_pool in here
        if any(fits(old.size, pool.vector) for pool in pools)
    }


def _rollout(old: PodRequest, new: PodRequest, *, surge: int, lasting: bool) -> _Rollout:
    """Of pods that an autoscaler has made (`lasting`), none goes before: it is told its new bounds after the pods.

    Else Kubernetes first makes the old pods as many as the new ones will be, unless there is none.
    """
    most = max(old.replicas, new.replicas) if lasting else new.replicas
    left = old.replicas if lasting else most * bool(old.replicas)
    first = _load(replace(old, replicas=left), replace(new, replicas=min(most, most + surge - left)))
    last = _load(replace(old, replicas=min(1, left)), replace(new, replicas=most - 1 + surge))
    end = _load(new)
    meanwhile = end if old.size == new.size else _load(replace(old, replicas=left))
    return _Rollout(moments=(first, last), meanwhile=meanwhile, end=end)


def _waiting(rollouts: Mapping[str, _Rollout], others: _Load, pools: Sequence[PoolRoom]) -> set[str]:
    """The rollouts that never find room: one that ends leaves its own to the others."""
    waiting, held = dict(rollouts), others + sum((each.meanwhile for each in rollouts.values()), _Load())
    known: dict[frozenset[tuple[Vector, int]], bool] = {}

    def finds_room(rollout: _Rollout) -> bool:
        for moment in rollout.moments:
            load = held - rollout.meanwhile + moment
            key = frozenset(load.items())
            if key not in known:
                known[key] = hold([_pods(size, count) for size, count in load.items()], pools)
            if not known[key]:
                return False
        return True

    while ready := [name for name, rollout in waiting.items() if finds_room(rollout)]:
        for name in ready:
            rollout = waiting.pop(name)
            held = held - rollout.meanwhile + rollout.end
    return set(waiting)


def _others(after: Mapping[str, PodRequest], rollouts: Collection[str], pools: Sequence[PoolRoom]) -> _Load:
    here = {pool.name for pool in pools}
    return _load(*(pod for name, pod in after.items() if pod.node_pool in here and name not in rollouts))


def _load(*pods: PodRequest) -> _Load:
    load: _Load = Counter()
    for pod in pods:
        load[pod.size] += pod.replicas
    return load


def _pods(size: Vector, count: int) -> PodRequest:
    cpu, memory, ephemeral, gpus, _ = size
    return PodRequest(
        workload="", cpu_millis=cpu, memory_bytes=memory, ephemeral_bytes=ephemeral, gpus=gpus, replicas=count
    )


def _names(workload: WorkloadPlan) -> set[str]:
    """Its Deployments by namespace and name, also one that it may not have."""
    return {f"{workload.namespace}/{name}" for name in (workload.object_name, on_demand_name(workload.object_name))}


def _old_first(workload: WorkloadPlan, added: Sequence[int]) -> WorkloadPlan:
    """Pods that are added (`added`, of each Deployment) and wait count as unavailable before any old one goes."""
    rollout = replace(workload.scale.rollout, max_surge=0, max_unavailable=1 + max((0, *added)))
    return replace(workload, scale=replace(workload.scale, rollout=rollout))


def _problem(workload: str, pools: Sequence[PoolRoom], late: Sequence[str], *, sure: bool) -> Problem:
    gone, enough = ", ".join(late), "not enough" if sure else "perhaps not enough"
    message = (
        f"{room_of(pools)}, {enough} for {gone} and the pod that an update of {workload} starts beside the old ones. "
        f"Pulumi ends {gone} last, so that pod would wait for its GPUs until the update fails"
    )
    steps = "(1) this config with the pods that stay as deployed, pulumi up; (2) this config, pulumi up"
    return Problem(f"workloads.{workload}", message, f"in two updates: {steps}")
