"""What a value that is refused was meant to be: the number in a text, the entries of a list, the nearest form."""

import re
from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any

from pydantic_core import ErrorDetails

from l4serve.config.words.amounts import in_unit_of, is_unit, states_unit
from l4serve.config.words.written_forms import mended_to

LISTS = ("tuple_type", "list_type")
MAPPINGS = ("dict_type", "mapping_type", "model_type", "model_attributes_type")
_AMOUNT = re.compile(r"(\d{1,9}(?:\.\d{1,3})?|\d{1,3}(?:,\d{3}){1,2})\s*(?:([kKM])i?\b)?\s*([A-Za-z]*)")
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_MULTIPLES: Mapping[str | None, int] = {None: 1, "k": 1024, "K": 1024, "M": 1024**2}
_TAINT = re.compile(r"([A-Za-z0-9./_-]+)(?:=([A-Za-z0-9._-]*))?:([A-Za-z]+)")
"""As kubectl writes a taint."""
_PAIRS = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*=[^=,]+(,[A-Za-z_][A-Za-z0-9_.-]*=[^=,]+)*")
_CORES = re.compile(r"[0-9.]+m?")
_RANGE = re.compile(r"[0-9.]+/[0-9]+")
_PER_CENT = re.compile(r"(\d{1,3}(?:\.\d{1,4})?)\s*%")
_LEAST_PER_CENT = 10
"""Below this a number above one is hardly a share in per cent: 1.5 and 2 are slips."""
_OF_TOKENS = re.compile(r"(?i)(len|length|tokens)$")
"""Keys of which people write thousands as k; of gigabytes, cards and nodes nobody means thousands."""


def meant_values(detail: ErrorDetails, example: Any) -> Iterator[Any]:
    """What a refused value may have been meant to be, the likeliest first; `example` is the key's."""
    kind, value, key = detail["type"], detail["input"], str(detail["loc"][-1])
    if kind.startswith(("int", "float")) and isinstance(value, str) and states_unit(key):
        amount = in_unit_of(key, value.replace(",", ""))
        if amount is not None and (amount.is_integer() or kind.startswith("float")):
            yield int(amount) if kind.startswith("int") else _plain(amount)
    elif kind.startswith("int") and isinstance(value, str):
        yield from _whole_number(value, key)
    elif kind == "int_from_float" and isinstance(value, float):
        yield ceil(value)
    elif kind.startswith("float") and isinstance(value, str) and (found := _PER_CENT.fullmatch(value.strip())):
        yield _plain(float(found[1]) / 100)
    elif kind == "less_than_equal" and (share := _share(value, detail.get("ctx", {}).get("le", 0))) is not None:
        yield share
    elif kind == "string_pattern_mismatch":
        mended = mended_to(str(value), str(detail.get("ctx", {}).get("pattern")))
        # A bare number is an amount of cores, and of memory and of disk bytes; one address is no range of nodes.
        bare = mended is not None and (mended.isdigit() or (mended.endswith("/32") and "/" not in str(value)))
        # Nobody means thousands of cores by a size of memory.
        other = key == "cpu" and mended is not None and not _CORES.fullmatch(mended)
        if mended is not None and not other and (key in ("cpu", "cidr") or not bare):
            yield mended
    elif kind in LISTS and (listed := _as_list(value, example)):
        yield listed
    elif kind in MAPPINGS:
        yield from _as_mapping(value, example, named=kind.startswith("model"))


def _whole_number(text: str, key: str) -> Iterator[int]:
    """8k, `32K tokens`, 8,192 and `two` as the numbers they are; k and M count tokens alone, and no unit is dropped."""
    if text.strip().lower() in _WORDS:
        yield _WORDS.index(text.strip().lower())
    found = _AMOUNT.fullmatch(text.strip())
    if found and not is_unit(found[3]) and (not found[2] or _OF_TOKENS.search(key)):
        number = float(found[1].replace(",", "")) * _MULTIPLES[found[2]]
        if number.is_integer():
            yield int(number)


