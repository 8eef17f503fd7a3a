"""Our words for what pydantic refuses: the value, what is wrong with it, and what to write."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from l4serve.config.spelling import nearest
from l4serve.config.yaml_text import flow

_KINDS: Mapping[str, str] = {
    "int": "is not a whole number",
    "float": "is not a number",
    "finite": "is not a number",
    "bool": "is neither true nor false",
}
_EXPECTED: Mapping[str, str] = {
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
    "string_type": "a text",
}
_BOUNDS: Mapping[str, tuple[str, str]] = {
    "greater_than_equal": ("ge", "is below {}, the least"),
    "greater_than": ("gt", "is not above {}"),
    "less_than_equal": ("le", "is above {}, the most"),
    "less_than": ("lt", "is not below {}"),
}
_THOUSANDS = re.compile(r"(\d{1,6})[kK]")


def message(detail: ErrorDetails) -> str:
    """What is wrong, with the value."""
    kind, context, value = detail["type"], detail.get("ctx", {}), shown(detail["input"])
    if kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        return f"{value} {words.format(f'{context[bound]:g}')}"
    if kind in _EXPECTED:
        return f"{_EXPECTED[kind]} is expected, not {value}"
    if (family := kind.partition("_")[0]) in _KINDS:
        return f"{value} {_KINDS[family]}"
    match kind:
        case "extra_forbidden":
            return "there is no such key here"
        case "missing" | "union_tag_not_found":
            return "a value is required here"
        case "union_tag_invalid" | "literal_error":
            return f"{shown(context.get('tag', detail['input']))} is none of {_listed(choices(detail))}"
        case "value_error":
            return str(context.get("error", detail["msg"])).rpartition("; ")[0] or str(
                context.get("error", detail["msg"])
            )
        case "string_pattern_mismatch":
            return f"{value} does not have the form that this key takes"
        case "string_too_long" | "string_too_short":
            return (
                f"a text of {len(str(detail['input']))} characters is {kind.removeprefix('string_').replace('_', ' ')}"
            )
        case "too_short" | "too_long":
            few, most = context.get("min_length"), context.get("max_length")
            return (
                f"at least {few} entries are wanted here" if kind == "too_short" else f"it has more than {most} entries"
            )
        case _:
            return detail["msg"][:1].lower() + detail["msg"][1:]


def remedy(detail: ErrorDetails, known_keys: Collection[str], example: Any) -> str:
    """What to write; empty where nothing better is known than the key's explanation."""
    kind, value = detail["type"], detail["input"]
    key = str(detail["loc"][-1])
    if kind == "extra_forbidden":
        return _other_key(key, known_keys)
    if kind == "value_error":
        return (
            str(detail.get("ctx", {}).get("error", "")).rpartition("; ")[2] if "; " in detail["msg"] else _as(example)
        )
    if kind in ("literal_error", "union_tag_invalid"):
        near = nearest(str(detail.get("ctx", {}).get("tag", value)), choices(detail))
        return f"did you mean {near}?" if near else f"give one of {_listed(choices(detail))}"
    if kind == "union_tag_not_found":
        tag = str(detail.get("ctx", {}).get("discriminator", "kind")).strip("'")
        usual = {"mode": "standard"}.get(tag) or ("bucket" if "source" in detail["loc"] else "vllm")
        return f"add {tag}, such as {tag}: {usual}"
    if kind == "string_type" and isinstance(value, bool):
        return f'put it in quotes: "{str(value).lower()}"'
    if (
        kind == "less_than_equal"
        and isinstance(value, int | float)
        and 0 < value / 100 <= detail.get("ctx", {}).get("le", 0) <= 1
    ):
        return f"write {value / 100:g}"
    if kind.startswith("int") and isinstance(value, str) and (found := _THOUSANDS.fullmatch(value.strip())):
        return f"write the number out: {int(found[1]) * 1024}"
    if kind == "missing":
        return "" if example is None else f"add {key}: {flow(example)}"
    return _as(example)


def _split(detail: ErrorDetails) -> tuple[str, str]:
    """The message of one of our own checks, and its remedy behind the last semicolon."""
    said = str(detail.get("ctx", {}).get("error", detail["msg"]))
    wrong, semicolon, mend = said.rpartition("; ")
    return (wrong, mend) if semicolon else (said, "")


def _as(example: Any) -> str:
    return "" if example is None else f"write it as {flow(example)}"


def choices(detail: ErrorDetails) -> tuple[str, ...]:
    """The words that are taken here."""
    context = detail.get("ctx", {})
    return tuple(re.findall(r"'([^']*)'", str(context.get("expected_tags", context.get("expected", "")))))


def shown(value: Any) -> str:
    """A value as a message repeats it: short, on one line."""
    text = repr(value) if isinstance(value, str | int | float | bool) or value is None else flow(_plain(value))
    return f"{text[:80]}..." if len(text) > 80 else text


def _plain(value: Any) -> Any:
    return {str(k): "..." for k in value} if isinstance(value, Mapping) else [str(item) for item in list(value)[:5]]


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(words)


def _other_key(key: str, known_keys: Collection[str]) -> str:
    wanted = to_camel(key)
    near = nearest(wanted, known_keys)
    if near == key:
        return "remove it: it belongs elsewhere, see docs/config-reference.md"
    return f"did you mean {near}?" if near else "remove it, or see docs/config-reference.md"
