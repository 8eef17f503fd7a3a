"""Values as YAML that a user can copy into a stack file."""

from typing import Any

import yaml


def flow(value: Any) -> str:
    """A value on one line."""
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000)
    return text.removesuffix("\n").removesuffix("\n...").rstrip()


def block(value: Any) -> str:
    """A value over several lines."""
    text: str = yaml.safe_dump(value, sort_keys=False, width=10_000)
    return text
