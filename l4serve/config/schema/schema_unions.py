"""Unions of a JSON Schema written so that what is wrong is found at its key, and never at the object above it.

A validator that finds no member of an `anyOf` to fit can only say so of the whole. Which member is meant is therefore
told first: an object by its tag, a value by its JSON type; null is one more type.
"""

from collections.abc import Mapping, Sequence
from typing import Any

_NULL = {"type": "null"}
_TEXTS = frozenset({"title", "description", "default", "examples"})


def told_apart(schema: Any) -> Any:
    """The schema with every union told apart by a tag or by types.

    Its definitions no longer state that they are objects: each place that refers to one does, with null where that is
    taken. AssertionError for a union of two objects without a tag, which nothing tells apart.
    """
    if isinstance(schema, list):
        return [told_apart(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: told_apart(value) for key, value in schema.items()}
    if "$defs" in found:
        found["$defs"] = {name: _untyped(definition) for name, definition in found["$defs"].items()}
    if "$ref" in found:
        found["type"] = "object"
    if "discriminator" in found:
        found |= _by_tag(found.pop("oneOf"), found.pop("discriminator"))
    if isinstance(options := found.pop("anyOf", None), list):
        found |= _by_type([option for option in options if option != _NULL])
        found = or_null(found) if _NULL in options else found
    return found


def or_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema that is told apart, which takes null as well."""
    if "if" in schema:
        return {"if": _NULL, "else": schema}
    if "anyOf" in schema:
        return {**schema, "anyOf": [*schema["anyOf"], _NULL]}
    found = {**schema, "type": list(dict.fromkeys((*_types(schema), "null")))}
    if "const" in found:
        found["enum"] = [found.pop("const")]
    if "enum" in found:
        found["enum"] = list(dict.fromkeys((*found["enum"], None)))
    return found


def _untyped(definition: Mapping[str, Any]) -> dict[str, Any]:
    assert definition["type"] == "object", "what a reference leads to is an object"
    return {key: value for key, value in definition.items() if key != "type"}


def _by_tag(members: Sequence[Mapping[str, Any]], discriminator: Mapping[str, Any]) -> dict[str, Any]:
    tag, names = discriminator["propertyName"], discriminator["mapping"]
    assert len(members) == len(names), "each member of a union has a tag of its own"
    cases = [
        {"if": {"properties": {tag: {"const": name}}, "required": [tag]}, "then": {"$ref": ref}}
        for name, ref in names.items()
    ]
    return {"type": "object", "required": [tag], "properties": {tag: {"enum": list(names)}}, "allOf": cases}


def _by_type(options: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One schema for several, of which each takes JSON types of its own; keywords of a type pass over the others."""
    if len(options) == 1:
        return dict(options[0])
    types = [kind for option in options for kind in _types(option)]
    if len(types) > len(set(types)) or {"integer", "number"} <= set(types):
        assert "object" not in types, "only a tag tells two objects apart"
        assert "array" not in types, "nothing tells two lists apart"
        return _overlapping(options)
    found: dict[str, Any] = {"type": types}
    for option in options:
        part = {key: value for key, value in option.items() if key not in _TEXTS and key != "type"}
        if part.keys() & {"enum", "const", "allOf", "if"}:
            # These keywords hold for values of every type; editors know `errorMessage`, and say no other type else.
            words = [str(value) for value in part.get("enum", [part.get("const")]) if value is not None]
            said = f"expected: {' or '.join([*(kind for kind in types if kind != option['type']), *words])}"
            then = {**part, "errorMessage": said}
            part = {"allOf": [*found.get("allOf", []), {"if": {"type": option["type"]}, "then": then}]}
        found |= part
    return found


def _overlapping(options: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Plain values of one type in several forms: any of them, which a validator says of the value itself."""
    forms = [{key: value for key, value in option.items() if key not in _TEXTS} for option in options]
    distinct = [form for place, form in enumerate(forms) if form not in forms[:place]]
    if len(distinct) == 1:
        return dict(distinct[0])
    if all(form.keys() == {"type", "enum"} and form["type"] == distinct[0]["type"] for form in distinct):
        return {"type": distinct[0]["type"], "enum": list(dict.fromkeys(v for form in distinct for v in form["enum"]))}
    return {"anyOf": distinct}


def _types(schema: Mapping[str, Any]) -> Sequence[str]:
    stated = schema["type"]
    return [stated] if isinstance(stated, str) else stated
