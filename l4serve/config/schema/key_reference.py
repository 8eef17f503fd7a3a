"""Every key of a stack file as the reference and `l4serve explain` tell of it: text, type, default, example."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.config.schema.json_schema import config_schema, object_name, type_words


@frozen(kw_only=True)
class KeyEntry:
    """One key of one kind of object."""

    path: str
    """Path without the names of workloads and pools, such as workloads.engine.maxModelLen."""
    pattern: str
    """The same with `*` for a name and `[]` for a position, as the table of edits writes it."""
    part: str
    """The object that has the key, such as VllmEngine."""
    chosen_by: str
    """What picks this object where there are several, such as `kind: vllm`; empty where there is one."""
    text: str
    type: str
    default: str
    """As JSON; `required` for a key without one."""
    example: Any
    below: tuple[str, ...]
    """Keys of the object that the key holds."""


def known_keys() -> tuple[str, ...]:
    """Every path once, in the order of the models."""
    return tuple(dict.fromkeys(entry.path for entry in all_keys()))


@cache
def all_keys() -> tuple[KeyEntry, ...]:
    """Every key of every object, below each path that leads to it."""
    schema = config_schema()
    return tuple(_Walk(schema["$defs"]).keys({"": schema}, "StackConfig", "", ""))


@cache
def objects() -> Mapping[str, Mapping[str, Any]]:
    """Every object of the config by its name: the schema of each."""
    schema = config_schema()
    return {"StackConfig": schema, **dict(sorted(schema["$defs"].items()))}


def example_of(part: str, key: str) -> Any:
    """An example of a key's value: the data file's, else one that its type implies."""
    return _Walk(config_schema()["$defs"]).example(part, key, objects()[part]["properties"][key])


def default_text(definition: Mapping[str, Any], key: str) -> str:
    """A key's default as JSON, or `required`; that of a whole object is what its own keys say.

    What picks one of several objects is required, whatever the object itself says of it.
    """
    field = definition["properties"][key]
    if key in definition.get("required", ()) or ("const" in field and key in _picking()):
        return "required"
    default = field.get("default")
    return "see its keys" if isinstance(default, dict) and default and "$ref" in field else json.dumps(default)


@cache
def _picking() -> frozenset[str]:
    """Keys that pick one of several objects."""
    return frozenset(re.findall(r'"propertyName": "(\w+)"', json.dumps(config_schema())))


@frozen()
class _Walk:
    definitions: Mapping[str, Any]

    def keys(self, variants: Mapping[str, Any], part: str, path: str, pattern: str) -> Iterator[KeyEntry]:
        """The entries of one or several objects at a path; `variants` are keyed by what picks them."""
        for chosen_by, definition in variants.items():
            own = part or str(definition["title"])
            for key, field in definition.get("properties", {}).items():
                at, form = (f"{prefix}.{key}".lstrip(".") for prefix in (path, pattern))
                inner, step = self.inside(field)
                yield KeyEntry(
                    path=at,
                    pattern=form,
                    part=own,
                    chosen_by=chosen_by,
                    text=" ".join(field.get("description", "").split()),
                    type=type_words(field),
                    default=default_text(definition, key),
                    example=self.example(own, key, field),
                    below=tuple(dict.fromkeys(name for one in inner.values() for name in one.get("properties", {}))),
                )
                if inner:
                    yield from self.keys(inner, "", at, form + step)

    def inside(self, field: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
        """The objects that a field may hold, and the step of the path that leads into them."""
        if "$ref" in field:
            name = object_name(field)
            return {"": {"title": name, **self.definitions[name]}}, ""
        if "discriminator" in field:
            tag = field["discriminator"]["propertyName"]
            mapping = field["discriminator"]["mapping"]
            return {f"{tag}: {value}": self.inside({"$ref": ref})[0][""] for value, ref in mapping.items()}, ""
        for option in field.get("anyOf", ()):
            found, step = self.inside(option)
            if found:
                return found, step
        if isinstance(field.get("items"), Mapping):
            return self.inside(field["items"])[0], "[]"
        if isinstance(field.get("additionalProperties"), Mapping):
            return self.inside(field["additionalProperties"])[0], ".*"
        return {}, ""

    def example(self, part: str, key: str, field: Mapping[str, Any]) -> Any:
        """The example of the data file, else one that the type implies."""
        stated = load_data(__file__, "examples.yaml").get(part, {})
        return stated[key] if key in stated else self.implied(field)

    def implied(self, field: Mapping[str, Any]) -> Any:
        """An example that a type implies; None where the data file must state one."""
        if field.get("examples"):
            return field["examples"][0]
        if "const" in field:
            return field["const"]
        if "enum" in field:
            return next((value for value in field["enum"] if value != field.get("default")), field["enum"][0])
        if field.get("type") == "boolean":
            return not field.get("default", False)
        inner, step = self.inside(field)
        if inner:
            value = self.object_example(next(iter(inner.values())))
            return [value] if step == "[]" else {"name": value} if step else value
        options = [option for option in field.get("anyOf", ()) if option.get("type") != "null"]
        if options:
            return self.implied(options[0])
        if field.get("type") == "array" and (item := self.implied(field.get("items", {}))) is not None:
            return [item]
        return None

    def object_example(self, definition: Mapping[str, Any]) -> Any:
        """An object with its required keys, or with its first key where none is required."""
        properties, name = definition.get("properties", {}), str(definition["title"])
        wanted = definition.get("required") or list(properties)[:1]
        return {key: self.example(name, key, properties[key]) for key in wanted}


@cache
def _named() -> frozenset[str]:
    """Keys whose own keys are names."""
    return frozenset(
        re.sub(r"\.\*|\[\]", "", entry.pattern[: found.start()])
        for entry in all_keys()
        for found in re.finditer(r"\.\*", entry.pattern)
    )


def key_of(path: str) -> str:
    """The key that a path of a stack file is about: without names and positions, as `l4serve explain` takes it.

    A path that ends below every key, or at none, gives the nearest key above it; empty where there is none.
    """
    return _key_and_rest(path)[0]


def _key_and_rest(path: str) -> tuple[str, list[str]]:
    """The key that a path is about, and the names below it that are no keys."""
    written = re.sub(r"\[\d*\]", "", path).split(".")
    parts: list[str] = []
    places: list[int] = []
    for place, part in enumerate(written):
        # A name stands behind a key whose own keys are names.
        if ".".join(parts) not in _named() or (places and place > places[-1] + 1):
            parts.append(part)
            places.append(place)
    known = set(known_keys())
    while parts and ".".join(parts) not in known:
        parts.pop()
    return ".".join(parts), written[places[len(parts) - 1] + 1 if parts else 0 :]


def example_at(path: str, member: str = "") -> Any:
    """The example of the key at a path of a stack file, in a member of a union such as `vllm` where one is named.

    None where the path is no key's.
    """
    key, rest = _key_and_rest(path)
    if not key or len(rest) > 1:
        return None
    entries = [entry for entry in all_keys() if entry.path == key]
    entry = next((e for e in entries if e.chosen_by.endswith(f": {member}")), entries[0])
    item = path.endswith("]") and isinstance(entry.example, list)
    if rest:
        # The path names an entry of a mapping, whose own keys are names.
        values = entry.example if isinstance(entry.example, Mapping) and entry.type.startswith("map") else {}
        return values.get(rest[0], next(iter(values.values()), None))
    return entry.example[0] if item else entry.example
