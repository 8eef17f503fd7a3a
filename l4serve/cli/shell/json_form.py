"""Values as the JSON that commands print: a field's name in camel case, a mapping's keys as they are."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from pydantic.alias_generators import to_camel


def json_form(value: Any) -> Any:
    """Dataclasses, mappings and sequences as plain dicts and lists."""
    if is_dataclass(value):
        return {to_camel(field.name): json_form(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: json_form(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [json_form(inner) for inner in value]
    return value
