"""Every field of the config changes the plan: an option that does nothing is a defect."""

import copy
from typing import Any

import pytest

from l4serve.config.keys.stack import StackConfig
from l4serve.planning.stack.edits import config_paths
from l4serve.planning.stack.stack_plan import StackPlan
from tests import factories
from tests.planning.stack.field_edits import BASES, EDITS, SAME_PLAN


def planned(serving: dict[str, Any], *, has_token: bool = False) -> StackPlan:
    return factories.planned(serving, has_token=has_token)


def laid_over(base: dict[str, Any], edits: dict[str, Any]) -> dict[str, Any]:
    config = copy.deepcopy(base)
    for dotted, value in edits.items():
        *parents, last = dotted.split(".")
        at = config
        for parent in parents:
            at = at.setdefault(parent, {})
        at[last] = value
    return config


def decided(plan: StackPlan) -> dict[str, Any]:
    """What a plan decides: all but the config that it was made of, and what is derived from that."""
    return {name: value for name, value in vars(plan).items() if name not in ("config", "edits")}


def test_the_table_has_every_field() -> None:
    engine = {path for path in config_paths(StackConfig) if path.startswith("workloads.*.engine.")}
    known = {edit.path for edit in EDITS} | set(SAME_PLAN)
    assert set(config_paths(StackConfig)) - engine - known == set()


@pytest.mark.parametrize("edit", EDITS, ids=lambda e: e.path)
def test_a_field_changes_the_plan(edit: Any) -> None:
    base = laid_over(BASES[edit.base], edit.given)
    before = planned(base, has_token=edit.has_token)
    after = planned(laid_over(base, edit.change), has_token=edit.has_token)
    assert decided(before) != decided(after)
