"""A difference is true of what the program registers for both sides: no change without a line, nor a line without."""

import copy
import re
from collections.abc import Mapping
from typing import Any

import pytest

from l4serve.planning.stack.edits import Effect
from tests import factories
from tests.planning.difference.each_field import ENGINES, typed_fields
from tests.planning.difference.scenarios import SCENARIOS, difference, with_values
from tests.planning.difference.truth import Rendered, assert_true, rendered
from tests.planning.stack.field_edits import BASES, EDITS, FieldEdit
from tests.planning.stack.test_edits import BASE, PROBES
from tests.planning.stack.test_every_field import laid_over


@pytest.fixture(scope="module")
def renders() -> dict[str, Rendered]:
    return {}


def held(before: Mapping[str, Any], after: Mapping[str, Any], renders: dict[str, Rendered]) -> None:
    sides = [renders.get(repr(side)) or renders.setdefault(repr(side), rendered(side)) for side in (before, after)]
    assert_true(difference(before, after), *sides)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_is_true_of_the_rendering(name: str, renders: dict[str, Rendered]) -> None:
    held(*SCENARIOS[name].sides(), renders)


POOL, WORKLOAD = "nodePools.l4.", "workloads.qwen."
ALONE = [
    probe
    for probe in PROBES
    if not (probe[0].startswith((POOL, WORKLOAD)) and all(k.startswith(POOL) for k in probe[2]))
]
TOGETHER = [probe for probe in PROBES if probe not in ALONE]


@pytest.mark.parametrize(("path", "value", "given"), ALONE, ids=lambda v: v if isinstance(v, str) else "")
def test_an_edit_of_each_field_is_true_of_the_rendering(
    path: str, value: Any, given: Mapping[str, Any], renders: dict[str, Rendered]
) -> None:
    before = with_values(copy.deepcopy(BASE), given)
    held(before, with_values(before, {path: value}), renders)


def test_edits_of_pools_and_workloads_are_true_of_one_rendering(renders: dict[str, Rendered]) -> None:
    """Each on a pool or in a workload of its own, so that two renderings hold all of them."""
    before = with_values(BASE, {"nodePools.l4.maxNodes": 3 * len(TOGETHER)})
    edits: dict[str, Any] = {}
    for number, (path, value, given) in enumerate(TOGETHER):
        old, new = (POOL, f"nodePools.p{number}.") if path.startswith(POOL) else (WORKLOAD, f"workloads.w{number}.")
        before = with_values(before, {new.rstrip("."): with_values(BASE, {})[old.split(".")[0]][old.split(".")[1]]})
        before = with_values(before, {key.replace(old, new): setting for key, setting in given.items()})
        edits[path.replace(old, new)] = value
    after = with_values(before, edits)
    held(before, after, renders)
    diff = difference(before, after)
    told = {part.name for part in (*diff.pools, *diff.workloads) if part.change != "same"}
    silent = {path.split(".")[1] for path in edits} - told
    assert {path for path in edits if path.split(".")[1] in silent} <= {p for p in edits if p.endswith(".fit")}


PROBED = {re.sub(r"\.(qwen|l4|l4s)\b", ".*", re.sub(r"\[\d+\]", "[]", path)) for path, _, _ in PROBES}
ROOMS = ("workloads.", "computeClasses.", "huggingFace.", "networkPolicy.", "expose.")
REST = [edit for edit in EDITS if edit.path not in PROBED and edit.path.startswith(ROOMS)]


@pytest.mark.parametrize("edit", REST, ids=lambda edit: edit.path)
def test_an_edit_of_each_other_field_is_true_of_the_rendering(edit: FieldEdit, renders: dict[str, Rendered]) -> None:
    before = laid_over(BASES[edit.base], edit.given)
    held(before, laid_over(before, edit.change), renders)


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
