"""JSON that a user wrote inside a value, as in an argument of an engine."""

import json
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
