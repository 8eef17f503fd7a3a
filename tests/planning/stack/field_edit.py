"""An edit of one config field, for the tables of those that must change the plan."""

from typing import Any, NamedTuple


class FieldEdit(NamedTuple):
    """`path` as the field list has it; `given` is laid over the base before, `change` after."""

    path: str
    change: dict[str, Any]
    given: dict[str, Any] = {}
    base: str = "standard"
    has_token: bool = False


def at(prefix: str, general: str, **values: Any) -> list[FieldEdit]:
    return [FieldEdit(f"{general}.{key}", {f"{prefix}.{key}": value}) for key, value in values.items()]


def one(path: str, where: str, before: Any, after: Any, base: str = "standard") -> FieldEdit:
    return FieldEdit(path, {where: after}, {where: before}, base)
