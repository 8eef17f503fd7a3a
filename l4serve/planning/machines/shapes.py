"""Machine shapes: what one GPU node of a machine type holds. Figures: data/machine_shapes.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from l4serve.config.data_file import load_data

DEFAULT_ACCELERATOR = "nvidia-l4"
LOCAL_SSD_GIB = 375


@dataclass(frozen=True)
class MachineShape:
    """One machine type as Compute Engine sells it, before GKE reserves anything."""

    machine_type: str
    accelerator: str
    gpus: int
    vcpus: int
    memory_gib: int
    local_ssd_counts: tuple[int, ...]
    source: str


@cache
def _shapes() -> tuple[MachineShape, ...]:
    table = load_data(__file__, "machine_shapes.yaml")
    return tuple(
        MachineShape(
            machine_type=row["machineType"],
            accelerator=row["accelerator"],
            gpus=row["gpus"],
            vcpus=row["vcpus"],
            memory_gib=row["memoryGib"],
            local_ssd_counts=tuple(row["localSsd"]),
            source=row.get("source", table["source"]),
        )
        for row in table["shapes"]
    )


def all_shapes(accelerator: str | None = DEFAULT_ACCELERATOR) -> tuple[MachineShape, ...]:
    """Every known shape of an accelerator (all shapes when None), in the table's order: by vCPUs within a family."""
    return tuple(shape for shape in _shapes() if accelerator in (None, shape.accelerator))


def find_shape(machine_type: str) -> MachineShape | None:
    """The shape of a machine type, or None when the table lacks it."""
    return next((shape for shape in _shapes() if shape.machine_type == machine_type), None)


def accelerators() -> tuple[str, ...]:
    """The accelerator names that the table knows, sorted."""
    return tuple(sorted({shape.accelerator for shape in _shapes()}))
