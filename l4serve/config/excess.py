"""Numbers and nestings beyond what any setting means, which later steps would compute with or descend into."""

import re

MOST_NESTING = 40
_DIGITS = re.compile(r"(?<![\w.])[+-]?\d[\d_]{18,}(?!\w)|(?<![\w.])\d[\d_.]*[eE]\+?\d{3,}(?!\w)")
_LARGEST = 2**63
_DEEPER = frozenset("[{(")
_BACK = frozenset("]})")


def excess(value: object) -> str | None:
    """What is too much in a value: a number, or how deep the brackets of a text nest; None where nothing is."""
    if isinstance(value, int | float):
        return "the number is larger than any that a setting means" if abs(value) >= _LARGEST else None
    if not isinstance(value, str):
        return None
    if _DIGITS.search(value):
        return "the text holds a number larger than any that a setting means"
    return f"brackets are nested deeper than {MOST_NESTING}" if _depth(value) > MOST_NESTING else None


def _depth(text: str) -> int:
    depth = deepest = 0
    for character in text:
        if character in _DEEPER:
            depth += 1
            deepest = max(deepest, depth)
        elif character in _BACK:
            depth -= 1
    return deepest
