"""Whether a text is one that a flag or a variable takes, as the engine's own parser reads it."""

import ast
import re

from l4serve.config.json_text import json_value
from l4serve.engines.arguments.config_values import read_object
from l4serve.engines.releases.flags import Flag

_SIZE = re.compile(r"\d+(\.\d+)?[kKmMgGtT]?")
_UNSIGNED = re.compile(r"\+?[0-9]{1,40}")
_RUST_FLOAT = re.compile(r"(?i)[+-]?(?:inf|infinity|nan|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)", re.ASCII)
_PAIRS = re.compile(r"\s*[^=,]+=\s*[+-]?\d+\s*(,[^=,]+=\s*[+-]?\d+\s*)*")
_NAMED = re.compile(r"[^=]*=[^=]*")
_WORDS = {
    "int": "a whole number",
    "u16": "a whole number from 0 to 65535",
    "u32": "a whole number from 0 to 4294967295",
    "u64": "a whole number from 0 on",
    "f32": "a number",
    "float": "a number",
    "json": 'JSON, such as {"key": 1}',
    "json_or_text": 'a text, or JSON such as {"key": 1}',
    "json_or_pairs": 'a JSON object such as {"image": 2}, or image=2',
    "literal": 'a literal of Python, such as {"key": 1}',
    "pairs": "numbers by name, such as image=2",
    "adapter": "name=path, or a JSON object",
    "named": "name=value",
    "truth": "true or false",
    "switch": "1 or 0",
    "size": "a size, such as 8192 or 8k",
    "size_or_auto": "a size, such as 8192 or 8k, or auto",
}
"""Types of values as people say them, with what is an example where the words alone are none."""


def value_fault(flag: Flag, value: str) -> str | None:
    """Why the parser would refuse a value; None when it takes it."""
    if flag.optional and value in ("", "None"):
        return None
    if flag.choices is not None:
        if value == "None" and not flag.env:
            return "the parser turns the text None into no value, which is none of its choices"
        wrong = [word for word in _words_of(flag.type, value) if word not in flag.choices]
        return f"{wrong[0]!r} is none of its choices" if wrong else None
    if not _is_of(flag.type, value):
        return f"{value!r} is not {type_words(flag.type)}"
    return None


def _words_of(kind: str, value: str) -> list[str]:
    """A value as the words that are compared with the choices."""
    match kind:
        case "lower":
            return [value.lower().replace("-", "_")]
        case "any_case":
            return [value.lower()]
        case "upper":
            return [value.upper()]
        case "words":
            return [word for part in value.split(",") if (word := part.strip())]
    return [value]


def type_words(kind: str) -> str:
    """A type of values as people say it."""
    return _WORDS.get(kind, "a text")


def _is_of(kind: str, value: str) -> bool:
    match kind:
        case "int" | "switch":
            return _parses(int, value)
        case "u16" | "u32" | "u64":
            return bool(_UNSIGNED.fullmatch(value)) and int(value) < 1 << int(kind[1:])
        case "f32":
            return bool(_RUST_FLOAT.fullmatch(value))
        case "float":
            return _parses(float, value)
        case "json":
            return _parses(json_value, value)
        case "json_or_text":
            return not re.fullmatch(r"\{.*\}", value) or _parses(json_value, value)
        case "json_or_pairs":
            return bool(_PAIRS.fullmatch(value)) or (_parses(json_value, value) and read_object(value) is not None)
        case "literal":
            return _parses(ast.literal_eval, value)
        case "pairs":
            return value == "" or bool(_PAIRS.fullmatch(value))
        case "adapter":
            return (bool(_NAMED.fullmatch(value)) and "," not in value) or _parses(json_value, value)
        case "named":
            return bool(_NAMED.fullmatch(value))
        case "truth":
            return value.lower() in ("true", "false")
        case "size":
            return bool(_SIZE.fullmatch(value))
        case "size_or_auto":
            return value in ("auto", "-1") or bool(_SIZE.fullmatch(value))
    return True


def _parses(parse: object, value: str) -> bool:
    try:
        parse(value)  # type: ignore[operator]
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False
    return True
