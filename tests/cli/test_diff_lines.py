"""Lines of `l4serve diff` that a reader would take for something else, such as a saving."""

from typing import Any

import pytest

from tests import factories
from tests.cli.test_diff_command import files, run

__all__ = ["files"]


@pytest.mark.parametrize(("supply", "lacks"), [({"provisioning": "flex-start"}, True), ({"spot": True}, False)])
def test_a_price_that_one_side_lacks_is_told_beside_the_change(supply: dict[str, Any], lacks: bool, files: Any) -> None:
    """A pool without a price is no saving of what it cost before."""
    made = [
        factories.serving(
            {"qwen": factories.workload(nodePool="l4")},
            cluster=factories.STANDARD,
            pools={"l4": {**factories.POOL, **own}},
        )
        for own in ({}, supply)
    ]
    before, after = files(*made)
    first = run("--from", before, "--to", after).output.splitlines()[0]
    assert "USD per hour" in first
    assert ("USD per hour of what has a price, which nodePools.l4 lacks on one side" in first) == lacks
