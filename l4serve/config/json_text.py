"""JSON that a user wrote inside a value, as in an argument of an engine."""

import json
from collections.abc import Iterator
from typing import Any


def json_value(text: str) -> Any:
    """The value of a text; raises ValueError for one that is no JSON, or nested deeper than anybody reads."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def without_escapes(text: str) -> str:
    """The text of an object or list of JSON with its keys and values as they read; any other text as it is."""
    if not ("\\" in text and text.lstrip().startswith(("{", "["))):
        return text
    try:
        return json.dumps(json_value(text), ensure_ascii=False)
    except ValueError:
        return text


def named_texts(text: str) -> Iterator[tuple[str, str]]:
    """Each name with its text in the JSON that a text holds, however its characters are escaped."""
    start = text.find("{")
    try:
        waiting: list[Any] = [] if start < 0 else [json.JSONDecoder().raw_decode(text, start)[0]]
    except (ValueError, RecursionError):
        return
    while waiting:
        value = waiting.pop()
        items = value.items() if isinstance(value, dict) else ()
        yield from ((name, str(inner)) for name, inner in items if isinstance(inner, str | int))
        yield from (
            (name, part) for name, inner in items if isinstance(inner, list) for part in inner if isinstance(part, str)
        )
        yield from _entry(value)
        waiting += [*(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())]


def _entry(value: Any) -> Iterator[tuple[str, str]]:
    """The name and value of an entry such as {"name": "API_KEY", "value": "x"}."""
    if isinstance(value, dict):
        fields = {str(key).lower(): inner for key, inner in value.items()}
        name, given = fields.get("name", fields.get("key")), fields.get("value")
        if isinstance(name, str) and isinstance(given, str | int):
            yield name, str(given)