def _share(value: Any, most: float) -> float | None:
    """The share that a number of per cent means, where the key takes at most one."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return _plain(number / 100) if 0 < most <= 1 and _LEAST_PER_CENT <= number <= 100 * most else None


def _plain(number: float) -> float:
    return float(f"{number:g}")


def _as_list(value: Any, example: Any) -> list[Any]:
    """The list that a text or a mapping means; empty where it means none."""
    if not isinstance(example, list) or not example:
        return []
    if isinstance(example[0], Mapping):
        return _one_item(value, example[0])
    if not all(isinstance(item, str) for item in example):
        return []
    flags = example[0].startswith("--")
    if isinstance(value, str) and value:
        return value.split() if flags else [part.strip() for part in value.split(",")]
    if isinstance(value, Mapping) and flags and all(isinstance(v, str | int | float) for v in value.values()):
        return [_argument(str(name).lstrip("-"), given) for name, given in value.items()]
    return []


def _one_item(value: Any, example: Mapping[str, Any]) -> list[Any]:
    """The list of the one object that stands alone, or of one whose first key a text names.

    Where objects begin with a name or a key, a mapping of such is the list of them.
    """
    first, *rest = example
    if isinstance(value, Mapping):
        plain = all(isinstance(each, str) for each in value.values())
        pairs = first in ("name", "key") and rest and plain and not {*value} & {*example}
        return [{first: name, rest[0]: each} for name, each in value.items()] if pairs else [value]
    return [{first: value}] if isinstance(value, str) and value else []


def _argument(name: str, given: str | float) -> str:
    if isinstance(given, bool):
        return f"--{name}" if given else f"--{name[3:]}" if name.startswith("no-") else f"--no-{name}"
    return f"--{name}={given}"


def _as_mapping(value: Any, example: Any, *, named: bool) -> Iterator[dict[str, Any]]:
    """The mapping that a list of names with values means; of an object with named keys a text alone is one of them."""
    if pairs := named_values(value):
        yield dict(pairs)
    if not isinstance(example, Mapping):
        return
    if isinstance(value, str) and (given := _PAIRS.fullmatch(value)):
        # As the engines' own command lines write it.
        name, _, rest = value.partition("=")
        if given[1] is None and [*example][:1] == ["name"] and len(example) == 2:
            yield {"name": name, [*example][1]: rest}
        if not named:
            yield {key: int(each) if each.isdigit() else each for key, each in _pairs(value)}
    if isinstance(value, bool):
        yield {"enabled": value}
    elif taint := _TAINT.fullmatch(value) if isinstance(value, str) and "effect" in example else None:
        yield {"key": taint[1], "value": taint[2] or "", "effect": taint[3]}
    elif named and isinstance(value, int) and not isinstance(value, bool):
        yield from ({key: value} for key, shown in example.items() if isinstance(shown, int))
    elif isinstance(value, str) and _RANGE.fullmatch(value):
        yield {"cidr": value}
    elif named and isinstance(value, str) and value:
        yield from ({**example, key: value} for key, shown in example.items() if isinstance(shown, str))


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """The names and values in NAME=VALUE,NAME=VALUE."""
    for part in text.split(","):
        name, _, value = part.partition("=")
        yield name.strip(), value.strip()


def named_values(value: Any) -> Mapping[str, str]:
    """What a list of names with values says; empty where it is no such list."""
    pairs = [_pair(item) for item in value] if isinstance(value, list | tuple) else []
    return dict(pair for pair in pairs if pair) if all(pairs) else {}


def _pair(item: Any) -> tuple[str, str] | None:
    """A name and its value, as Kubernetes lists variables, or as NAME=VALUE."""
    if isinstance(item, Mapping) and {*item} == {"name", "value"}:
        return str(item["name"]), str(item["value"])
    if isinstance(item, str) and "=" in item:
        name, _, given = item.partition("=")
        return name, given
    return None
