"""Machines of a system pool: what their nodes leave for pods beside GKE's own, and which disks attach to them.

Figures: data/system_machines.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.planning.machines.allocatable import Allocatable, free_for_workloads
from l4serve.planning.machines.daemonsets import all_features
from l4serve.planning.machines.machine_types import custom_machine
from l4serve.planning.machines.shapes import MachineShape
from l4serve.planning.values.quantity import parse_bytes, parse_cpu

_GPU_FEATURES = frozenset({"dcgm"})


def system_disk_type(machine_type: str) -> str:
    """The type of disk that a node of a machine without GPUs boots from, and that attaches to it."""
    table = _table()
    only = machine_type.partition("-")[0] in table["hyperdiskOnly"]
    return str(table["disks"]["hyperdisk" if only else "usual"])


def has_no_gpus(machine_type: str) -> bool:
    """Whether a machine is of a family that carries no GPUs and takes none; N1 takes some."""
    family = machine_type.partition("-")[0]
    return family != "n1" and family in _table()["families"]


def is_arm(machine_type: str) -> bool:
    """Whether a machine has Arm processors, whose nodes GKE taints against what is built for x86."""
    return machine_type.partition("-")[0] in _table()["arm"]


def holds_nothing(machine_type: str, disk_gb: int) -> bool:
    """Whether GKE's own daemonsets leave no memory of a node; a machine whose size nobody knows may hold something."""
    free = _free(machine_type, disk_gb)
    return free is not None and not free.memory_bytes


def pods_on(machine_type: str, nodes: int, pod: tuple[int, int], disk_gb: int) -> int | None:
    """Pods of a size (thousandths of a CPU, bytes of memory) that so many nodes hold beside GKE's own pods.

    None for a machine whose size nobody knows.
    """
    free = _free(machine_type, disk_gb)
    if free is None or nodes < 1:
        return None if free is None else 0
    own = _table()["own"]
    first = _pods(free.cpu_millis - parse_cpu(own["cpu"]), free.memory_bytes - parse_bytes(own["memory"]), pod)
    return first + (nodes - 1) * _pods(free.cpu_millis, free.memory_bytes, pod)


def _pods(cpu_millis: int, memory_bytes: int, pod: tuple[int, int]) -> int:
    return max(0, min(cpu_millis // pod[0], memory_bytes // pod[1]))


@cache
def _free(machine_type: str, disk_gb: int) -> Allocatable | None:
    size = _size(machine_type)
    if size is None:
        return None
    shape = MachineShape(
        machine_type=machine_type,
        accelerator="",
        gpus=0,
        vcpus=size[0],
        memory_gib=int(size[1]),
        local_ssd_counts=None,
        sold_as=(),
        source=_table()["source"],
    )
    return free_for_workloads(shape, boot_disk_gib=disk_gb, features=all_features() - _GPU_FEATURES)


def _size(machine_type: str) -> tuple[int, float] | None:
    """CPUs and GiB of memory."""
    table = _table()
    if machine_type in table["shared"]:
        cpus, gib = table["shared"][machine_type]
        return cpus, gib
    if custom := custom_machine(machine_type):
        return custom.cpus, custom.mib / 1024
    family, _, rest = machine_type.partition("-")
    kind, _, count = rest.partition("-")
    count = count.partition("-")[0]
    per_cpu = table["families"].get(family, {}).get(kind)
    return (int(count), int(count) * per_cpu) if per_cpu is not None and count.isdigit() else None


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = load_data(__file__, "system_machines.yaml")
    return table
