"""Edits of a YAML file that keep every other byte: comments, order, quotes and line breaks stay as they are.

The parser's marks say where a value stands, and the text around it is not written anew. ruamel.yaml keeps comments and
quotes, but writes the whole document: `{ b: 1 }`, `[1,2]`, an indent of four and CRLF come out in its own form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.resolver import Resolver

from l4serve.config.reading.yaml_text import flow

Path = Sequence[str]
_PARSER = getattr(yaml, "CLoader", yaml.Loader)
"""Only its events are used: advice edits a text a dozen times, and PyYAML's own parser takes ten times as long."""
_BREAKS = ("\r\n", "\n", "\r", "\x85", "\u2028", "\u2029")
"""What ends a line of YAML, the usual first."""
_BREAK = re.compile("|".join(_BREAKS))
_COMMENT = re.compile(r"\s+#.*")
_BYTE_ORDER_MARK = "\ufeff"
"""It stands before the text that the parser counts in."""


class YamlEditError(ValueError):
    """An edit that this module cannot make without touching other text."""


def with_values(text: str, values: Mapping[tuple[str, ...], Any]) -> str:
    """The text with a value at each path: in place of the one that is there, or as the last key of its mapping.

    Raises YamlEditError where a path leads through something else than mappings that are written out, and where only
    Pulumi's parser knows the text.
    """
    plain = text.removeprefix(_BYTE_ORDER_MARK)
    mark = text[: len(text) - len(plain)]
    for path, value in values.items():
        plain = _with_value(plain, path, value)
    return mark + plain


class _Composer(Composer, Resolver):
    """Composes a document, and remembers where aliases end: their nodes have the marks of what they stand for."""

    def __init__(self, text: str) -> None:
        Composer.__init__(self)
        Resolver.__init__(self)
        self.text = text
        self.alias_ends: dict[tuple[int, int], int] = {}
        """By the collection and the place in it: the key of a mapping, the number of an item."""
        self._events = yaml.parse(text, Loader=_PARSER)
        self._event = next(self._events, None)

    def check_event(self, *kinds: type[yaml.Event]) -> bool:
        """Whether the next event is one of some kinds."""
        return isinstance(self._event, kinds)

    def peek_event(self) -> yaml.Event | None:
        """The next event, which stays the next."""
        return self._event

    def get_event(self) -> yaml.Event | None:
        """The next event."""
        event, self._event = self._event, next(self._events, None)
        return event

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """The next node; where an alias names it, its end is remembered."""
        if isinstance(self._event, yaml.AliasEvent):
            end: Any = self._event.end_mark
            self.alias_ends[id(parent), _place(index)] = end.index
        return super().compose_node(parent, index)

    def end_of(self, node: yaml.Node) -> int:
        """Where the last scalar, alias or flow collection of a node ends: the mark of a block collection lies behind
        the comments that follow it."""
        while isinstance(node, yaml.MappingNode | yaml.SequenceNode) and not node.flow_style and node.value:
            place = _place(node.value[-1][0] if isinstance(node, yaml.MappingNode) else len(node.value) - 1)
            if (end := self.alias_ends.get((id(node), place))) is not None:
                return end
            last = node.value[-1]
            node = last[1] if isinstance(last, tuple) else last
        return int(node.end_mark.index)


def _place(index: Any) -> int:
    return index if isinstance(index, int) else id(index)


def _with_value(text: str, path: Path, value: Any) -> str:
    try:
        loader = _Composer(text)
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise YamlEditError(f"line {line} is YAML that only Pulumi reads: write it in a plainer form") from None
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
            if depth + 1 < len(path) and _is_merged(node, key):
                where = ".".join(path[: depth + 1])
                raise YamlEditError(f"{where} comes from another place by a merge (<<): write it out for this one")
            return _with_key(loader, node, path[depth], _nested(path[depth + 1 :], value), ".".join(path[:depth]))
        node = found
    if not isinstance(node, yaml.ScalarNode):
        raise YamlEditError(f"{'.'.join(path)} is not a single value")
    if id(node) in shared:
        raise YamlEditError(f"{'.'.join(path)} is written once for several places: write it out for this one")
    return text[: node.start_mark.index] + flow(value) + _beside(text, node) + text[node.end_mark.index :]


def _beside(text: str, node: yaml.ScalarNode) -> str:
    """What stands between a scalar's marks beside it: of a block (`|-`), its comment and the line break behind it."""
    if node.style not in ("|", ">"):
        return ""
    block = text[node.start_mark.index : node.end_mark.index]
    comment = _COMMENT.search(_BREAK.split(block, maxsplit=1)[0])
    return (comment[0].rstrip() if comment else "") + block[len(block.rstrip()) :]


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


def _is_merged(node: yaml.Node, key: str) -> bool:
    """Whether a mapping gets a key from those that its merge key names."""
    if isinstance(node, yaml.SequenceNode):
        return any(_names(each, key) for each in node.value)
    merges = (value for name, value in node.value if name.value == "<<")
    return any(
        _is_merged(value, key) if isinstance(value, yaml.SequenceNode) else _names(value, key) for value in merges
    )


def _names(node: yaml.Node, key: str) -> bool:
    """Whether a mapping has a key, of its own or merged."""
    return isinstance(node, yaml.MappingNode) and (
        any(name.value == key for name, _ in node.value) or _is_merged(node, key)
    )


def _nested(rest: Path, value: Any) -> Any:
    for key in reversed(rest):
        value = {key: value}
    return value


def _with_key(loader: _Composer, node: yaml.MappingNode, key: str, value: Any, where: str) -> str:
    text, entry = loader.text, f"{key}: {flow(value)}"
    if not node.value:
        raise YamlEditError(f"{where} is empty")
    if node.flow_style:
        name, last = node.value[-1]
        at = loader.alias_ends.get((id(node), id(name)), last.end_mark.index)
        return f"{text[:at]}, {entry}{text[at:]}"
    first = node.value[0][0].start_mark
    at = _line_end(text, loader.end_of(node))
    new_line = next((each for each in _BREAKS if each in text), "\n")
    lead = "" if text[:at].endswith(_BREAKS) else new_line
    return f"{text[:at]}{lead}{' ' * first.column}{entry}{new_line}{text[at:]}"


def _line_end(text: str, at: int) -> int:
    """Behind the line break of the line, and so behind a comment on it; a block's end lies there already."""
    if text.endswith(_BREAKS, 0, at):
        return at
    end = _BREAK.search(text, at)
    return end.end() if end else len(text)
