"""Our words for what pydantic refuses: the value, what is wrong with it, and what to write."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from l4serve.config.misplaced_keys import meant_key
from l4serve.config.spelling import nearest
from l4serve.config.written_forms import called, form_shown, mended_to
from l4serve.config.yaml_text import flow

_KINDS: Mapping[str, tuple[str, str]] = {
    "int": ("a whole number", "is not a whole number"),
    "float": ("a number", "is not a number"),
    "finite": ("a number", "is not a number"),
    "bool": ("true or false", "is neither true nor false"),
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
_WITH_WORD = re.compile(r"(\d{1,9}|\d{1,3}(?:,\d{3}){1,2})\s*[A-Za-z]*")
_MIDNIGHT = re.compile(r"(?<=^\d{4}-\d\d-\d\d) 00:00:00 \+0000 UTC$")
"""What Pulumi's reader adds to a date."""
_PER_CENT = re.compile(r"(\d{1,3}(?:\.\d{1,4})?)\s*%")


def message(detail: ErrorDetails) -> str:
    """What is wrong, with the value."""
    kind, context, value = detail["type"], detail.get("ctx", {}), shown(detail["input"])
    if kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        return f"{value} {words.format(f'{context[bound]:g}')}"
    wanted, wrong = _KINDS.get(kind.partition("_")[0], (_EXPECTED.get(kind, ""), ""))
    if wanted and detail["input"] is None:
        return f"the key has no value, and {wanted} is expected"
    if wanted:
        plain = wrong and isinstance(detail["input"], str | int | float)
        return f"{value} {wrong}" if plain else f"{wanted} is expected, not {value}"
    match kind:
        case "extra_forbidden":
            return "there is no such key here"
        case "missing" | "union_tag_not_found":
            return "a value is required here"
        case "union_tag_invalid" | "literal_error":
            if detail["input"] is None:
                return f"the key has no value, and one of {_listed(choices(detail))} is expected"
            return f"{shown(_chosen(detail))} is none of {_listed(choices(detail))}"
        case "value_error":
            return _split(detail)[0]
        case "string_pattern_mismatch":
            return f"{value} {called(str(context.get('pattern')))}"
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
        return meant_key(key, detail["loc"], known_keys)
    if kind == "value_error":
        return _split(detail)[1] or written_as(example)
    if kind in ("literal_error", "union_tag_invalid"):
        near = nearest(str(_chosen(detail)), choices(detail))
        return f"did you mean {near}?" if near else f"give one of {_listed(choices(detail))}"
    if kind == "union_tag_not_found":
        tag = str(detail.get("ctx", {}).get("discriminator", "kind")).strip("'")
        of_source = "source" in detail["loc"]
        usual = "mode: standard" if tag == "mode" else "kind: bucket" if of_source else "kind: vllm"
        if isinstance(value, Mapping) and (misspelt := nearest(tag, map(str, value))):
            return f"write {tag} for {misspelt}"
        return f"add {tag}, such as {usual}"
    if kind == "string_type" and isinstance(value, bool):
        return f'put it in quotes: "{str(value).lower()}"'
    if (
        kind == "less_than_equal"
        and isinstance(value, int | float)
        and 0 < value / 100 <= detail.get("ctx", {}).get("le", 0) <= 1
    ):
        return f"write {value / 100:g}"
    if isinstance(value, str) and (number := _number_in(value, kind)):
        return number
    if kind == "string_pattern_mismatch":
        pattern = str(detail.get("ctx", {}).get("pattern"))
        mended = mended_to(str(value), pattern)
        if mended is None and (form := form_shown(str(value), pattern)):
            return form
        # A bare number is an amount of cores; of memory and of disk it would be bytes.
        return written_as(example if mended is None or (key != "cpu" and mended.isdigit()) else mended)
    if _EXPECTED.get(kind) == "a list" and (listed := _as_list(value, example)):
        return written_as(listed)
    if isinstance(value, bool) and isinstance(example, Mapping) and "enabled" in example:
        return written_as({"enabled": value})
    if kind == "missing":
        return "" if example is None else f"add {key}: {flow(example)}"
    return written_as(example)


def _as_list(value: Any, example: Any) -> list[str]:
    """The list of texts that a text or a mapping means; empty where it means none."""
    if not isinstance(example, list) or not all(isinstance(item, str) for item in example):
        return []
    flags = example[0].startswith("--")
    if isinstance(value, str) and value:
        return value.split() if flags else [part.strip() for part in value.split(",")]
    if isinstance(value, Mapping) and flags and all(isinstance(v, str | int | float) for v in value.values()):
        return [f"--{str(name).lstrip('-')}={given}" for name, given in value.items()]
    return []


def _number_in(value: str, kind: str) -> str:
    """The number that a text means: 8k, `16384 tokens`, 8,192 or 90%; empty where it means none."""
    text = value.strip()
    if kind.startswith("int"):
        if found := _THOUSANDS.fullmatch(text):
            return f"write the number out: {int(found[1]) * 1024}"
        if found := _WITH_WORD.fullmatch(text):
            return f"write it as {int(found[1].replace(',', ''))}"
    if kind.startswith("float") and (found := _PER_CENT.fullmatch(text)):
        return f"write it as {float(found[1]) / 100:g}"
    return ""


def _chosen(detail: ErrorDetails) -> Any:
    """What was to be one of some words: of an object that has variants, its key that picks one, as it was written."""
    value, tag = detail["input"], str(detail.get("ctx", {}).get("discriminator", "")).strip("'")
    return value.get(tag) if tag and isinstance(value, Mapping) else value


def _split(detail: ErrorDetails) -> tuple[str, str]:
    """The message of one of our own checks, and its remedy behind the last semicolon."""
    said = str(detail.get("ctx", {}).get("error", detail["msg"]))
    wrong, semicolon, mend = said.rpartition("; ")
    return (wrong, mend) if semicolon else (said, "")


def written_as(example: Any) -> str:
    """The remedy that shows an example; empty without one."""
    return "" if example is None else f"write it as {flow(example)}"


def choices(detail: ErrorDetails) -> tuple[str, ...]:
    """The words that are taken here."""
    context = detail.get("ctx", {})
    return tuple(re.findall(r"'([^']*)'", str(context.get("expected_tags", context.get("expected", "")))))


def shown(value: Any) -> str:
    """A value as a message repeats it: short, on one line."""
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    if isinstance(value, str):
        value = _MIDNIGHT.sub("", value)
    text = repr(value) if isinstance(value, str | int | float) else flow(_plain(value))
    return f"{text[:80]}..." if len(text) > 80 else text


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): "..." for k in value}
    items = list(value)[:5]
    # An option's value may be a secret, and so may all that stands in a mapping or a list inside.
    told = int | float if any(isinstance(item, str) and item.startswith("-") for item in items) else str | int | float
    return [item if isinstance(item, told) else "..." for item in items]


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(words)
