"""Refusals of a config: every problem at once, each with its YAML path and a remedy."""

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NoReturn

from pydantic import ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from l4serve.config.characters import visible
from l4serve.config.secret_shapes import looks_random, names_a_secret, redact


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
        remedy = f"\n    fix: {_shown(self.remedy)}" if self.remedy else ""
        return f"{_shown(self.path) or '(config)'}: {_shown(self.message)}{remedy}"


MOST_PROBLEMS = 100
_LONGEST_SHOWN = 2000


class ConfigError(ValueError):
    """A config that is refused, with all its problems; of very many the first hundred."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        found = tuple(dict.fromkeys(problems))
        if len(found) > MOST_PROBLEMS + 1:
            found = (*found[:MOST_PROBLEMS], _more(len(found)))
        self.problems = found
        super().__init__("\n".join(map(str, self.problems)))


def _shown(text: str) -> str:
    """A part of a problem as it may be printed: on one line, without secrets, of bounded length."""
    cut = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]} ..."
    return visible(redact(cut))


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
    details = error.errors(include_url=False)
    problems = tuple(
        Problem(
            path=_path(detail), message=_message_without_secret(detail), remedy=_remedy(detail, known_keys, examples)
        )
        for detail in details[:MOST_PROBLEMS]
    )
    return (*problems, _more(len(details))) if len(details) > MOST_PROBLEMS else problems


def _more(count: int) -> Problem:
    return Problem("", f"{count - MOST_PROBLEMS} more problems follow from here on", "mend these first")


def _message_without_secret(detail: ErrorDetails) -> str:
    """The message, with its value left out where the field names a secret or the value looks like a generated one."""
    message, value = _message(detail), detail["input"]
    if isinstance(value, str) and (names_a_secret(str(detail["loc"][-1])) or looks_random(value)):
        return message.replace(repr(value), "the value").replace(value, "the value") if value else message
    return message


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
            return f"{_clipped(detail['input'])!r} does not have the form {context.get('pattern')}"
        case _:
            return detail["msg"][:1].lower() + detail["msg"][1:]


def _clipped(value: object) -> object:
    return f"{value[:80]}..." if isinstance(value, str) and len(value) > 80 else value


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


class StackFileError(ValueError):
    """A stack file that cannot be read: the message names the file and the remedy."""
