"""Refusals of a config: every problem at once, each with its YAML path and a remedy."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import field, replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from l4serve.config.frozen import frozen
from l4serve.config.refusals.meant_values import named_values
from l4serve.config.refusals.misplaced_keys import NOTHING_MEANT, swapped
from l4serve.config.refusals.problem_words import BLANK, EMPTY, anything, for_example, message, remedy
from l4serve.config.secrecy.model_names import is_model_id
from l4serve.config.secrecy.random_texts import looks_random
from l4serve.config.secrecy.secret_names import holds_a_secret, names_a_secret
from l4serve.config.secrecy.secret_shapes import excerpt
from l4serve.config.words.characters import visible
from l4serve.config.words.model_ids import without_address

REMEDY = "\n    fix: "
"""Stands between what is wrong and what to write."""


@frozen()
class Problem:
    """One thing wrong with a config."""

    path: str
    """YAML path, such as workloads.gemma.engine.maxModelLen."""
    message: str
    """What is wrong and what it would do."""
    remedy: str = ""
    """The nearest config edit that works; empty where the message says it."""
    changes: frozenset[str] = field(default=frozenset(), compare=False)
    """Keys of the workload that the remedy changes, as far as others ask: what is said of them waits for the edit."""

    def __str__(self) -> str:
        remedy = f"{REMEDY}{_shown(self.remedy)}" if self.remedy else ""
        return f"{_shown(self.path) or '(config)'}: {_shown(self.message)}{remedy}"


MOST_PROBLEMS = 100
_MORE = Problem("", "more problems follow from here on", "mend these first")
_LONGEST_SHOWN = 2000


class ConfigError(ValueError):
    """A config that is refused, with all its problems; of very many the first hundred."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        found = tuple(dict.fromkeys(problems))
        self.problems = (*found[:MOST_PROBLEMS], _MORE) if len(found) > MOST_PROBLEMS else found
        super().__init__()

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


def _shown(text: str) -> str:
    """A part of a problem as it may be printed: on one line, without secrets, of bounded length."""
    return visible(excerpt(text, _LONGEST_SHOWN, " ..."))


def refuse(path: str, message: str, remedy: str = "", *, changes: frozenset[str] = frozenset()) -> NoReturn:
    """Raises ConfigError for one problem; a message without a remedy may hold it behind its last semicolon."""
    raise ConfigError([Problem(path, message, remedy, changes) if remedy else Problem(path, *split_remedy(message))])


def split_remedy(message: str) -> tuple[str, str]:
    """What is wrong, and what to write, of a message that holds both: they meet at its last semicolon."""
    wrong, semicolon, remedy = message.rpartition("; ")
    return (wrong, remedy) if semicolon else (message, "")


_UNIONS = ("cluster", "engine")
"""Keys whose value is a union: pydantic names the chosen member after them."""


def takes_all(loc: Sequence[int | str], value: Any) -> bool:
    """Whether a key takes a value: where nobody knows, it does."""
    return anything((loc, value))


def no_example(path: str, member: str) -> None:
    """No example of the key at a path."""


def problems_from(
    error: ValidationError,
    known_keys: Collection[str] = (),
    example_at: Callable[[str, str], Any] = no_example,
    takes: Callable[[Sequence[int | str], Any], bool] = takes_all,
) -> tuple[Problem, ...]:
    """Readable problems of a pydantic error; unknown keys are compared with known ones, values explained by example.

    `example_at` gives an example of the key at a path, in the member of a union that was chosen; `takes` says whether
    the key at a location of pydantic's takes a value.
    """
    details = _once(error.errors(include_url=False))
    mended = swapped(details[:MOST_PROBLEMS])
    problems = tuple(
        replace(problem, remedy=mended.get(detail["loc"], problem.remedy))
        for detail in details[:MOST_PROBLEMS]
        for problem in [_problem(detail, known_keys, example_at, partial(takes, detail["loc"]))]
    )
    problems = tuple(_written_for(problem, problems) for problem in problems)
    problems = tuple(_out_of(problem, problems) for problem in problems if not _follows(problem, problems))
    return (*problems, _MORE) if len(details) > MOST_PROBLEMS else problems


def _follows(problem: Problem, problems: Sequence[Problem]) -> bool:
    """Whether a list is found too short only because its items are refused, or a key without a value is none."""
    items = any(other.path.startswith(f"{problem.path}[") for other in problems)
    stuck = any(other.path == problem.path and other.remedy.startswith(BLANK) for other in problems)
    short = items and problem.message.endswith("or more are wanted here")
    return short or (stuck and problem.message.startswith(EMPTY))


def _out_of(problem: Problem, problems: Sequence[Problem]) -> Problem:
    """An unknown key that nothing explains, beside a mapping that has no keys: it was to stand in that one."""
    above = problem.path.rpartition(".")[0]
    if problem.remedy != NOTHING_MEANT:
        return problem
    empty = [
        other.path.rpartition(".")[2]
        for other in problems
        if other.path.rpartition(".")[0] == above and other.message == f"{EMPTY}, and a mapping is expected"
    ]
    return replace(problem, remedy=f"indent it deeper than {empty[0]}") if len(empty) == 1 else problem


