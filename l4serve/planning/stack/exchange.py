"""Updates that could not end: Pulumi deletes last, so what is new waits for GPUs that what goes still holds."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from l4serve.config.refusals.problems import Problem
from l4serve.planning.packing.overflow import hold
from l4serve.planning.packing.placement import PodRequest, PoolRoom
from l4serve.planning.stack.planned_pods import (
    deployed,
    going_last,
    groups,
    namespace_of,
    packed,
    placed,
    room_of,
    told,
)
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.values.names import on_demand_name
from l4serve.planning.values.note import Note

_SIZES = ("cpu_millis", "memory_bytes", "ephemeral_bytes", "gpus", "replicas")
_FIELDS = (*_SIZES, "node_pool")


def pods_json(plan: StackPlan) -> dict[str, dict[str, Any]]:
    """The pods of a plan by namespace and name of their Deployments (`llm/gemma`), for the stack's outputs."""
    return _json(packed(plan))


def held_json(before: Mapping[str, PodRequest], plan: StackPlan) -> dict[str, dict[str, Any]]:
    """The most that an update may leave if it fails; other than `pods_json` where something ends, shrinks or moves."""
    before, after = placed(before, plan), packed(plan)
    return _json({**after, **{name: _larger(pod, after.get(name, pod)) for name, pod in before.items()}})


def read_pods(value: Any) -> dict[str, PodRequest]:
    """What `pods_json` wrote, also after a way through floats; empty for what it did not write."""
    if not isinstance(value, Mapping):
        return {}
    pods = {}
    for name, said in value.items():
        if isinstance(said, Mapping) and set(_FIELDS) <= set(said):
            numbers = {field: int(said[field]) for field in _SIZES}
            _, _, workload = str(name).rpartition("/")
            pods[str(name)] = PodRequest(workload=workload, node_pool=str(said["node_pool"]), **numbers)
    return pods


def exchange_problems(
    before: Mapping[str, PodRequest],
    plan: StackPlan,
    unsized: Collection[str] = (),
    autoscaled: Collection[str] = (),
) -> Iterator[Problem]:
    """One problem for each pool where an update would wait for ever; `before` are the pods that are deployed.

    Those of `unsized` Deployments are deployed as well, and what they take is not known: they may fill the pool. Those
    of `autoscaled` ones are as many as the autoscaler makes that is deployed.
    """
    after = packed(plan)
    before = deployed(before, unsized, after, plan)
    ending = {name: _of_unknown_size(name) for name in sorted(unsized) if name not in after}
    for pools in groups(plan):
        names = {pool.name for pool in pools}
        gone = {name: pod for name, pod in before.items() if pod.node_pool in names and name not in after}
        going = [
            *going_last(before, after, plan, pools, autoscaled),
            *(told(name, pod, plan) for name, pod in ending.items()),
        ]
        staying = [pod for pod in after.values() if pod.node_pool in names]
        grown = [pod for name, pod in after.items() if pod.node_pool in names and _grows(before.get(name), pod, names)]
        added = [pod for name, pod in after.items() if pod.node_pool in names and name not in before]
        if going and (grown or added) and (ending or not hold([*staying, *going], pools)):
            owners = {on_demand_name(workload.name): workload.name for workload in plan.workloads}
            first = [*added, *grown][0].workload
            enough = "perhaps not enough" if ending else "not enough"
            yield _problem(owners.get(first, first), pools, enough, going, grown, added, _rename(gone, added, plan))


