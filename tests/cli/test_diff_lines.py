"""Lines of `l4serve diff` on money and on long values: what a reader would take for something else."""

from typing import Any

import pytest

from tests import factories
from tests.cli.commands.test_diff_command import files, run

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


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        ({"objectives": {"errors": 0.02}}, "0.288"),
        ({"objectives": {"queue": 9}}, "more than 9 requests wait"),
        ({"runbook": "https://b.example.com"}, "runbook https://b.example.com#"),
    ],
)
def test_what_changes_of_the_alerts_is_shown(edit: dict[str, Any], told: str, files: Any) -> None:
    """A row of long texts is cut: those that are the same would hide the others."""
    alerts = {"runbook": "https://a.example.com"}
    made = [factories.serving(monitoring={"alerts": {**alerts, **own}}) for own in ({}, edit)]
    before, after = files(*made)
    (line,) = [each for each in run("--from", before, "--to", after).output.splitlines() if "alerts:" in each]
    assert told in line.partition(" -> ")[2] and told not in line.partition(" -> ")[0]
    assert ("first-token" in line) == ("runbook" in edit)
