"""Room on the system pool for what the stack puts beside GKE's own pods: endpoint pickers, and Jobs that fill disks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from l4serve.config.keys.cluster_options import SystemPool
from l4serve.config.refusals.problems import Problem
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.machines.boot_disks import disk_for_images
from l4serve.planning.machines.system_machines import holds_nothing, pods_on
from l4serve.planning.values.quantity import GIB, parse_bytes, parse_cpu
from l4serve.planning.workload.pods.weight_disk import fill_disk, fill_requests
from l4serve.planning.workload.reach.endpoint_picker import PickerPlan

_MOST_NODES = 100
_ENOUGH = "e2-standard-4"


def room_problems(
    cluster: ClusterPlan, pickers: Sequence[PickerPlan], images_gib: float | None = None
) -> Iterator[Problem]:
    """A system pool that is too small for the endpoint pickers, and for one filling Job at a time beside them.

    `images_gib` are the images, unpacked, of the engines whose disks are filled; None where no disk is.
    """
    system = cluster.managed.system_pool if cluster.managed else None
    if system is None:
        return
    yield from _tiny_machines(system)
    if images_gib is not None:
        yield from _disk_problems(system, images_gib)
    asked = [picker.resources["requests"] for picker in pickers] + ([] if images_gib is None else [fill_requests()])
    if not asked:
        return
    pod = _largest(asked)
    machines = (system.machine_type, *system.fallback_machine_types)
    rooms = [pods_on(machine, system.max_nodes, pod, system.disk_size_gb) for machine in machines]
    if 0 in rooms[1:]:
        machine = machines[rooms.index(0, 1)]
        what = f"{machine} could not stand in: beside GKE's own pods it holds none of {pod[0] / 1000:g} CPU"
        yield Problem("cluster.systemPool.fallbackMachineTypes", what, f"use a larger one, such as {_ENOUGH}")
        return
    if None in rooms or (room := sum(each or 0 for each in rooms)) >= len(asked):
        return
    whom = _named(len(pickers), images_gib is not None)
    message = f"{whom}, and {_nodes(system)} beside GKE's own pods hold {room} of {pod[0] / 1000:g} CPU each"
    yield Problem(*_remedy(system, len(asked), pod, message))


def _tiny_machines(system: SystemPool) -> Iterator[Problem]:
    """Machines on which GKE's own pods find no place, whatever else the stack puts there."""
    fallbacks = (("fallbackMachineTypes", machine) for machine in system.fallback_machine_types)
    for field, machine in (("machineType", system.machine_type), *fallbacks):
        if holds_nothing(machine, system.disk_size_gb):
            what = f"the daemonsets of GKE leave no memory of {machine}, and its other pods would stay Pending"
            yield Problem(f"cluster.systemPool.{field}", what, f"use a larger one, such as {_ENOUGH}")


def _disk_problems(system: SystemPool, images_gib: float) -> Iterator[Problem]:
    """A disk that the images of the Jobs fill: each of them may lie on one node, beside what a Job itself writes."""
    least = disk_for_images(images_gib + parse_bytes(fill_disk()) / GIB)
    if system.disk_size_gb < least:
        what = f"the Job that fills a disk has its engine's image of {images_gib:g} GiB, which would evict pods"
        yield Problem("cluster.systemPool.diskSizeGb", what, f"set it to {least}")


def nodes_for(system: SystemPool, pickers: Sequence[PickerPlan]) -> int:
    """System nodes that the endpoint pickers take; at least one, and one for a machine whose size nobody knows."""
    if not pickers:
        return 1
    pod = _largest([picker.resources["requests"] for picker in pickers])
    return _fewest(system, len(pickers), pod) or 1


def _largest(asked: Sequence[Mapping[str, str]]) -> tuple[int, int]:
    return max(parse_cpu(each["cpu"]) for each in asked), max(parse_bytes(each["memory"]) for each in asked)


def _fewest(system: SystemPool, count: int, pod: tuple[int, int]) -> int | None:
    """The fewest nodes that hold so many; None where no number does, or nobody knows."""
    for nodes in range(1, _MOST_NODES + 1):
        held = pods_on(system.machine_type, nodes, pod, system.disk_size_gb)
        if held is None or held >= count:
            return nodes if held is not None else None
    return None


def _named(pickers: int, fills: bool) -> str:
    picking = f"{pickers} endpoint picker{'s' if pickers != 1 else ''} run{'s' if pickers == 1 else ''} there"
    filling = "a Job that fills a disk runs there"
    return " and ".join([*([picking] if pickers else []), *([filling] if fills else [])])


def _nodes(system: SystemPool) -> str:
    plural = "s" if system.max_nodes != 1 else ""
    return f"{system.max_nodes} node{plural} of {' or '.join((system.machine_type, *system.fallback_machine_types))}"


def _remedy(system: SystemPool, count: int, pod: tuple[int, int], message: str) -> tuple[str, str, str]:
    enough = _fewest(system, count, pod)
    if enough is None:
        return "cluster.systemPool.machineType", message, f"use a larger machine type, such as {_ENOUGH}"
    return "cluster.systemPool.maxNodes", message, f"set it to {enough}, or use a larger machine type"
