"""Refusals of a config: every problem at once, each with its YAML path and a remedy."""

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NoReturn

from pydantic import ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a config."""

    path: str
    """YAML path, such as workloads.gemma.engine.maxModelLen."""
    message: str
    """What is wrong and what it would do."""
    remedy: str = ""
    """The nearest config edit that works; empty where the message says it."""

    def __str__(self) -> str:
        remedy = f"\n    fix: {self.remedy}" if self.remedy else ""
        return f"{self.path or '(config)'}: {self.message}{remedy}"


class ConfigError(ValueError):
    """A config that is refused, with all its problems."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(dict.fromkeys(problems))
        super().__init__("\n".join(map(str, self.problems)))


def refuse(path: str, message: str, remedy: str = "") -> NoReturn:
    """Raises ConfigError for one problem."""
    raise ConfigError([Problem(path, message, remedy)])


_UNIONS = ("cluster", "engine")
"""Keys whose value is a union: pydantic names the chosen member after them."""


def problems_from(
    error: ValidationError, known_keys: Collection[str] = (), examples: Mapping[str, str] = MappingProxyType({})
) -> tuple[Problem, ...]:
    """Readable problems of a pydantic error; unknown keys are compared with known ones, patterns explained by example.

    `examples` has a matching text per pattern.
    """
    return tuple(
        Problem(path=_path(detail), message=_message(detail), remedy=_remedy(detail, known_keys, examples))
        for detail in error.errors(include_url=False)
    )


def _path(detail: ErrorDetails) -> str:
    loc = list(detail["loc"])
    keep = [part for i, part in enumerate(loc) if not _is_tag(loc, i)]
    if detail["type"] in ("union_tag_not_found", "union_tag_invalid"):
        keep.append("mode" if keep[-1:] == ["cluster"] else "kind")
    text = ""
    for part in keep:
        if part == "[key]":
            continue
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _is_tag(loc: list[int | str], i: int) -> bool:
    own = i == 1 and loc[0] in _UNIONS
    return own or (i == 3 and loc[0] == "workloads" and loc[2] in _UNIONS)


def _message(detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            return "there is no such key here"
        case "missing" | "union_tag_not_found":
            return "a value is required here"
        case "union_tag_invalid":
            return f"{context.get('tag')!r} is none of {context.get('expected_tags')}"
        case "value_error":
            return str(context.get("error", detail["msg"]))
        case "dict_type" | "model_type" | "model_attributes_type":
            return "a mapping is expected"
        case "tuple_type":
            return "a list is expected"
        case "string_type":
            return "a string is expected"
        case "string_pattern_mismatch":
            return f"{detail['input']!r} has not the form {context.get('pattern')}"
        case _:
            return detail["msg"][:1].lower() + detail["msg"][1:]


def _remedy(detail: ErrorDetails, known_keys: Collection[str], examples: Mapping[str, str]) -> str:
    if example := examples.get(detail.get("ctx", {}).get("pattern", "")):
        return f"write it as {example}"
    if detail["type"] == "string_type" and isinstance(detail["input"], bool):
        return f'put it in quotes: "{str(detail["input"]).lower()}"'
    if detail["type"] != "extra_forbidden":
        return ""
    key = to_camel(str(detail["loc"][-1]))
    spelling = {known.lower(): known for known in known_keys}
    near = difflib.get_close_matches(key.lower(), spelling, 1, 0.75)
    if near and spelling[near[0]] == detail["loc"][-1]:
        return "remove it: it belongs elsewhere, see docs/config-reference.md"
    return f"did you mean {spelling[near[0]]}?" if near else "remove it, or see docs/config-reference.md"
