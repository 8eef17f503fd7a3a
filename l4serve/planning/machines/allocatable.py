"""What a GKE node leaves for pods: capacity less kernel, kube-reserved and eviction thresholds.

Formulas and figures: data/gke_reserved.yaml (kubernetes/autoscaler's GCE provider, GKE's node sizing page).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.planning.machines.daemonsets import daemonset_overhead
from l4serve.planning.machines.shapes import LOCAL_SSD_GIB, MachineShape
from l4serve.planning.values.quantity import GIB, KIB, MIB


@frozen()
class Allocatable:
    """Resources of one node, or of one pod, in the units of the scheduler."""

    cpu_millis: int
    memory_bytes: int
    ephemeral_bytes: int
    gpus: int
    pods: int


def capacity(shape: MachineShape, *, boot_disk_gib: int, local_ssds: int = 0) -> Allocatable:
    """What the kubelet reports as the node's capacity: kernel memory and partitions are gone, nothing else is.

    `local_ssds` counts the 375 GiB disks that back ephemeral storage (0: the boot disk does).
    """
    physical = shape.memory_gib * GIB
    table = load_data(__file__, "gke_reserved.yaml")
    return Allocatable(
        cpu_millis=shape.vcpus * 1000,
        memory_bytes=physical - _kernel_reserved(physical),
        ephemeral_bytes=_local_ssd_bytes(local_ssds) if local_ssds else _boot_disk_bytes(boot_disk_gib),
        gpus=shape.gpus,
        pods=table["maxPodsPerNode"]["value"],
    )


def allocatable(shape: MachineShape, *, boot_disk_gib: int, local_ssds: int = 0) -> Allocatable:
    """What the scheduler may hand out on one node of the shape, GKE's own daemonsets included."""
    table = load_data(__file__, "gke_reserved.yaml")
    full = capacity(shape, boot_disk_gib=boot_disk_gib, local_ssds=local_ssds)
    kube, eviction = table["kubeReserved"], table["eviction"]
    cpu_reserved = _by_brackets(full.cpu_millis, kube["cpuMillis"])
    memory_reserved = _memory_reserved_mib(shape.memory_gib * GIB / MIB) + eviction["memoryMib"]
    disk_reserved = _disk_reserved(boot_disk_gib, local_ssds) + eviction["ephemeralShare"] * full.ephemeral_bytes
    return Allocatable(
        cpu_millis=full.cpu_millis - math.ceil(cpu_reserved),
        memory_bytes=full.memory_bytes - math.ceil(memory_reserved * MIB),
        ephemeral_bytes=max(0, full.ephemeral_bytes - math.ceil(disk_reserved)),
        gpus=full.gpus,
        pods=full.pods,
    )


@lru_cache(maxsize=1024)
def free_for_workloads(
    shape: MachineShape, *, boot_disk_gib: int, local_ssds: int = 0, features: AbstractSet[str] | None = None
) -> Allocatable:
    """What a node leaves once GKE's daemonsets run: `features` as `daemonset_overhead` takes them."""
    node = allocatable(shape, boot_disk_gib=boot_disk_gib, local_ssds=local_ssds)
    overhead = daemonset_overhead(features)
    return Allocatable(
        cpu_millis=max(0, node.cpu_millis - overhead.cpu_millis),
        memory_bytes=max(0, node.memory_bytes - overhead.memory_bytes),
        ephemeral_bytes=node.ephemeral_bytes,
        gpus=node.gpus,
        pods=node.pods - overhead.pods,
    )


def pod_capacity(
    shape: MachineShape,
    gpus_per_pod: int,
    *,
    boot_disk_gib: int,
    local_ssds: int = 0,
    features: AbstractSet[str] | None = None,
) -> Allocatable:
    """What one pod of so many GPUs may ask when the node is filled with such pods, in equal parts.

    Raises ValueError for a pod with no GPU or with more than the shape has.
    """
    if not 1 <= gpus_per_pod <= shape.gpus:
        raise ValueError(f"a pod of {gpus_per_pod} GPUs does not fit {shape.machine_type}, which has {shape.gpus}")
    node = free_for_workloads(shape, boot_disk_gib=boot_disk_gib, local_ssds=local_ssds, features=features)
    pods = shape.gpus // gpus_per_pod
    return Allocatable(
        cpu_millis=node.cpu_millis // pods,
        memory_bytes=node.memory_bytes // pods,
        ephemeral_bytes=node.ephemeral_bytes // pods,
        gpus=gpus_per_pod,
        pods=1,
    )


def most_measured_ssds() -> int:
    """The most local SSDs whose overhead as ephemeral storage is known."""
    return int(max(load_data(__file__, "gke_reserved.yaml")["localSsd"]["overheadKib"]))


def _by_brackets(amount: float, brackets: Sequence[Sequence[float]]) -> float:
    """Progressive reservation: each bracket's share applies to the part of the amount inside it."""
    starts = [start for start, _ in brackets] + [math.inf]
    return sum(
        max(0.0, min(amount, end) - start) * share for (start, share), end in zip(brackets, starts[1:], strict=True)
    )


def _memory_reserved_mib(physical_mib: float) -> float:
    kube = load_data(__file__, "gke_reserved.yaml")["kubeReserved"]
    if physical_mib < 1000:
        return float(kube["memoryMibBelow1000"])
    return _by_brackets(physical_mib, kube["memoryMib"])


def _kernel_reserved(physical: int) -> int:
    """Bytes that the kernel keeps, estimated as the cluster autoscaler does for a node it has not seen yet."""
    kernel = load_data(__file__, "gke_reserved.yaml")["kernel"]
    reserved = physical // kernel["ratio"] + kernel["fixedMib"] * MIB
    reserved += kernel["swiotlbMib"] * MIB if physical > kernel["swiotlbAboveGib"] * GIB else 0
    reserved += kernel["lowMemoryMib"] * MIB if physical <= kernel["lowMemoryUpToGib"] * GIB else 0
    return int(reserved + min(kernel["correctionShare"] * physical, kernel["correctionMaxMib"] * MIB))


def _boot_disk_bytes(size_gib: int) -> int:
    disk = load_data(__file__, "gke_reserved.yaml")["bootDisk"]
    size = size_gib * GIB
    used = math.ceil(disk["osShare"] * size) + math.ceil(disk["osFixedGib"] * GIB)
    used += math.ceil(min(disk["bufferMaxMib"] * MIB, disk["bufferShare"] * size))
    return int(max(0, size - used))


def _local_ssd_bytes(count: int) -> int:
    overhead = load_data(__file__, "gke_reserved.yaml")["localSsd"]["overheadKib"]
    if count not in overhead:
        raise ValueError(f"ephemeral storage on {count} local SSDs is unknown; known counts: 1 to {max(overhead)}")
    return int(count * LOCAL_SSD_GIB * GIB - overhead[count] * KIB)


def _disk_reserved(boot_disk_gib: int, local_ssds: int) -> float:
    table = load_data(__file__, "gke_reserved.yaml")
    if local_ssds:
        ssd = table["localSsd"]
        return float(ssd["reserveGib"].get(local_ssds, ssd["reserveGibFrom3"]) * GIB)
    disk = table["bootDisk"]
    shared = disk["reserveFixedGib"] + disk["reserveShare"] * boot_disk_gib
    return float(min(disk["reserveShareOnly"] * boot_disk_gib, shared, disk["reserveMaxGib"]) * GIB)
