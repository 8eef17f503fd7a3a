"""What a plain YAML scalar means to Pulumi, whose CLI reads stack files by go-yaml v3 and hands values on as JSON.

The rules are those of `resolve.go` in gopkg.in/yaml.v3 3.0.1 and of `sdk/go/common/resource/config` in Pulumi 3.272.0;
`tests/config/pulumi_yaml.json` holds what that reader made of each case.
"""

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_NOT_FINITE = frozenset(
    {*(sign + word for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")), ".nan", ".NaN", ".NAN"}
)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_PREFIXED = re.compile(r"0(?:[xX]([0-9a-fA-F]+)|[bB]([01]+)|[oO]?([0-7]+))", re.ASCII)
_DECIMAL = re.compile(r"0|[1-9][0-9]*", re.ASCII)
_TIME = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})"
    r"(?:(?:[Tt](?P<a>\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d{1,9})?)(?P<zone>Z|[-+]\d\d:\d\d))"
    r"|(?: (?P<b>\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d{1,9})?)))?",
    re.ASCII,
)
_BREAKS = "\n\u2028\u2029"
_NO_BLOCK = r" \Z| [\n\u2028\u2029]|[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]"
"""What keeps go-yaml from writing a text as a block; compiled where it is asked for, like all classes this large."""
_LONGEST_NUMBER = 400
_INTEGERS = range(-(2**63), 2**64)
_SHORTEST_EXPONENT = 1e21
"""From here on JSON writes a whole float with an exponent, and what reads it keeps a float."""


class NotFiniteError(ValueError):
    """An infinite value or none at all, which JSON cannot hold."""


def plain_value(text: str) -> Any:
    """The value of an unquoted scalar: None, a bool, an int, a float or a string. Raises NotFiniteError."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if text in _NOT_FINITE:
        raise NotFiniteError(f"{text} is infinite or not a number")
    if text[0] not in "+-.0123456789" or len(text) > _LONGEST_NUMBER:
        return text
    if (time := _timestamp(text)) is not None:
        return time
    number = _number(text.replace("_", ""))
    return text if number is None else number


def rewritten(text: str) -> str | None:
    """A text as it is once Pulumi's CLI has read it; None where it cannot.

    The CLI writes a stack file anew and reads that (LoadProjectStackBytes of sdk/go/common/workspace/loaders.go). There
    go-yaml puts a text of several lines below a `|`, without the break behind it where the text begins with one
    (yaml_emitter_write_literal_scalar of emitterc.go in 3.0.1, which every release has): that break is lost. It does
    not read a block that begins with a tab.
    """
    if "\n" not in text or (text[0] not in _BREAKS and text[0] != "\t") or re.search(_NO_BLOCK, text):
        return text
    return text[1:] if text[0] in _BREAKS else None


def is_timestamp(text: str) -> bool:
    """Whether a text is a date or a time."""
    return _timestamp(text) is not None


def key_text(value: Any) -> str:
    """A scalar key as Go prints it with %v, which is what Pulumi makes of a key that is not text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return re.sub(
            r"e([-+])(\d)$", r"e\g<1>0\2", repr(value).replace(".0", "") if value.is_integer() else repr(value)
        )
    return str(value)


def _number(text: str) -> int | float | None:
    sign, digits = (text[0], text[1:]) if text[:1] in ("+", "-") else ("", text)
    whole = _whole(digits)
    if whole is not None:
        value = -whole if sign == "-" else whole
        if value in _INTEGERS:
            return value
    if not _FLOAT.fullmatch(text):
        return None
    number = float(text)
    return None if number in (float("inf"), float("-inf")) else json_number(number)


def _whole(digits: str) -> int | None:
    if _DECIMAL.fullmatch(digits):
        return int(digits)
    if found := _PREFIXED.fullmatch(digits):
        hexadecimal, binary, octal = found.groups()
        return int(hexadecimal, 16) if hexadecimal else int(binary, 2) if binary else int(octal, 8)
    return None


def json_number(value: float) -> int | float:
    """A float after Pulumi wrote it as JSON and read it back: whole ones below 1e21 come back as integers."""
    if value.is_integer() and abs(value) < _SHORTEST_EXPONENT:
        return int(Decimal(repr(value)))
    return value


def _timestamp(text: str) -> str | None:
    """A date or time as Go prints it; None where the text is no time, such as 2024-02-30."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    year, month, day = map(int, found.group(1, 2, 3))
    clock, zone = found["a"] or found["b"] or "0:0:0", found["zone"] or "Z"
    whole, _, fraction = clock.partition(".")
    hour, minute, second = map(int, whole.split(":"))
    try:
        # Year 0 is one to Go and none to Python; both count it as a leap year.
        datetime(year or 4, month, day, hour, minute, second)
    except ValueError:
        return None
    part = f".{fraction.rstrip('0')}" if fraction.rstrip("0") else ""
    shift = "+0000 UTC" if zone in ("Z", "+00:00") else f"{zone.replace(':', '')} {zone.replace(':', '')}"
    return f"{year:04d}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}:{second:02d}{part} {shift}"
