"""Whether a key of a stack's config takes a value, asked of the models themselves."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

_NAMED = ("nodePools", "computeClasses", "workloads")
"""Keys whose own keys are names, of which one is enough to ask of."""


def takes(
    model: type[BaseModel], given: Mapping[str, Any], keys: Sequence[int | str], loc: Sequence[int | str], value: Any
) -> bool:
    """Whether an object as it was given, with a value at `keys`, is no longer refused at `loc` or below it.

    `loc` is pydantic's location of the keys, which names members of unions too.
    """
    first = keys[:2] if keys[:1] and keys[0] in _NAMED else keys[:1]
    try:
        model.model_validate(_laid(_only(given, first), keys, value))
    except ValidationError as error:
        return not any(detail["loc"][: len(loc)] == tuple(loc) for detail in error.errors(include_url=False))
    return True


def _only(given: Any, keys: Sequence[int | str]) -> Any:
    """The object with what stands at the keys alone."""
    if not keys or not isinstance(given, Mapping) or keys[0] not in given:
        return given if not keys else {}
    return {keys[0]: _only(given[keys[0]], keys[1:])}


def _laid(given: Any, keys: Sequence[int | str], value: Any) -> Any:
    """The object with the value at the keys, what lies beside it as it was."""
    if not keys:
        return value
    key, rest = keys[0], keys[1:]
    if isinstance(key, int):
        items = [*given] if isinstance(given, list | tuple) else []
        return [_laid(item, rest, value) if i == key else item for i, item in enumerate(items)]
    inside = given if isinstance(given, Mapping) else {}
    return {**inside, key: _laid(inside.get(key), rest, value)}
