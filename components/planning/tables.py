"""Data tables of the planning room: YAML files beside this module, each figure with its source."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

DATA_DIR = Path(__file__).parent / "data"


@cache
def load_table(name: str) -> dict[str, Any]:
    """Return the parsed table `data/<name>.yaml`. Callers must not change the value: it is cached."""
    with (DATA_DIR / f"{name}.yaml").open(encoding="utf-8") as stream:
        table = yaml.safe_load(stream)
    if not isinstance(table, dict):
        raise TypeError(f"data table {name} must be a mapping, found {type(table).__name__}")
    return table
