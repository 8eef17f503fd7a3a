"""Pools that hold all pods only if small ones leave whole nodes to larger ones: updates that see to it, or cannot.

A scheduler gives each pod the emptiest node that it finds, and none moves again. So larger pods come first, where they
find room by that; else an update that makes some pods larger and others smaller is refused.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from l4serve.config.refusals.problems import Problem
from l4serve.planning.packing.bins import fits, spread
from l4serve.planning.packing.overflow import hold
from l4serve.planning.packing.placement import PodRequest, PoolRoom, kinds_of_sizes, sizes_of
from l4serve.planning.packing.spare import rest_of
from l4serve.planning.stack.planned_pods import groups, packed, placed, room_of
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.values.names import on_demand_name
from l4serve.planning.workload.workload_plan import WorkloadPlan

_Pods = Mapping[str, PodRequest]


def larger_first(before: _Pods, plan: StackPlan) -> Mapping[str, frozenset[str]]:
    """Workloads by name with those that serve before their pods change: larger ones of the same pool.

    Empty where any order leaves room. `before` are the pods that are deployed, by namespace and name.
    """
    owners, found = _owners(plan), {workload.name: set[str]() for workload in plan.workloads}
    for _, _, new, ordered in _mixed(before, plan):
        for name in new if ordered else ():
            found[owners[name]] |= {owners[other] for other in _larger(name, new)}
    return {name: frozenset(others) for name, others in found.items()}


def scatter_problems(before: _Pods, plan: StackPlan) -> Iterator[Problem]:
    """One problem for each pool where pods that shrink may leave no node for those that grow, in whichever order."""
    owners = _owners(plan)
    for pools, old, new, ordered in _mixed(before, plan):
        both = old.keys() & new.keys()
        grown = {name for name in both if not fits(new[name].size, old[name].size)}
        shrunk = {name for name in both if not fits(old[name].size, new[name].size) and _larger(name, new) & grown}
        if shrunk and not ordered:
            large, small = (", ".join(sorted({owners[name] for name in names})) for names in (grown, shrunk))
            message = (
                f"{room_of(pools)}, and pods of {small} get smaller while pods of {large} get larger: smaller ones may "
                f"land on several nodes, so that none has room for a larger one, which then waits for ever"
            )
            steps = (
                f"in three updates: (1) this config without {small} and with {large} as deployed, pulumi up; "
                f"(2) this config without {small}, pulumi up; (3) this config, pulumi up"
            )
            yield Problem(f"workloads.{large.partition(',')[0]}", message, steps)


def _mixed(before: _Pods, plan: StackPlan) -> Iterator[tuple[Sequence[PoolRoom], _Pods, _Pods, bool]]:
    """Pools where the order of pods matters, their pods before and after, and whether larger ones can come first."""
    before, after = placed(before, plan), packed(plan)
    surging = {name for each in plan.workloads if each.scale.rollout.max_surge for name in _deployments(each)}
    for pools in groups(plan):
        here = {pool.name for pool in pools}
        old, new = ({n: pod for n, pod in pods.items() if pod.node_pool in here} for pods in (before, after))
        if len({pool.vector for pool in pools}) == 1 and not _lands([*new.values()], (), pools):
            yield pools, old, new, _is_ordered(old, new, surging, pools)


def _is_ordered(old: _Pods, new: _Pods, surging: set[str], pools: Sequence[PoolRoom]) -> bool:
    """Whether each Deployment finds room after all larger ones and before all others have changed."""
    now = dict(old)
    for name in sorted(new, key=lambda each: len(_larger(each, new))):
        others, pod, was = [pod for other, pod in now.items() if other != name], new[name], old.get(name)
        grows = was is None or pod.size != was.size or pod.replicas > was.replicas
        if grows and not _lands([pod], others, pools):
            return False
        if was is not None and name in surging and not hold([*others, was, replace(pod, replicas=1)], pools):
            return False
        now[name] = pod
    return True


def _lands(pods: Sequence[PodRequest], others: Sequence[PodRequest], pools: Sequence[PoolRoom]) -> bool:
    """Whether pods find nodes wherever others are: those and then these take the emptiest ones, the smallest first."""
    node, count = pools[0].vector, sum(pool.max_nodes for pool in pools)
    kinds = kinds_of_sizes(sizes_of(others))
    if (held := spread(kinds, node, [node] * count)) is None:
        return False
    rooms = [rest_of(kinds, filling, node) for filling in held.nodes]
    return spread(kinds_of_sizes(sizes_of(pods)), node, rooms) is not None


def _larger(name: str, pods: _Pods) -> set[str]:
    """Those whose pods are larger in one resource and smaller in none."""
    size = pods[name].size
    return {other for other, pod in pods.items() if pod.size != size and fits(size, pod.size)}


def _owners(plan: StackPlan) -> Mapping[str, str]:
    """The workload of each Deployment, by namespace and name."""
    return {name: each.name for each in plan.workloads for name in _deployments(each)}


def _deployments(workload: WorkloadPlan) -> tuple[str, str]:
    """Namespace and name of its Deployments, also of one that it may not have."""
    space, name = workload.namespace, workload.object_name
    return f"{space}/{name}", f"{space}/{on_demand_name(name)}"
