"""Reads the project's own data: YAML and JSON files in the folder `data` beside the module that reads them."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Built on libyaml where PyYAML has it, which is several times as fast."""


@cache
def load_data(module: str, name: str) -> Any:
    """The parsed file `data/<name>` beside a module, given as its `__file__`.

    The value is read once and shared: callers must not change it.
    """
    return read_data(Path(module).parent / "data" / name)


@cache
def read_data(path: Path) -> Any:
    """The parsed YAML or JSON file, read once."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return json.loads(text)
    return yaml.load(text, Loader=_LOADER)  # noqa: S506 - both loaders are safe ones
