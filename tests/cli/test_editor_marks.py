"""An editor that knows the schema marks the key that is wrong, and none of the objects above it."""

from functools import cache
from typing import Any

import pytest

from l4serve.config.schema.key_reference import KeyEntry, all_keys, example_of, objects
from l4serve.config.schema.schema_unions import told_apart
from l4serve.config.stack_file import SERVING_KEY
from tests.each_case import each
from tests.editor import editor

NO_VALUE: list[Any] = [[[]]]
"""A value that no key takes."""
OVER_RECIPE = {"recipe": "vllm-7b-kvcache"}
ENTRIES = tuple({(entry.pattern, entry.part): entry for entry in all_keys()}.values())
OVER = tuple(entry for entry in ENTRIES if entry.pattern.startswith(("workloads.*.engine.", "workloads.*.model.")))


@cache
def entries_at(pattern: str) -> tuple[KeyEntry, ...]:
    return tuple(entry for entry in ENTRIES if entry.pattern == pattern)


def sound_object(entry: KeyEntry) -> dict[str, Any]:
    """The object that has the key: with its tag, the keys that it must have, and this one."""
    tag = dict([entry.chosen_by.split(": ")]) if entry.chosen_by else {}
    keys = dict.fromkeys((*objects()[entry.part].get("required", ()), entry.path.rpartition(".")[2]))
    return {**{key: example_of(entry.part, key) for key in keys}, **tag}


def placed(entry: KeyEntry) -> tuple[Any, tuple[Any, ...]]:
    """A sound stack that has the key, and the path of the object with the key."""
    value: Any = sound_object(entry)
    path: list[Any] = []
    pattern = entry.pattern.rpartition(".")[0]
    while pattern:
        if pattern.endswith(".*"):
            pattern, value, path = pattern.removesuffix(".*"), {"name": value}, ["name", *path]
        if pattern.endswith("[]"):
            pattern, value, path = pattern.removesuffix("[]"), [value], [0, *path]
        parent, key = entries_at(pattern)[0], pattern.rpartition(".")[2]
        value, path = {**sound_object(parent), key: value}, [key, *path]
        pattern = pattern.rpartition(".")[0]
    return value, tuple(path)


def put(value: Any, at: tuple[Any, ...], key: str, new: Any) -> Any:
    """A copy with a value at a key of the object at a path."""
    if isinstance(value, list):
        return [put(value[0], at[1:], key, new)]
    return {**value, at[0]: put(value[at[0]], at[1:], key, new)} if at else {**value, key: new}


def faults(serving: Any) -> list[tuple[str, tuple[Any, ...], str]]:
    """What a validator finds: by which word of the schema, where below the stack's object, and what it says."""
    found = editor().iter_errors({"config": {SERVING_KEY: serving}})
    return [(str(fault.validator), tuple(fault.absolute_path)[2:], fault.message) for fault in found]


def check_marks(serving: Any, at: tuple[Any, ...], key: str) -> None:
    assert faults(serving) == []
    wrong = {where for _, where, _ in faults(put(serving, at, key, NO_VALUE))}
    assert wrong, "a value that no key takes is marked"
    assert {where[: len(at) + 1] for where in wrong} == {(*at, key)}
    ((word, where, text),) = faults(put(serving, at, f"{key}z", 1))
    assert (word, where) == ("additionalProperties", at)
    assert f"'{key}z'" in text


@each(ENTRIES, lambda entry: f"{entry.part}: {entry.path}")
def test_a_wrong_value_and_a_misspelt_key_are_marked_where_they_stand(entry: KeyEntry) -> None:
    serving, at = placed(entry)
    check_marks(serving, at, entry.path.rpartition(".")[2])


@each(OVER, lambda entry: f"{entry.part}: {entry.path}")
def test_they_are_marked_over_a_recipe_too(entry: KeyEntry) -> None:
    serving, at = placed(entry)
    workload = serving["workloads"]["name"]
    engine = {key: value for key, value in workload["engine"].items() if key != "kind"}
    over = {**OVER_RECIPE, "engine": engine, "model": workload["model"]}
    if entry.path != "workloads.engine.kind":
        check_marks({**serving, "workloads": {"name": over}}, at, entry.path.rpartition(".")[2])


NULLABLE = tuple(entry for entry in ENTRIES if entry.default == "null")


@each(NULLABLE, lambda entry: f"{entry.part}: {entry.path}")
def test_a_key_that_may_be_left_out_may_be_null(entry: KeyEntry) -> None:
    serving, at = placed(entry)
    assert faults(put(serving, at, entry.path.rpartition(".")[2], None)) == []


def test_no_union_but_of_plain_values_is_left() -> None:
    assert len(ENTRIES) > 300
    assert len(NULLABLE) > 100
    with pytest.raises(AssertionError, match="only a tag"):
        told_apart({"anyOf": [{"type": "object"}, {"type": "object"}]})
    with pytest.raises(AssertionError, match="nothing tells"):
        told_apart({"anyOf": [{"type": "array"}, {"type": "array"}]})
