"""A difference is true of what the program registers for both sides: no change without a line, nor a line without.

Edits of the fields that no probe has are held with their renderings, in `tests/stacks/test_every_field_renders.py`.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from l4serve.planning.stack.edits import Effect, effect_of
from tests import factories
from tests.planning.difference.each_field import ENGINES, typed_fields
from tests.planning.difference.scenarios import SCENARIOS, difference, with_values
from tests.planning.difference.truth import Rendered, assert_true, rendered
from tests.planning.stack.edit_probes import BASE, PROBES
from tests.planning.stack.test_edits import derived_effect


@pytest.fixture(scope="module")
def renders() -> dict[str, Rendered]:
    return {}


def both(before: Mapping[str, Any], after: Mapping[str, Any], renders: dict[str, Rendered]) -> list[Rendered]:
    return [renders.get(repr(side)) or renders.setdefault(repr(side), rendered(side)) for side in (before, after)]


def held(before: Mapping[str, Any], after: Mapping[str, Any], renders: dict[str, Rendered]) -> None:
    assert_true(difference(before, after), *both(before, after, renders))


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_is_true_of_the_rendering(name: str, renders: dict[str, Rendered]) -> None:
    held(*SCENARIOS[name].sides(), renders)


@pytest.mark.parametrize(("path", "value", "given"), PROBES, ids=lambda v: v if isinstance(v, str) else "")
def test_an_edit_does_what_the_table_and_the_difference_say(
    path: str, value: Any, given: Mapping[str, Any], renders: dict[str, Rendered]
) -> None:
    before = with_values(BASE, given)
    after = with_values(before, {path: value})
    old, new = both(before, after, renders)
    diff = difference(before, after)
    assert derived_effect(old, new) is effect_of(path)
    assert_true(diff, old, new)
    assert effect_of(path) is Effect.NOTHING or any(part.change != "same" for part in diff.parts)


FEWEST = {"vllm": 28, "tgi": 20}


@pytest.mark.parametrize("kind", ENGINES)
def test_each_typed_field_of_an_engine_is_told_once_and_truly(kind: str, renders: dict[str, Rendered]) -> None:
    sides = [factories.serving(each, cluster=factories.EXISTING) for each in typed_fields(kind)]
    held(sides[0], sides[1], renders)
    parts = difference(*sides).workloads
    assert len(parts) >= FEWEST[kind], sorted(part.name for part in parts)
    assert {part.lands for part in parts} == {Effect.POD_RESTART}
    for part in parts:
        flags = part.flags
        lines = [line.says for line in part.lines]
        assert flags.added or flags.removed or flags.changed or "environment" in lines or "image" in lines, part.name
