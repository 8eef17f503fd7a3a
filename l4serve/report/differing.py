"""Of two values of a plan what differs: what is the same on both sides hides it in a long line."""

from collections.abc import Mapping
from typing import Any


def differing(before: Any, after: Any) -> tuple[Any, Any]:
    """Two values; of two objects only the keys whose values differ, of two lists only what one of them lacks."""
    if isinstance(before, list) and isinstance(after, list):
        return _lacking(before, after)
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return before, after
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    old, new = {key: before[key] for key in keys if key in before}, {key: after[key] for key in keys if key in after}
    for key in keys:
        if isinstance(old.get(key), list) and isinstance(new.get(key), list):
            old[key], new[key] = _lacking(old[key], new[key])
    return old, new


def _lacking(before: list[Any], after: list[Any]) -> tuple[list[Any], list[Any]]:
    """What each of two lists has that the other lacks; both whole where they differ in their order alone."""
    gone, come = [item for item in before if item not in after], [item for item in after if item not in before]
    return (_unlike(gone, come), _unlike(come, gone)) if gone or come else (before, after)


def _unlike(items: list[Any], others: list[Any]) -> list[Any]:
    """Items of a list; of one that the other list has by the same name only that and what differs."""
    named = {other["name"]: other for other in others if isinstance(other, Mapping) and "name" in other}
    pairs = [(item, named.get(item.get("name")) if isinstance(item, Mapping) else None) for item in items]
    return [
        item if other is None else {key: each for key, each in item.items() if key == "name" or each != other.get(key)}
        for item, other in pairs
    ]
