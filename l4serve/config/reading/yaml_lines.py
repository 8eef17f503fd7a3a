"""The line on which each value of a YAML file stands, read again only where a refusal wants to name it."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

_PARSER = getattr(yaml, "CLoader", yaml.Loader)


def line_of(lines: Mapping[str, int], *paths: str) -> int:
    """The line of the first path that the file has, else of its nearest parent, else 1.

    Paths are written as refusals write them: `a.b[0].c`.
    """
    for path in paths:
        while path:
            if path in lines:
                return lines[path]
            path = _parent(path)
    return 1


def _parent(path: str) -> str:
    return path[: max(path.rfind("."), path.rfind("["), 0)]


def yaml_lines(content: bytes) -> Mapping[str, int]:
    """The line of each key and list item by its path; what comes before a syntax error where there is one."""
    lines: dict[str, int] = {}
    try:
        events = iter(yaml.parse(content.decode("utf-8-sig", "replace"), Loader=_PARSER))
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                _value(next(events), events, "", lines)
                break
    except (yaml.YAMLError, StopIteration, RecursionError):
        pass
    return lines


def _value(event: Any, events: Iterator[Any], path: str, lines: dict[str, int]) -> None:
    if isinstance(event, yaml.MappingStartEvent):
        while not isinstance(key := next(events), yaml.MappingEndEvent):
            inner = f"{path}.{key.value}".lstrip(".") if isinstance(key, yaml.ScalarEvent) else path
            if isinstance(key, yaml.ScalarEvent):
                lines[inner] = _line(key)
            elif not isinstance(key, yaml.AliasEvent):
                _value(key, events, path, {})
            _value(next(events), events, inner, lines)
    elif isinstance(event, yaml.SequenceStartEvent):
        index = 0
        while not isinstance(item := next(events), yaml.SequenceEndEvent):
            lines[f"{path}[{index}]"] = _line(item)
            _value(item, events, f"{path}[{index}]", lines)
            index += 1


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1
