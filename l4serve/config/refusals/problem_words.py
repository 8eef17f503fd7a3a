"""Our words for what pydantic refuses: the value, what is wrong with it, and what to write."""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from l4serve.config.reading.yaml_text import flow
from l4serve.config.refusals.meant_values import meant_values
from l4serve.config.refusals.misplaced_keys import meant_key
from l4serve.config.secrecy.secret_shapes import excerpt
from l4serve.config.words.regions import near_location
from l4serve.config.words.spelling import nearest, shortened
from l4serve.config.words.written_forms import LOCATION, called, form_shown, mended_to

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
_NOTHING = frozenset({"none", "null", "nothing", "off", "disabled", "false"})
"""Words for no value, where a key takes null."""
_BOUNDS: Mapping[str, tuple[str, str]] = {
    "greater_than_equal": ("ge", "is below {}, the least"),
    "greater_than": ("gt", "is not above {}"),
    "less_than_equal": ("le", "is above {}, the most"),
    "less_than": ("lt", "is not below {}"),
}
EMPTY, BLANK = "the key has no value", "write a blank behind the `:`"
_PRICE = re.compile(r"(?:USD|US\$|\$)\s*(\d{1,6}(?:\.\d{1,6})?)|(\d{1,6}(?:\.\d{1,6})?)\s*(?:USD|\$)")
_STUCK = re.compile(r"([A-Za-z][A-Za-z0-9_./-]*):(?!//)(\S+)")
"""A key and its value without the blank that YAML wants between them."""
_MIDNIGHT = re.compile(r"(?<=^\d{4}-\d\d-\d\d) 00:00:00 \+0000 UTC$")
"""What Pulumi's reader adds to a date."""


def message(detail: ErrorDetails) -> str:
    """What is wrong, with the value."""
    kind, context, value = detail["type"], detail.get("ctx", {}), shown(detail["input"])
    if kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        return f"{value} {words.format(f'{context[bound]:.12g}')}"
    wanted, wrong = _KINDS.get(kind.partition("_")[0], (_EXPECTED.get(kind, ""), ""))
    if wanted and detail["input"] is None:
        return f"{EMPTY}, and {wanted} is expected"
    if wanted:
        plain = wrong and isinstance(detail["input"], str | int | float)
        return f"{value} {wrong}" if plain else f"{wanted} is expected, not {value}"
    match kind:
        case "extra_forbidden":
            return "an empty key stands here" if detail["loc"][-1] == "" else "there is no such key here"
        case "missing" | "union_tag_not_found":
            return "a value is required here"
        case "union_tag_invalid" | "literal_error":
            if _chosen(detail) is None:
                return f"{EMPTY}, and one of {_listed(choices(detail))} is expected"
            return f"{shown(_chosen(detail))} is none of {_listed(choices(detail))}"
        case "value_error":
            return _split(detail)[0]
        case "string_pattern_mismatch":
            return f"{value} {called(str(context.get('pattern')), _key(detail))}"
        case "string_too_long" | "string_too_short":
            return (
                f"a text of {len(str(detail['input']))} characters is {kind.removeprefix('string_').replace('_', ' ')}"
            )
        case "too_short" | "too_long":
            few, most = context.get("min_length"), context.get("max_length")
            few_words = f"{few} {'entry' if few == 1 else 'entries'} or more are wanted here"
            return few_words if kind == "too_short" else f"it has more than {most} entries"
        case _:
            return detail["msg"][:1].lower() + detail["msg"][1:]


def anything(_: Any) -> bool:
    """Takes every value."""
    return True


