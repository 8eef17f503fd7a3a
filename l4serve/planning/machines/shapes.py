"""Machine shapes: what one GPU node of a machine type holds. Figures: data/machine_shapes.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.config.keys.node_pool import Provisioning

LOCAL_SSD_GIB = 375


@frozen()
class MachineShape:
    """One machine as Compute Engine sells it, before GKE reserves anything: a machine type that has its cards, or a
    host with the cards that a pool attaches to it."""

    machine_type: str
    accelerator: str
    gpus: int
    vcpus: int
    memory_gib: int
    local_ssd_counts: tuple[int, ...] | None
    """Counts of local SSDs that the type accepts; None where no source states them."""
    sold_as: tuple[Provisioning, ...]
    """How the machine is to be had."""
    source: str
    card_memory_gb: int | None = None
    """Memory of the card as it is sold with this type, in GB; None: the whole card that the accelerator names."""
    attached: bool = False
    """Whether a pool must attach the cards to the machine type."""

    @property
    def name(self) -> str:
        """The machine type, with its cards where a pool attaches them: n1-standard-8 + 1 nvidia-tesla-t4."""
        return f"{self.machine_type} + {self.gpus} {self.accelerator}" if self.attached else self.machine_type

    def sold(self, provisioning: str) -> bool:
        """Whether the machine is to be had that way, as far as a source says."""
        return not self.sold_as or provisioning in self.sold_as

    @property
    def most_local_ssds(self) -> int:
        """The most local SSDs that the type is known to accept."""
        return max(self.local_ssd_counts or (0,))


@frozen()
class AttachLimit:
    """The largest host that so many cards of an accelerator may be attached to."""

    max_vcpus: int
    max_memory_gib: int


@frozen()
class Attachable:
    """An accelerator that a pool attaches to machine types of a family."""

    family: str
    accelerator: str
    limits: Mapping[int, AttachLimit]
    """By count of cards."""
    hosts: tuple[str, ...]


def unplanned(accelerator: str) -> tuple[str, ...]:
    """Machine types of an accelerator that have no shape because a figure is missing."""
    rows = (row for row in _table()["shapes"] if row["accelerator"] == accelerator)
    return tuple(row["machineType"] for row in rows if row["memoryGib"] is None)


def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = load_data(__file__, "machine_shapes.yaml")
    return table


def default_accelerator() -> str:
    """The accelerator where a config says nothing of it: the one place that names it is the table."""
    return str(_table()["default"])


def all_shapes(accelerator: str | None) -> tuple[MachineShape, ...]:
    """Every known shape of an accelerator (all shapes when None), in the table's order: by vCPUs within a family."""
    return tuple(shape for shape in _shapes() if accelerator in (None, shape.accelerator))


@cache
def gpu_machine_types() -> frozenset[str]:
    """Every machine type that has cards of its own, or takes those that a pool attaches."""
    return frozenset(shape.machine_type for shape in _shapes())


def carries_gpus(machine_type: str) -> bool:
    """Whether a machine is of a series that has cards of its own."""
    return machine_type.partition("-")[0] in _own_series()


@cache
def _own_series() -> frozenset[str]:
    return frozenset(row["machineType"].partition("-")[0] for row in _table()["shapes"])


def find_shape(machine_type: str, attached: tuple[str, int] | None = None) -> MachineShape | None:
    """The shape of a machine type, with `attached` cards (accelerator, count) where it has none of its own.

    None when the table lacks it, also where it knows the machine type and a figure of it is missing.
    """
    wanted = (shape for shape in _shapes() if shape.machine_type == machine_type)
    if attached is None:
        return next((shape for shape in wanted if not shape.attached), None)
    return next((shape for shape in wanted if shape.attached and (shape.accelerator, shape.gpus) == attached), None)


def accelerators() -> tuple[str, ...]:
    """The accelerator names that the table knows, sorted."""
    return tuple(sorted({shape.accelerator for shape in _shapes()}))


def attachable(machine_type: str) -> tuple[Attachable, ...]:
    """What a pool may attach to a machine type; empty for one that has its own cards, or takes none."""
    family = machine_type.split("-")[0]
    return tuple(
        Attachable(
            family=row["family"],
            accelerator=row["accelerator"],
            limits={n: AttachLimit(limit["maxVcpus"], limit["maxMemoryGib"]) for n, limit in row["counts"].items()},
            hosts=tuple(host["machineType"] for host in row["hosts"]),
        )
        for row in _table()["attachable"]
        if row["family"] == family
    )


def missing_figure(machine_type: str) -> str | None:
    """Why a machine type of the table has no shape; None for one that has, and for one that the table lacks."""
    row = next((row for row in _table()["shapes"] if row["machineType"] == machine_type), None)
    if row is None or row["memoryGib"] is not None:
        return None
    return f"no source states the memory of {machine_type}, so what its pods may ask for is not known"


@cache
def _shapes() -> tuple[MachineShape, ...]:
    own = (_shape(row) for row in _table()["shapes"] if row["memoryGib"] is not None)
    return (*own, *_attached_shapes())


def _shape(row: Mapping[str, Any]) -> MachineShape:
    sources = _table()["sources"]
    return MachineShape(
        machine_type=row["machineType"],
        accelerator=row["accelerator"],
        gpus=row["gpus"],
        vcpus=row["vcpus"],
        memory_gib=row["memoryGib"],
        local_ssd_counts=tuple(row["localSsd"]) if row["localSsd"] is not None else None,
        sold_as=tuple(row["soldAs"]),
        source=sources.get(row["source"], row["source"]),
        card_memory_gb=row.get("cardMemoryGb"),
    )


def _attached_shapes() -> Iterator[MachineShape]:
    for row in _table()["attachable"]:
        for gpus, limit in row["counts"].items():
            for host in row["hosts"]:
                if host["vcpus"] <= limit["maxVcpus"] and host["memoryGib"] <= limit["maxMemoryGib"]:
                    yield MachineShape(
                        machine_type=host["machineType"],
                        accelerator=row["accelerator"],
                        gpus=gpus,
                        vcpus=host["vcpus"],
                        memory_gib=host["memoryGib"],
                        local_ssd_counts=tuple(row["localSsd"]) if row["localSsd"] is not None else None,
                        sold_as=tuple(row["soldAs"]),
                        source=row["source"],
                        attached=True,
                    )
