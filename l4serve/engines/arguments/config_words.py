"""Whether a value is one that a configuration's key takes: the words of `contracts/vllm_config_keys.json`.

Values are compared as pydantic does by default: a number may stand in a text, 1 and "true" are truths, but no text is
a number's place and no constant has another's type.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

_CONSTANTS, _NAMES, _WORDS, _LIST, _DICT = "in(", "name(", "word(", "list[", "dict["
_NUMBER = re.compile(r"(int|float)((?:[<>]=?-?[\d.]+(?:e[+-]?\d+)?)*)")
_BOUND = re.compile(r"([<>]=?)(-?[\d.]+(?:e[+-]?\d+)?)")
_WHOLE = re.compile(r"[+-]?\d+(_\d+)*(\.0*)?")
_LARGEST = 2.0**63
_SHOWN = 8
"""Constants that a refusal names of a long list."""
_TRUTHS = frozenset(("0", "1", "off", "on", "f", "t", "false", "true", "n", "y", "no", "yes"))


def value_fits(word: str, value: Any) -> bool:
    """Whether a value of JSON is one of a word's alternatives; objects of other classes are looked into elsewhere."""
    return any(_fits(one, value) for one in _alternatives(word))


def told(word: str) -> str:
    """What a word takes, as people say it."""
    named = {"none": "null", "bool": "true or false", "str": "a text", "dict": "an object", "config": "an object"}
    return " or ".join(dict.fromkeys(_told(one, named) for one in _alternatives(word)))


def words_of(word: str) -> tuple[str, ...]:
    """The texts that a word names."""
    listed = (one for one in _alternatives(word) if one.startswith((_CONSTANTS, _NAMES, _WORDS)))
    return tuple(member for one in listed for member in _members(one) if isinstance(member, str))


def _told(one: str, named: Mapping[str, str]) -> str:
    if one.startswith(_LIST) or one == "list":
        return "a list" + (f" of {one[len(_LIST) : -1]}" if one != "list" else "")
    if one.startswith(_DICT):
        return f"an object whose values are each {told(_of_each(one))}"
    if one.startswith((_CONSTANTS, _NAMES, _WORDS)):
        members = [str(member) for member in _members(one)]
        more = f" and {len(members) - _SHOWN} more" if len(members) > _SHOWN else ""
        return f"one of {', '.join(members[:_SHOWN])}{more}"
    if number := _NUMBER.fullmatch(one):
        bounds = " and ".join(f"{sign} {limit}" for sign, limit in _BOUND.findall(number[2]))
        return " ".join(filter(None, ("a whole number" if number[1] == "int" else "a number", bounds)))
    return named.get(one, one)


@cache
def _alternatives(word: str) -> tuple[str, ...]:
    return tuple(word.split(" | "))


@cache
def _members(one: str) -> tuple[Any, ...]:
    inner = one[one.index("(") + 1 : -1]
    return tuple(json.loads(f"[{inner}]")) if one.startswith(_CONSTANTS) else tuple(inner.split(","))


def _fits(one: str, value: Any) -> bool:
    match one:
        case "any":
            return True
        case "none":
            return value is None
        case "bool":
            return _is_truth(value)
        case "str":
            return isinstance(value, str)
        case "dict" | "config":
            return isinstance(value, Mapping)
        case "list":
            return isinstance(value, list | tuple)
    if one.startswith(_LIST):
        return isinstance(value, list | tuple) and all(_fits(one[len(_LIST) : -1], item) for item in value)
    if one.startswith(_DICT):
        return isinstance(value, Mapping) and all(value_fits(_of_each(one), inner) for inner in value.values())
    if one.startswith(_CONSTANTS):
        return any(value == member for member in _members(one)) and not isinstance(value, float)
    if one.startswith(_NAMES):
        return isinstance(value, str) and value.upper() in _members(one)
    if one.startswith(_WORDS):
        return isinstance(value, str) and value.lower().replace("-", "_") in _spelt(one)
    number = _NUMBER.fullmatch(one)
    assert number, f"there is no word {one!r}"
    meant = _number(value, number[1] == "int")
    return meant is not None and _within(meant, number[2])


def _of_each(one: str) -> str:
    """What the values of an object are, whose alternatives stand in it without blanks: dict[int|dict]."""
    return one[len(_DICT) : -1].replace("|", " | ")


@cache
def _spelt(one: str) -> frozenset[str]:
    return frozenset(member.replace("-", "_") for member in _members(one))


def _is_truth(value: Any) -> bool:
    if isinstance(value, str):
        return value.lower() in _TRUTHS
    return isinstance(value, bool) or (isinstance(value, int | float) and value in (0, 1))


def _number(value: Any, whole: bool) -> float | None:
    """The number that a value is, or that a text writes; None for any other."""
    if isinstance(value, str) and whole and not _WHOLE.fullmatch(value.strip()):
        return None
    if not isinstance(value, bool | int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if not whole or (abs(number) < _LARGEST and number.is_integer()) else None


def _within(number: float, bounds: str) -> bool:
    return all(_holds(number, sign, float(limit)) for sign, limit in _BOUND.findall(bounds))


def _holds(number: float, sign: str, limit: float) -> bool:
    match sign:
        case ">=":
            return number >= limit
        case "<=":
            return number <= limit
        case ">":
            return number > limit
    return number < limit