def exchange_notes(before: Mapping[str, PodRequest], plan: StackPlan) -> Iterator[Note]:
    """A note where pods take the place of others on a cluster that nobody says the size of."""
    if plan.cluster.managed is not None:
        return  # its pools say it, and Autopilot makes nodes
    before, after = placed(before, plan), packed(plan)
    described = {pool.name for pool in plan.node_pools}
    added = [pod for name, pod in after.items() if name not in before and pod.node_pool not in described]
    gone = {name: pod for name, pod in before.items() if name not in after and pod.node_pool not in described}
    if added and gone:
        going, new = _names([told(name, pod, plan) for name, pod in gone.items()]), _names(added)
        rename = _rename(gone, added, plan)
        same = f"; where it is a rename, set {rename}" if rename else ""
        yield Note(
            f"workloads.{added[0].workload}",
            f"{new} starts before {going} is deleted, and no pool says how many GPUs the cluster has: where none is "
            f"free, it waits until the update fails. Describe the nodes in nodePools to have that judged{same}",
        )


def _json(pods: Mapping[str, PodRequest]) -> dict[str, dict[str, Any]]:
    return {name: {field: getattr(pod, field) for field in _FIELDS} for name, pod in pods.items()}


def most_of(told: Mapping[str, PodRequest], held: Mapping[str, PodRequest]) -> dict[str, PodRequest]:
    """The most that is deployed by what outputs told last and by what the state holds, by namespace and name.

    They differ where a killed update was adopted: it told nothing, and may have left pods of both sizes.
    """
    return {**held, **{name: _larger(pod, held.get(name, pod)) for name, pod in told.items()}}


def unsettled(told: Mapping[str, PodRequest], held: Mapping[str, PodRequest]) -> frozenset[str]:
    """Deployments, by namespace and name, of which the two tell otherwise: their pods may be of several sizes."""

    def asked(pod: PodRequest) -> tuple[int, ...]:
        return tuple(getattr(pod, size) for size in _SIZES)

    return frozenset(name for name in told.keys() & held.keys() if asked(told[name]) != asked(held[name]))


def _larger(old: PodRequest, new: PodRequest) -> PodRequest:
    """As many and as large as either, where the old ones are."""
    return replace(old, **{size: max(getattr(old, size), getattr(new, size)) for size in _SIZES})


def _of_unknown_size(name: str) -> PodRequest:
    return PodRequest(
        workload=name.rpartition("/")[2], cpu_millis=0, memory_bytes=0, ephemeral_bytes=0, gpus=0, replicas=0
    )


def _rename(gone: Mapping[str, PodRequest], added: Sequence[PodRequest], plan: StackPlan) -> str:
    """The edit by which pods that come are those that go under another name; empty where they cannot be."""
    if len(gone) != 1 or len(added) != 1:
        return ""
    ((name, old),), (new,) = gone.items(), added
    alike = old.size == new.size and namespace_of(name) == plan.namespace
    return f"workloads.{new.workload}.renamedFrom: {old.workload}" if alike else ""


def _grows(old: PodRequest | None, new: PodRequest, pools: Collection[str]) -> bool:
    """Whether a Deployment that stays takes more of the pools: another pool's, more pods, or larger ones."""
    if old is None:
        return False
    return old.node_pool not in pools or any(getattr(new, size) > getattr(old, size) for size in _SIZES)


def _problem(
    workload: str,
    pools: Sequence[PoolRoom],
    enough: str,
    going: Sequence[PodRequest],
    grown: Sequence[PodRequest],
    added: Sequence[PodRequest],
    rename: str,
) -> Problem:
    gone, new = _names(going), _names([*added, *grown])
    message = (
        f"{room_of(pools)}, {enough} for {gone} and {new} at the same time. "
        f"Pulumi deletes {gone} last, so {new} would wait for its GPUs until the update fails"
    )
    waits = [f"without {_names(added)}"] if added else []
    waits += [f"with {_names(grown)} as deployed"] if grown else []
    steps = f"in two updates: (1) this config {' and '.join(waits)}, pulumi up; (2) this config, pulumi up"
    if rename:
        steps = f"where {new} is {gone} under another name: {rename}; else {steps}"
    return Problem(f"workloads.{workload}", message, steps)


def _names(pods: Sequence[PodRequest]) -> str:
    return ", ".join(pod.workload for pod in pods)
