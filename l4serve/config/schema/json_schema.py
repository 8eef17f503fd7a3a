"""The JSON Schema of the config models in the standard's own words, and its types as people read them."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from l4serve.config.keys.stack import StackConfig

_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
_MAPS = ("properties", "$defs")
_SIGNS = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}


@cache
def config_schema() -> Mapping[str, Any]:
    """The schema of a stack's object, with `$defs`. It is made once and shared: callers must not change it."""
    schema: Mapping[str, Any] = _standard(StackConfig.model_json_schema(by_alias=True))
    return schema


def _standard(schema: Any) -> Any:
    """Pydantic's schema in the standard's own words: bounds behind a validator, and patterns of a map's keys."""
    if isinstance(schema, list):
        return [_standard(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {
        _BOUNDS.get(key, key): {name: _standard(part) for name, part in value.items()}
        if key in _MAPS
        else _standard(value)
        for key, value in schema.items()
    }
    for pattern, values in result.pop("patternProperties", {}).items():
        names = result.get("propertyNames", {})
        result |= {"propertyNames": {**names, "pattern": pattern}, "additionalProperties": values}
    return result


def type_words(field: Mapping[str, Any]) -> str:
    """A field's type in words, with its bounds; an object by its name."""
    if "$ref" in field:
        return object_name(field)
    for key in ("anyOf", "oneOf"):
        if key in field:
            return " or ".join(type_words(option) for option in field[key] if option.get("type") != "null")
    if "enum" in field or "const" in field:
        return ", ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    if field.get("type") == "array":
        return f"list of {type_words(field.get('items', {}))}"
    if isinstance(extra := field.get("additionalProperties"), Mapping):
        return f"map of {type_words(extra)}"
    kind = field.get("type", "any")
    bounds = "".join(f" {sign} {field[key]}" for key, sign in _SIGNS.items() if key in field)
    return f"{kind if isinstance(kind, str) else kind[0]}{bounds}"


def object_name(field: Mapping[str, Any]) -> str:
    """The name of the object that a reference leads to."""
    return str(field["$ref"]).rsplit("/", 1)[-1]
