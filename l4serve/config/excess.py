"""Numbers and nestings beyond what any setting means, which later steps would compute with or descend into."""

import re
from math import isnan

from l4serve.config.reading.yaml_reader import MOST_ENTRIES, MOST_VALUES

MOST_NESTING = 40
_DIGITS = re.compile(r"(?<![\w./-])[+-]?\d[\d_]{18,}(?![\w-])|(?<![\w./-])\d[\d_.]*[eE]\+?\d{3,}(?![\w-])")
"""A number by itself: a part of a UUID or of a path is none."""
_LARGEST = 2**63
_ENDLESS = re.compile(r"(?i)(?:--?[\w.+-]{1,100}=)?\s*[+-]?(?:inf|infinity|nan)\s*")
"""Infinity, or no number at all, as Python and Rust read them where an option takes a number."""
_OF_JSON = re.compile(r"(?:-[^\s={\[]{1,100}=?)?\s*[{\[]")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'', re.DOTALL)
_CONSTANT = re.compile(r"(?<![\w.\"])(?:Infinity|NaN)(?![\w.\"])")
"""What Python's reader of JSON takes for numbers, and JSON itself does not have."""
_DEEPER = frozenset("[{(")
_BACK = frozenset("]})")


def excess(value: object, *, numbers: bool = True) -> str | None:
    """What is too much in a value: a number, or how deep the brackets of a text nest; None where nothing is.

    Without `numbers` a text's are nobody's to compute with, such as a build's in a variable or a tag.
    """
    if isinstance(value, int | float):
        return None if abs(value) < _LARGEST else f"{value} is {_beyond(value)}"
    if not isinstance(value, str):
        return None
    if numbers and _DIGITS.search(value):
        return "the text holds a number larger than any that a setting means"
    if numbers and _is_endless(value):
        return "the text holds infinity or NaN, which no setting means"
    return f"brackets are nested deeper than {MOST_NESTING}" if _depth(value) > MOST_NESTING else None


def _beyond(value: float) -> str:
    return (
        "not a number" if isinstance(value, float) and isnan(value) else "larger than any number that a setting means"
    )


def _is_endless(text: str) -> bool:
    """Whether a text is infinity or no number, whole or as an option's value, or its JSON has one outside of quotes."""
    if _ENDLESS.fullmatch(text):
        return True
    return bool(_OF_JSON.match(text) and _CONSTANT.search(text) and _CONSTANT.search(_QUOTED.sub('""', text)))


def too_many(value: object) -> str | None:
    """What is too much in an object that came as JSON, in entries or values; YAML is bounded as it is read."""
    waiting, count = [value], 0
    while waiting:
        part = waiting.pop()
        inner = [*part.values()] if isinstance(part, dict) else part if isinstance(part, list) else []
        count += 1 + (len(inner) if isinstance(part, dict) else 0)
        if len(inner) > MOST_ENTRIES:
            return f"a mapping or list has more than {MOST_ENTRIES} entries"
        if count + len(waiting) > MOST_VALUES:
            return f"it has more than {MOST_VALUES} values"
        waiting += inner
    return None


def _depth(text: str) -> int:
    depth = deepest = 0
    for character in text:
        if character in _DEEPER:
            depth += 1
            deepest = max(deepest, depth)
        elif character in _BACK:
            depth -= 1
    return deepest
