"""Reads YAML that a stranger may have written: limits first, then values as Pulumi's own reader gives them."""

import base64
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from l4serve.config.frozen import frozen
from l4serve.config.reading.yaml_faults import parser_error, yaml_fault
from l4serve.config.reading.yaml_scalars import (
    NotFiniteError,
    is_timestamp,
    json_number,
    key_text,
    plain_value,
    rewritten,
)
from l4serve.config.secrecy.secret_shapes import excerpt, has_secret_shape

MOST_BYTES = 2**20
"""Of one file. A stack of a thousand workloads takes a third of it."""
MOST_NESTING = 40
MOST_VALUES = 40_000
"""Keys and values of one document, those that aliases repeat counted each time."""
MOST_ENTRIES = 1_000
"""Of one mapping or list."""
_PARSER = getattr(yaml, "CLoader", yaml.Loader)
"""Only its events are used, which hold text and no objects."""
_CORE = "tag:yaml.org,2002:"
_MERGE = "<<"
_ESCAPE = re.compile(r"\\.", re.DOTALL)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_MOST_READ_ANEW = 4 * MOST_BYTES
"""Characters that are read once more, in all, for what the parser does not know and Pulumi's does."""


class YamlError(ValueError):
    """YAML that cannot be read or that is too large, at a line from 1. The message repeats no value of the file."""

    def __init__(self, message: str, at: Any = 1, remedy: str = "") -> None:
        self.message, self.remedy, self.line = message, remedy, at if isinstance(at, int) else at.line + 1
        super().__init__(f"{message} (line {self.line})")


def read_yaml(content: bytes) -> Any:
    """The one document of a YAML file, as plain dicts, lists, text, numbers, booleans and None; raises YamlError."""
    if len(content) > MOST_BYTES:
        raise YamlError(f"the file is larger than {MOST_BYTES // 1024} KiB", remedy="name a stack file, which is small")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise YamlError("the file is not UTF-8 text", remedy="save the file as UTF-8") from None
    read = 0
    while True:
        try:
            return _Builder(yaml.parse(text, Loader=_PARSER), text).document()
        except yaml.YAMLError as error:
            read += len(text)
            known = _quotes_as_known(text, error)
            if known is None or read > _MOST_READ_ANEW:
                raise _refusal(error, text) from None
            text = known


def _quotes_as_known(text: str, error: yaml.YAMLError) -> str | None:
    """The text with the escaped single quotes of the scalar that the parser stopped in written so that it knows them.

    None where it stopped for something else: go-yaml takes `\\'` in double quotes, which YAML does not have.
    """
    if getattr(error, "problem", None) != "found unknown escape character":
        return None
    quoted = _QUOTED.match(text, error.context_mark.index)  # type: ignore[attr-defined]
    if quoted is None:
        return None
    known = _ESCAPE.sub(lambda found: r"\x27" if found[0] == r"\'" else found[0], quoted[0])
    return None if known == quoted[0] else f"{text[: quoted.start()]}{known}{text[quoted.end() :]}"


def _refusal(error: yaml.YAMLError, text: str) -> YamlError:
    """The parser's reason in our words, without the text that it quotes from the file."""
    fault = yaml_fault(parser_error(error, text))
    return YamlError(fault.message, fault.line, fault.remedy)


@frozen()
class _Anchored:
    value: Any
    size: int


