"""A config as a key of a cache: equal for two that were written alike, wherever each came from."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from pydantic import BaseModel


def written(value: object) -> Hashable:
    """What is set in a config, as one hashable value. Values that are equal and are written apart stay apart."""
    match value:
        case str() | None:
            return value
        case BaseModel():
            held = vars(value)
            return (type(value), *((name, written(held[name])) for name in sorted(value.model_fields_set)))
        case Mapping():
            return (Mapping, *((name, written(inner)) for name, inner in value.items()))
        case tuple() | list():
            return (tuple, *map(written, value))
    return type(value), repr(value) if isinstance(value, float) else value
