"""Data tables of the planning room: YAML files beside this module, each figure with its source."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from components.config.data_file import read_yaml

DATA_DIR = Path(__file__).parent / "data"


@cache
def load_table(name: str) -> dict[str, Any]:
    """Return the parsed table `data/<name>.yaml`. Callers must not change the value: it is cached."""
    table = read_yaml(DATA_DIR / f"{name}.yaml")
    if not isinstance(table, dict):
        raise TypeError(f"data table {name} must be a mapping, found {type(table).__name__}")
    return table
