"""A note: what an operator should know of a plan before it runs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """One remark about a part of the config."""

    path: str
    """YAML path that it is about."""
    text: str
