"""A difference is true of what the program registers for both sides: no change without a line, nor a line without."""

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from tests.planning.difference.scenarios import SCENARIOS, difference, with_values
from tests.planning.difference.truth import Rendered, assert_true, rendered
from tests.planning.stack.test_edits import BASE, PROBES


@pytest.fixture(scope="module")
def renders() -> dict[str, Rendered]:
    return {}


def held(before: Mapping[str, Any], after: Mapping[str, Any], renders: dict[str, Rendered]) -> None:
    sides = [renders.get(repr(side)) or renders.setdefault(repr(side), rendered(side)) for side in (before, after)]
    assert_true(difference(before, after), *sides)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_is_true_of_the_rendering(name: str, renders: dict[str, Rendered]) -> None:
    held(*SCENARIOS[name].sides(), renders)


@pytest.mark.parametrize(("path", "value", "given"), PROBES, ids=lambda v: v if isinstance(v, str) else "")
def test_an_edit_of_each_field_is_true_of_the_rendering(
    path: str, value: Any, given: Mapping[str, Any], renders: dict[str, Rendered]
) -> None:
    before = with_values(copy.deepcopy(BASE), given)
    held(before, with_values(before, {path: value}), renders)
