"""Reads the project's own YAML data."""

from pathlib import Path
from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Built on libyaml where PyYAML has it, which is several times as fast."""


def read_yaml(path: Path) -> Any:
    """The parsed file."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - both loaders are safe ones
