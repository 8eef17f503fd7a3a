"""Notes of an update: a stack that is up has its namespace, and what the update takes from it anew is named."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.planning.difference.scenarios import BASE, W, difference, with_values

KEY = {f"{W}.apiKey": {"secret": "key"}}


def told(values: Mapping[str, Any], given: Mapping[str, Any] = {}) -> list[str]:
    before = with_values(BASE, given)
    kinds = ("awaited-objects", "awaited-objects-of-an-update")
    return [note.text for note in difference(before, with_values(before, values)).notes_added if note.id in kinds]


@pytest.mark.parametrize(
    ("values", "given", "named"),
    [
        (KEY, {}, "Secret key"),
        ({f"{W}.env": {"A": {"configMap": "settings", "key": "a"}}}, KEY, "ConfigMap settings"),
        ({f"{W}.serviceAccount.name": "own"}, {"createNamespace": False}, "ServiceAccount own"),
        ({f"{W}.replicas": 1}, {**KEY, f"{W}.replicas": 0}, "Secret key"),
    ],
)
def test_what_an_update_takes_anew_must_be_there_before(
    values: dict[str, Any], given: dict[str, Any], named: str
) -> None:
    wanted = f"namespace llm-serving must hold {named} before the update: what takes it waits until it is there"
    assert told(values, given) == [wanted]


def test_what_was_taken_before_is_there() -> None:
    assert told({f"{W}.apiKey": {"config": "chatKey"}}, KEY) == []
    assert told({f"{W}.replicas": 2}, KEY) == []


@pytest.mark.parametrize("elsewhere", [{"namespace": "other"}, {"cluster.name": "other"}])
def test_a_namespace_that_is_made_now_has_its_first_update(elsewhere: dict[str, Any]) -> None:
    before = with_values(BASE, {})
    notes = difference(before, with_values(before, {**elsewhere, **KEY})).notes_added
    assert "awaited-objects" in [note.id for note in notes]
