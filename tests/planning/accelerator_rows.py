"""An accelerator that no table has, added to temporary copies of them: rows alone."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from l4serve.config import data_file
from tests.caches import clear_caches

ACCELERATOR = "nvidia-unheard-of"
MACHINE = "x9-highgpu-2g"
TOTAL_GIB = 30.0
USD = {"on-demand": 6.0, "spot": 2.0}
SOURCE = "https://cloud.google.com/compute/docs/gpus"

ROWS: dict[str, Any] = {
    "machine_shapes.yaml": {
        "shapes": [
            {
                "machineType": MACHINE,
                "accelerator": ACCELERATOR,
                "source": SOURCE,
                "soldAs": ["on-demand", "spot"],
                "gpus": 2,
                "vcpus": 16,
                "memoryGib": 128,
                "localSsd": [0, 2],
            }
        ]
    },
    "gpus.yaml": {
        "gpus": {
            ACCELERATOR: {
                "totalGib": [29.5, TOTAL_GIB],
                "contextGib": 0.4,
                "computeCapability": "13.0",
                "link": "NVLink",
                "fp16Tflops": None,
                "source": SOURCE,
            }
        }
    },
    "prices.yaml": {
        "machinesPerGpu": {
            "families": {
                "x9-highgpu": {"accelerator": ACCELERATOR, "regions": {"us-central1": [USD["on-demand"] / 2, 1.0]}}
            }
        }
    },
    "accelerator_zones.yaml": {"zones": {ACCELERATOR: {"us-central1": ["b"]}}},
}
KERNELS: dict[str, Any] = {
    "cards.yaml": {"vllm": [{"versions": ">=0.26", "capabilities": ["13.0"]}]},
}
"""What the engine does on the card's compute capability; without these rows it is not judged."""


@contextmanager
def added_rows(*tables: dict[str, Any]) -> Iterator[None]:
    """The tables with the rows laid in, as long as the context lasts."""
    rows = {name: extra for table in tables for name, extra in table.items()}
    read = data_file.read_data

    def with_rows(path: Path) -> Any:
        table = read(path)
        return _laid_in(copy.deepcopy(table), rows[path.name]) if path.name in rows else table

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data_file, "read_data", with_rows)
        clear_caches()
        try:
            yield
        finally:
            patch.undo()
            clear_caches()


def _laid_in(table: Any, extra: Any) -> Any:
    if isinstance(table, list):
        return [*table, *extra]
    for key, value in extra.items():
        table[key] = _laid_in(table[key], value) if isinstance(table.get(key), dict | list) else value
    return table