@dataclass
class _Builder:
    """Builds values from the parser's events, counting what it builds."""

    events: Iterator[Any]
    text: str
    """What the events are of."""
    depth: int = 0
    count: int = 0
    names: list[str] = field(default_factory=list)
    """The keys that lead to the value that is being read."""
    anchors: dict[str, _Anchored | None] = field(default_factory=dict)
    """None while the anchored value is being read: an alias to it would contain itself."""

    def document(self) -> Any:
        """The value of the only document, None for an empty file."""
        next(self.events)
        value = None
        start = next(self.events)
        if isinstance(start, yaml.DocumentStartEvent):
            if start.version not in (None, (1, 1)):
                raise YamlError("the %YAML directive is not 1.1", start.start_mark, "remove the directive")
            value = self.value(next(self.events))
            next(self.events)
            after = next(self.events)
            if isinstance(after, yaml.DocumentStartEvent):
                second = "a second document begins here, which Pulumi would not read"
                raise YamlError(second, after.start_mark, "keep one: remove what begins at `---`")
        return value

    def value(self, event: Any) -> Any:
        """The value that begins with an event."""
        self.grow(1, event)
        if isinstance(event, yaml.AliasEvent):
            return self.aliased(event)
        before = self.count
        if event.anchor:
            self.anchors[event.anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            self.require_known_escapes(event)
            try:
                built = _scalar(event)
            except NotFiniteError as error:
                at = f"{'.'.join(self.names)}: " if self.names and not any(map(has_secret_shape, self.names)) else ""
                raise YamlError(f"{at}{error}", event.start_mark, "write a number") from None
        else:
            self.depth += 1
            if self.depth > MOST_NESTING:
                raise YamlError(f"values are nested deeper than {MOST_NESTING}", event.start_mark, "nest them less")
            built = self.sequence() if isinstance(event, yaml.SequenceStartEvent) else self.mapping()
            self.depth -= 1
        if event.anchor:
            self.anchors[event.anchor] = _Anchored(built, self.count - before + 1)
        return built

    def require_known_escapes(self, event: Any) -> None:
        """Raises YamlError for `\\/`, which go-yaml does not know."""
        raw = self.text[event.start_mark.index : event.end_mark.index] if event.style == '"' else ""
        if r"\/" in raw and r"\/" in _ESCAPE.findall(raw):
            raise YamlError(r"Pulumi does not know the escape \/", event.start_mark, "write the slash alone")

    def grow(self, by: int, event: Any) -> None:
        """Counts values, and stops before there are too many."""
        self.count += by
        if self.count > MOST_VALUES:
            raise YamlError(
                f"the file has more than {MOST_VALUES} values, counting aliases", event.start_mark, "write fewer"
            )

    def aliased(self, event: Any) -> Any:
        """What an alias stands for."""
        if event.anchor not in self.anchors:
            raise YamlError("an alias has no anchor", event.start_mark, "write the value out")
        found = self.anchors[event.anchor]
        if found is None:
            raise YamlError("an anchored value contains itself", event.start_mark, "remove the alias")
        self.grow(found.size, event)
        return found.value

    def sequence(self) -> list[Any]:
        """The list whose start was read."""
        items = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self.value(event))
            _bounded(items, event)
        return items

    def mapping(self) -> dict[str, Any]:
        """The mapping whose start was read; its own keys win over those that `<<` merges into it."""
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        lines: dict[str, int] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self.key(event)
            value_event = next(self.events)
            self.names.append(key)
            value = self.value(value_event)
            self.names.pop()
            # A line break before it is lost on the way, but not yet when mappings are merged.
            merges = key == _MERGE and getattr(event, "value", _MERGE) == _MERGE
            if key in own or (merges and merged):
                raise _twice(key, lines[key], event)
            lines[key] = event.start_mark.line + 1
            if merges:
                merged = _merged(value, value_event)
            else:
                own[key] = value
                _bounded(own, event)
        return {**merged, **own}

    def key(self, event: Any) -> str:
        """A key as text; a key that is a list, a mapping or null names nothing."""
        key = self.value(event)
        if key is None or isinstance(key, dict | list):
            what, wanted = (
                ("null", "") if key is None else ("a list or a mapping", "; nothing fills in a template's {{ }}")
            )
            raise YamlError(f"a key is {what}, not text", event.start_mark, f"write a name before the `:`{wanted}")
        return key_text(key)


def _bounded(entries: Collection[Any], event: Any) -> None:
    if len(entries) > MOST_ENTRIES:
        raise YamlError(f"a mapping or list has more than {MOST_ENTRIES} entries", event.start_mark, "write fewer")


def _twice(key: str, first: int, event: Any) -> YamlError:
    named = "a key" if has_secret_shape(key) else f"the key `{excerpt(key, 60)}`"
    return YamlError(f"{named} is given twice, first on line {first}", event.start_mark, "remove one of them")


def _merged(value: Any, event: Any) -> dict[str, Any]:
    """The keys that `<<` brings; of several mappings the first wins."""
    sources = value if isinstance(value, list) else [value]
    if not all(isinstance(source, dict) for source in sources):
        raise YamlError("`<<` merges no mapping", event.start_mark, "name the anchor of a mapping")
    return {key: inner for source in reversed(sources) for key, inner in source.items()}


def _scalar(event: Any) -> Any:
    """A scalar's value, as Pulumi's CLI hands it on."""
    value = _read_scalar(event)
    if not isinstance(value, str):
        return json_number(value) if isinstance(value, float) else value
    if (handed := rewritten(value)) is None:
        begins = "a text of several lines begins with a tab, which Pulumi cannot read"
        raise YamlError(begins, event.start_mark, "begin it with something else")
    return handed


def _read_scalar(event: Any) -> Any:
    """What stands in the file. Tags outside YAML's own are passed over, as Pulumi passes over them."""
    text, tag = event.value, event.tag or ""
    core = tag.removeprefix(_CORE) if tag.startswith(_CORE) else ""
    plain = event.implicit[0] or tag == "!"
    try:
        if core == "str" or (not core and not plain):
            return text
        if core == "binary":
            return base64.b64decode(text, validate=False).decode("utf-8")
        value = plain_value(text)
    except NotFiniteError:
        raise
    except ValueError:
        raise YamlError("a !!binary value holds no text", event.start_mark, "write the text itself") from None
    if core in _TAGGED and not _TAGGED[core](value):
        raise YamlError(f"a value does not have the type of its tag !!{core}", event.start_mark, "remove the tag")
    if core == "timestamp" and not is_timestamp(text):
        raise YamlError("a value tagged !!timestamp is no time", event.start_mark, "remove the tag")
    return value


_TAGGED: dict[str, Any] = {
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "bool": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}
