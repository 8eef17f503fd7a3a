"""Edits of a YAML file that keep every other byte: comments, order, quotes and line breaks stay as they are.

The parser's marks say where a value stands, and the text around it is not written anew. ruamel.yaml keeps comments and
quotes, but writes the whole document: `{ b: 1 }`, `[1,2]`, an indent of four and CRLF come out in its own form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from l4serve.config.yaml_text import flow

Path = Sequence[str]


class YamlEditError(ValueError):
    """An edit that this module cannot make without touching other text."""


def with_values(text: str, values: Mapping[tuple[str, ...], Any]) -> str:
    """The text with a value at each path: in place of the one that is there, or as the last key of its mapping.

    Raises YamlEditError where a path leads through something else than mappings that are written out.
    """
    for path, value in values.items():
        text = _with_value(text, path, value)
    return text


def _with_value(text: str, path: Path, value: Any) -> str:
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    shared = _shared(node)
    for depth, key in enumerate(path):
        if id(node) in shared:
            where = ".".join(path[:depth])
            raise YamlEditError(
                f"{where} is written once for several places (&anchor, *alias): write it out for this one"
            )
        if not isinstance(node, yaml.MappingNode):
            raise YamlEditError(f"{'.'.join(path[:depth])} is not a mapping")
        found = next((inner for name, inner in node.value if name.value == key), None)
        if found is None:
            return _with_key(text, node, path[depth], _nested(path[depth + 1 :], value), ".".join(path[:depth]))
        node = found
    if not isinstance(node, yaml.ScalarNode):
        raise YamlEditError(f"{'.'.join(path)} is not a single value")
    if id(node) in shared:
        raise YamlEditError(f"{'.'.join(path)} is written once for several places: write it out for this one")
    return text[: node.start_mark.index] + flow(value) + text[node.end_mark.index :]


def _shared(root: yaml.Node | None) -> set[int]:
    """Identities of the nodes that aliases place a second time."""
    seen: set[int] = set()
    twice: set[int] = set()
    left = [root] if root is not None else []
    while left:
        node = left.pop()
        if id(node) in seen:
            twice.add(id(node))
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            left += [inner for pair in node.value for inner in pair]
        elif isinstance(node, yaml.SequenceNode):
            left += node.value
    return twice


def _nested(rest: Path, value: Any) -> Any:
    for key in reversed(rest):
        value = {key: value}
    return value


def _with_key(text: str, node: yaml.MappingNode, key: str, value: Any, where: str) -> str:
    entry = f"{key}: {flow(value)}"
    if not node.value:
        raise YamlEditError(f"{where} is empty")
    last = node.value[-1][1]
    if node.flow_style:
        at = last.end_mark.index
        return f"{text[:at]}, {entry}{text[at:]}"
    first = node.value[0][0].start_mark
    if isinstance(last, yaml.MappingNode | yaml.SequenceNode) and not last.flow_style:
        at = _end_of(last)
    else:
        at = last.end_mark.index
    at = _line_end(text, at)
    new_line = "\r\n" if "\r\n" in text else "\n"
    lead = "" if text[:at].endswith("\n") else new_line
    return f"{text[:at]}{lead}{' ' * first.column}{entry}{new_line}{text[at:]}"


def _end_of(node: yaml.Node) -> int:
    """Where the last scalar or flow collection of a block collection ends: its own mark lies behind comments."""
    while isinstance(node, yaml.MappingNode | yaml.SequenceNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return int(node.end_mark.index)


def _line_end(text: str, at: int) -> int:
    """Behind the line break of the line, and so behind a comment on it."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1
