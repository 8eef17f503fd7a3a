"""Every field of the config changes what the program makes, or the table says what else it is for."""

import copy
import json
from functools import cache
from typing import Any

import pytest

from l4serve.cli.render_command import render_stack
from tests import factories
from tests.planning.stack.field_edits import BASES, EDITS, SAME_PLAN
from tests.planning.stack.test_every_field import laid_over
from tests.stacks.fields_of_the_plan import ONLY_PLANNED

pytestmark = pytest.mark.slow


def rendering(serving: dict[str, Any], *, has_token: bool) -> str:
    """All objects, cloud resources and outputs, as text."""
    return _rendered(json.dumps(serving), has_token)


@cache
def _rendered(serving: str, has_token: bool) -> str:
    found = render_stack(factories.loaded(json.loads(serving), has_token=has_token))
    return json.dumps([found.objects, found.cloud, found.outputs], sort_keys=True, default=str)


@pytest.mark.parametrize("edit", EDITS, ids=lambda e: e.path)
def test_a_field_changes_the_rendering(edit: Any) -> None:
    base = laid_over(copy.deepcopy(BASES[edit.base]), edit.given)
    before = rendering(base, has_token=edit.has_token)
    after = rendering(laid_over(base, edit.change), has_token=edit.has_token)
    if edit.path in ONLY_PLANNED:
        assert before == after, f"it changes the rendering, so it is none of ONLY_PLANNED: {ONLY_PLANNED[edit.path]}"
    else:
        assert before != after, "it changes nothing that the program makes"


def test_the_table_of_exceptions_names_fields() -> None:
    assert set(ONLY_PLANNED) <= {edit.path for edit in EDITS}
    assert not set(ONLY_PLANNED) & set(SAME_PLAN)
