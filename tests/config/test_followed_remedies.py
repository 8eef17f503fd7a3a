"""What a refusal says to write is not refused again at the same key: followed by machine, at every key."""

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from l4serve.config.refusals.problems import ConfigError, Problem
from l4serve.config.schema.key_reference import KeyEntry, all_keys
from tests.factories import loaded, serving, workload

WRONG: tuple[Any, ...] = ("many", -1, "8k", ["a"], {"a": 1}, True, 9, "150%", "500milli", "10.0.0.1")
FILE = "workloads.model.config"
NAMES = {"nodePools": "l4", "workloads": "qwen"}
GOOD = serving({"qwen": workload(nodePool="l4")})
SAYS = re.compile(r"write (?:it as|for example) (.+)|give .*, such as (.+)")


def places() -> Iterator[KeyEntry]:
    """Each key once for each kind of object that has it; not a file, for the one of the example is not there."""
    found = {(entry.path, entry.chosen_by, entry.part): entry for entry in all_keys() if entry.path != FILE}
    yield from found.values()


def with_value(entry: KeyEntry, value: Any) -> dict[str, Any] | None:
    """The good config with a value at a key, in the objects that lead to it; None where none leads there."""
    steps = re.findall(r"[^.\[\]]+|\[\]", entry.pattern)
    config = at = copy.deepcopy(GOOD)
    for i, (step, following) in enumerate(zip(steps, [*steps[1:], ""], strict=True)):
        if step == "[]":
            continue
        name = NAMES.get(steps[i - 1], "name") if step == "*" else step
        if i == len(steps) - 1:
            at |= chosen(entry)
            at[name] = copy.deepcopy(value)
        elif following == "[]":
            at[name] = [{}]
            at = at[name][0]
        else:
            at[name] = at[name] if isinstance(at.get(name), dict) else {}
            at = at[name]
    return config


def chosen(entry: KeyEntry) -> dict[str, str]:
    tag, colon, member = entry.chosen_by.partition(", ")[0].partition(": ")
    return {tag: member} if colon else {}


def refusals(config: Any) -> tuple[Problem, ...]:
    try:
        loaded(config)
    except ConfigError as error:
        return error.problems
    return ()


def pathless(path: str) -> str:
    return re.sub(r"\[\d+\]|\.(l4|qwen|name)\b", "", path)


def followed(entry: KeyEntry, value: Any) -> str:
    """What is wrong with the remedy of a value at a key; empty where nothing is, or no value is proposed."""
    for problem in refusals(with_value(entry, value)):
        if (found := SAYS.fullmatch(problem.remedy)) and pathless(problem.path) == entry.path:
            again = refusals(with_value(entry, yaml.safe_load(found[1] or found[2])))
            if any(other.path == problem.path for other in again):
                return f"{problem.path} {value!r}: {problem.remedy}: refused again"
    return ""


@pytest.mark.parametrize("value", WRONG, ids=str)
def test_no_remedy_is_refused_again(value: Any) -> None:
    assert [fault for entry in places() if (fault := followed(entry, value))] == []


def test_a_secret_among_listed_variables_is_not_repeated() -> None:
    for listed in (
        [{"name": "DB_PASSWORD", "value": "hunter22"}],
        ["DB_PASSWORD=hunter22"],
        ["A=b", "MY_TOKEN=hunter22"],
    ):
        said = "".join(map(str, refusals(serving({"qwen": {**workload(), "extraEnv": listed}}))))
        assert "extraEnv" in said
        assert "hunter22" not in said
