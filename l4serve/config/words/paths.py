"""Paths of a container or of an address, one below another."""

from collections.abc import Iterable


def lies_in(path: str, bases: Iterable[str]) -> bool:
    """Whether a path is one of some others, or lies below one of them."""
    return any(f"{path}/".startswith(f"{base}/") for base in bases)
