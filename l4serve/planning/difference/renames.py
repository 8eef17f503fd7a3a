"""Workloads that go while others come: renames that would load the model again, and Services that go with a name."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

from l4serve.planning.difference.stack_diff import Danger
from l4serve.planning.workload.workload_plan import WorkloadPlan


def renames(pairs: Sequence[tuple[WorkloadPlan | None, WorkloadPlan | None]]) -> Iterator[Danger]:
    """Each workload that comes and may be one that goes, or takes the name of its Service."""
    gone = {old.name: old for old, new in pairs if old is not None and new is None}
    alike, akin, services = (_queues(gone.values(), key) for key in (_starts_as, _serves, _service_of))
    for new in (new for old, new in pairs if new is not None and old is None):
        like = _first(alike[_starts_as(new)], gone) or _first(akin[_serves(new)], gone)
        if like is not None:
            del gone[like.name]
            told = (
                f"{like.name} is deleted and {new.name} made anew, with a load of the model and another address; "
                f"workloads.{new.name}.renamedFrom: {like.object_name} keeps pods and addresses"
            )
            yield Danger("rename", f"workloads.{new.name}", told)
        holder = _first(services[_service_of(new)], gone)
        if holder is not None and holder.namespace == new.namespace:
            told = (
                f"the Service {new.service.name} belongs to {holder.name}, which is deleted after {new.name} takes "
                f"the name: its address would go with it"
            )
            yield Danger("rename", f"workloads.{new.name}.service.name", told)


def _queues(
    workloads: Iterable[WorkloadPlan], key: Callable[[WorkloadPlan], Hashable]
) -> Mapping[Hashable, deque[WorkloadPlan]]:
    """The workloads of each key, in their order."""
    queues: defaultdict[Hashable, deque[WorkloadPlan]] = defaultdict(deque)
    for workload in workloads:
        queues[key(workload)].append(workload)
    return queues


def _first(queue: deque[WorkloadPlan], left: Mapping[str, WorkloadPlan]) -> WorkloadPlan | None:
    """The first of a queue that is left; those before it are not looked at again."""
    while queue and queue[0].name not in left:
        queue.popleft()
    return queue[0] if queue else None


def _starts_as(workload: WorkloadPlan) -> Hashable:
    return (workload.engine.image, workload.engine.argv, workload.layout)


def _serves(workload: WorkloadPlan) -> Hashable:
    """What a workload serves, if by another release, image or layout than another one."""
    return (workload.model.id, workload.engine.kind)


def _service_of(workload: WorkloadPlan) -> Hashable:
    return workload.service.name
