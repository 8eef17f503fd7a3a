"""Nodes that are made for a pod, as Autopilot makes them: the smallest machine that holds it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from l4serve.planning.machines.allocatable import Allocatable, allocatable
from l4serve.planning.machines.boot_disks import DEFAULT_BOOT_DISK_GB, boot_disk_gib
from l4serve.planning.machines.daemonsets import Overhead, daemonset_overhead
from l4serve.planning.machines.shapes import MachineShape, all_shapes


def made_machine(requests: Allocatable, accelerator: str) -> MachineShape | None:
    """The machine that is made, and charged at the least, for a pod with these requests; None where none holds it."""
    return first_holding(with_daemonsets(requests, daemonset_overhead()), by_size(all_shapes(accelerator)))


def largest_pod(accelerator: str, gpus: int) -> Allocatable:
    """The most CPU and memory that a pod with so many GPUs may ask of any machine, each by itself."""
    taken = daemonset_overhead()
    rooms = [allocatable(s, boot_disk_gib=DEFAULT_BOOT_DISK_GB) for s in all_shapes(accelerator) if s.gpus >= gpus]
    return Allocatable(
        cpu_millis=max((room.cpu_millis for room in rooms), default=0) - taken.cpu_millis,
        memory_bytes=max((room.memory_bytes for room in rooms), default=0) - taken.memory_bytes,
        ephemeral_bytes=0,
        gpus=gpus,
        pods=1,
    )


def with_daemonsets(requests: Allocatable, overhead: Overhead) -> Allocatable:
    """What a pod needs of an empty node, beside GKE's own daemonsets."""
    return replace(
        requests,
        cpu_millis=requests.cpu_millis + overhead.cpu_millis,
        memory_bytes=requests.memory_bytes + overhead.memory_bytes,
    )


def by_size(shapes: Iterable[MachineShape]) -> tuple[MachineShape, ...]:
    """The shapes by GPUs, then vCPUs."""
    return tuple(sorted(shapes, key=lambda shape: (shape.gpus, shape.vcpus)))


def first_holding(requests: Allocatable, shapes: Iterable[MachineShape]) -> MachineShape | None:
    """The first shape whose node holds a pod with these requests; None if there is none."""
    disk = made_disk_gib(requests)
    return next((shape for shape in shapes if _holds(allocatable(shape, boot_disk_gib=disk), requests)), None)


def made_disk_gib(requests: Allocatable) -> int:
    """Autopilot sizes the disk to the pod: what it asks for lies beside what GKE reserves."""
    return boot_disk_gib(requests.ephemeral_bytes, at_least=DEFAULT_BOOT_DISK_GB)


def _holds(node: Allocatable, pod: Allocatable) -> bool:
    return (
        pod.cpu_millis <= node.cpu_millis
        and pod.memory_bytes <= node.memory_bytes
        and pod.ephemeral_bytes <= node.ephemeral_bytes
        and pod.gpus <= node.gpus
    )
