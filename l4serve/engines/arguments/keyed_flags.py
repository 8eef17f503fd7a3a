"""Flags that set one key of an object which a typed field sets as a whole."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic.alias_generators import to_snake

from l4serve.config.keys.workload import Engine
from l4serve.config.refusals.problems import Problem
from l4serve.engines.arguments.checking import Option

_NO_VALUE = ("", "None")
"""Values that leave an option of vLLM unset (`optional_type` of vllm/engine/arg_utils.py)."""


def key_problem(
    option: Option, options: Iterable[Option], owners: Mapping[str, str | Mapping[str, Any]], engine: Engine
) -> Problem:
    """Why such a flag is not the user's to set, with the object to write in place of all of its kind."""
    path, owner = f"extraArgs[{option.index}]", _owner(option, owners)
    assert owner is not None, "asked of a flag that sets a key alone"
    field, key = owner["field"], owner["key"]
    typed = getattr(engine, to_snake(field.removeprefix("engine."))) or {}
    told: dict[str, Any] = {}
    for each in options:
        of = _owner(each, owners)
        if of is not None and of["field"] == field and each.values and each.values[-1] not in _NO_VALUE:
            told.setdefault(of["key"], _read(each))
    if key in typed:
        message = f"{option.token} sets {key} beside {field}, which sets it to {json.dumps(typed[key])}"
        if told.get(key, typed[key]) == typed[key]:
            return Problem(path, message, "remove it")
        return Problem(path, message, f"remove it; if its value is meant, set {field}: {json.dumps({**typed, **told})}")
    message = f"{option.token} sets a part of what the typed field {field} sets"
    whole = {**told, **typed}
    return Problem(path, message, f"remove it, and set {field}: {json.dumps(whole)} instead" if whole else "remove it")


def _owner(option: Option, owners: Mapping[str, str | Mapping[str, Any]]) -> Mapping[str, Any] | None:
    owner = owners.get(option.flag.name) if option.flag else None
    return owner if owner is not None and not isinstance(owner, str) and "key" in owner else None


def _read(option: Option) -> Any:
    value = option.values[-1]
    return int(value) if option.flag and option.flag.type == "int" and value.isdecimal() else value
