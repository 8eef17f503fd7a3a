"""Tests that share a stack go to one worker: on two of them the stack would be brought up twice."""

from collections import defaultdict
from typing import Any

import pytest

from tests.dealing import LONG, unit_of
from tests.factories import ROOT

pytestmark = pytest.mark.sandbox


def test_tests_that_share_a_stack_are_one_unit(request: pytest.FixtureRequest) -> None:
    units: dict[tuple[str, str], set[str]] = defaultdict(set)
    for item in request.session.items:
        known: Any = getattr(item, "_fixtureinfo", None)
        for name, definitions in known.name2fixturedefs.items() if known else ():
            if definitions[-1].scope == "module":
                units[item.path.name, name].add(unit_of(item.nodeid))
    assert {key: found for key, found in units.items() if len(found) > 1} == {}


@pytest.mark.parametrize("place", LONG)
def test_what_is_dealt_out_first_exists(place: str) -> None:
    file, _, name = place.partition("::")
    assert f"def {name}" in (ROOT / file).read_text("utf-8")