def remedy(
    detail: ErrorDetails, known_keys: Collection[str], example: Any, takes: Callable[[Any], bool] = anything
) -> str:
    """What to write; empty where nothing better is known than the key's explanation.

    `takes` says whether the key takes a value: what would be refused again is no remedy.
    """
    kind, value = detail["type"], detail["input"]
    key = str(detail["loc"][-1])
    if key.isdigit() and value is None and len(detail["loc"]) > 1:
        return "write a point for the comma before it, which ends a value inside braces"
    if key == "[key]" and (unparted := _STUCK.fullmatch(str(value))):
        return f"{BLANK}, as {unparted[1]}: {unparted[2]}"
    if kind == "extra_forbidden":
        return meant_key(key, detail["loc"], known_keys)
    if kind == "value_error":
        # The example is one of a value, and none of the name of a key.
        return _split(detail)[1] or ("" if key == "[key]" else for_example(example))
    if kind in ("literal_error", "union_tag_invalid"):
        said = str(_chosen(detail))
        if said.lower() in _NOTHING and detail["input"] is not None:
            # A word of its own says more than to leave it to the plan.
            if "none" in choices(detail):
                return "did you mean none?"
            if takes(None):
                return "write null"
        near = nearest(said, choices(detail)) or shortened(said, choices(detail))
        return f"did you mean {near}?" if near else f"give one of {_listed(choices(detail))}"
    if kind == "union_tag_not_found":
        tag = str(detail.get("ctx", {}).get("discriminator", "kind")).strip("'")
        of_source = "source" in detail["loc"]
        usual = "mode: standard" if tag == "mode" else "kind: bucket" if of_source else "kind: vllm"
        if isinstance(value, Mapping) and (stuck := next((k for k in map(str, value) if k.startswith(f"{tag}:")), "")):
            return f"{BLANK}, as {tag}: {stuck.removeprefix(f'{tag}:').strip()}"
        if isinstance(value, Mapping) and (misspelt := nearest(tag, map(str, value))):
            return f"write {tag} for {misspelt}"
        return f"add {tag}, such as {usual}"
    if kind == "string_type" and isinstance(value, bool):
        return f'put it in quotes: "{str(value).lower()}"'
    if kind == "too_short" and isinstance(example, list) and any(isinstance(item, Mapping) for item in example):
        return ""  # an example would name what the stack does not have
    if kind.startswith("float") and isinstance(value, str) and (price := _PRICE.fullmatch(value.strip())):
        return f"write it as {float(price[1] or price[2]):g}"
    if kind == "too_long" and detail["loc"][-1] in ("extraEnv", "env"):
        return f"leave {detail['ctx']['max_length']} here, and set the others in an image of your own: engine.image"
    if kind == "too_long" and isinstance(value, Mapping):
        return f"leave {detail['ctx']['max_length']} here, and put the others into a stack of their own"
    # Of the name of a key nobody knows whether it is taken: `takes` asks of values.
    meant = next((one for one in meant_values(detail, example) if key == "[key]" or takes(one)), None)
    shown_one = example if takes(example) else None
    if kind == "missing":
        return "" if shown_one is None else f"add {key}: {flow(shown_one)}"
    if kind == "string_pattern_mismatch" and (form := _form(detail)):
        return form
    if meant is not None:
        return f"write it as {flow(meant)}"
    return _within(detail, shown_one) or for_example(shown_one)


def _within(detail: ErrorDetails, example: Any) -> str:
    """What to give in place of a number that is out of bounds, or of a text that is no truth; empty for others."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind.startswith("bool"):
        return "give true or false"
    if kind not in _BOUNDS or example is None:
        return ""
    bound, _ = _BOUNDS[kind]
    side = {"ge": "{} or more", "gt": "more than {}", "le": "{} or less", "lt": "less than {}"}[bound]
    return f"give {side.format(f'{context[bound]:.12g}')}, such as {flow(example)}"


def _key(detail: ErrorDetails) -> str:
    """The last key that leads to a value; of an item of a list its list's."""
    return next((part for part in reversed(detail["loc"]) if isinstance(part, str) and part != "[key]"), "")


def _form(detail: ErrorDetails) -> str:
    """The form in words, where no writing of the text has it."""
    value, pattern = str(detail["input"]), str(detail.get("ctx", {}).get("pattern"))
    if mended_to(value, pattern):
        return ""
    near = near_location(value) if pattern == LOCATION else None
    return f"did you mean {near}?" if near else form_shown(value, pattern)


def _chosen(detail: ErrorDetails) -> Any:
    """What was to be one of some words: of an object that has variants, its key that picks one, as it was written."""
    value, tag = detail["input"], str(detail.get("ctx", {}).get("discriminator", "")).strip("'")
    return value.get(tag) if tag and isinstance(value, Mapping) else value


def _split(detail: ErrorDetails) -> tuple[str, str]:
    """The message of one of our own checks, and its remedy behind the last semicolon."""
    said = str(detail.get("ctx", {}).get("error", detail["msg"]))
    wrong, semicolon, mend = said.rpartition("; ")
    return (wrong, mend) if semicolon else (said, "")


def for_example(example: Any) -> str:
    """The remedy that shows an example, where nothing says what was meant; empty without one."""
    return "" if example is None else f"write for example {flow(example)}"


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
    text = repr(value) if isinstance(value, str | int | float) else flow(plain := _plain(value))
    if not isinstance(value, str | int | float | Mapping) and set(plain) == {"..."}:
        return "a list"
    return excerpt(text, 80, "...")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): "..." for k in value}
    items = list(value)[:5]
    # An option's value may be a secret, and so may all that stands in a mapping or a list inside.
    told = int | float if any(isinstance(item, str) and item.startswith("-") for item in items) else str | int | float
    return [item if isinstance(item, told) else "..." for item in items]


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(words)