def _written_for(problem: Problem, problems: Sequence[Problem]) -> Problem:
    """A problem of a missing key, with the misspelt key of the same object that was meant to be it."""
    above, _, key = problem.path.rpartition(".")
    if not problem.remedy.startswith(f"add {key}"):
        return problem
    wrong = (p.path for p in problems if p.path.rpartition(".")[0] == above and p.remedy == f"did you mean {key}?")
    found = next(wrong, None)
    return replace(problem, remedy=f"write {key} for {found.rpartition('.')[2]}") if found else problem


_BRANCH = re.compile(r"(function-(after|before|plain|wrap)|literal|nullable|constrained-\w+)\[")


def _once(details: Iterable[ErrorDetails]) -> list[ErrorDetails]:
    """The details of a value of several types (a number or `auto`) as one: that of the first type."""
    found: dict[tuple[int | str, ...], ErrorDetails] = {}
    for detail in details:
        branch = isinstance(detail["loc"][-1], str) and _BRANCH.match(detail["loc"][-1])
        loc = detail["loc"][:-1] if branch else detail["loc"]
        found.setdefault((*loc, "") if branch else (*loc, len(found)), {**detail, "loc": loc})
    return [*found.values()]


def _problem(
    detail: ErrorDetails,
    known_keys: Collection[str],
    example_at: Callable[[str, str], Any],
    takes: Callable[[Any], bool],
) -> Problem:
    path, loc = _path(detail), list(detail["loc"])
    member = next((str(part) for i, part in enumerate(loc) if _is_tag(loc, i)), "")
    example = example_at(path, member)
    said, mend = _message_without_secret(detail), remedy(detail, known_keys, example, takes)
    # A value that is not shown is not shown mended either.
    unseen = _is_hidden(detail) and mend.startswith("write it as") and not _lists_no_secret(detail)
    return Problem(path, said, for_example(example if takes(example) else None) if unseen else mend)


def _message_without_secret(detail: ErrorDetails) -> str:
    """The message, with its value left out where the field names a secret or the value looks like a generated one.

    Whoever writes a secret itself where its name belongs, in apiKey or env, is not shown it again either.
    """
    value = detail["input"]
    if not _is_hidden(detail):
        return message(detail)
    if detail["type"] != "value_error":
        return message({**detail, "input": "the value"}).replace("'the value'", "the value")
    said = message(detail)
    return (
        said.replace(repr(value), "the value").replace(value, "the value") if isinstance(value, str) and value else said
    )


def _lists_no_secret(detail: ErrorDetails) -> bool:
    """Whether a list of variables, which was to be a mapping, holds names and values that all may see."""
    pairs = named_values(detail["input"])
    return detail["loc"][-1] == "extraEnv" and not any(holds_a_secret(name, value) for name, value in pairs.items())


_OPEN_KEYS = ("databaseEncryptionKey",)
"""Keys with a secret's name whose values are none."""


def _is_hidden(detail: ErrorDetails) -> bool:
    value, path = detail["input"], [str(part) for part in detail["loc"]]
    near_secrets = path[:1] == ["huggingFace"] or (path[:1] == ["workloads"] and {"apiKey", "env"} & {*path})
    listed = {"extraArgs", "extraEnv"} & {*path} and isinstance(value, list | tuple)
    # Where true or false is wanted stands no secret, and a key of Cloud KMS is told by its place.
    near = near_secrets and not detail["type"].startswith("bool")
    named = path[-1] not in _OPEN_KEYS and names_a_secret(path[-1])
    return (
        bool(near or listed)
        or named
        or (isinstance(value, str) and looks_random(value) and not is_model_id(without_address(value)))
    )


def keys_at(loc: Sequence[int | str]) -> list[int | str]:
    """The keys and positions that lead to a location of pydantic's, without the members of unions that it names."""
    return [part for i, part in enumerate(loc) if not _is_tag(list(loc), i) and part != "[key]"]


def _path(detail: ErrorDetails) -> str:
    keep = keys_at(detail["loc"])
    if detail["type"] in ("union_tag_not_found", "union_tag_invalid"):
        keep.append("mode" if keep[-1:] == ["cluster"] else "kind")
    text = ""
    for part in keep:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _is_tag(loc: list[int | str], i: int) -> bool:
    if i == 1:
        return loc[0] in _UNIONS
    of_workload = loc[0] == "workloads"
    return of_workload and ((i == 3 and loc[2] in _UNIONS) or (i == 4 and loc[2:4] == ["model", "source"]))


class StackFileError(ValueError):
    """A stack file that cannot be read: file and line, what is wrong, and the remedy."""

    def __init__(self, file: Path, message: str, *, line: int = 1, remedy: str = "") -> None:
        self.file, self.message, self.line, self.remedy = file, message, line, remedy
        super().__init__(f"{file}:{line}: {message}" + (f"{REMEDY}{remedy}" if remedy else ""))
