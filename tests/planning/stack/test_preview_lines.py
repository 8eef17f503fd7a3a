"""The line that a preview shows for each workload."""

import re
from typing import Any

import pytest

from l4serve.planning.stack.preview_lines import preview_lines
from tests import factories

CLASS = {"any": {"priorities": [{"machineType": "g2-standard-24"}]}}
STATED = "USD per hour (price as configured)"
PRICES = {"onDemand": {"g2-standard-8": 0.8, "g2-standard-24": 2.0}}


def line(workload: dict[str, Any], **fields: Any) -> str:
    (found,) = preview_lines(factories.planned(factories.serving({"qwen": workload}, prices=PRICES, **fields)))
    return found


def test_a_workload_says_whether_it_fits_what_it_holds_and_what_it_costs() -> None:
    shape = r"qwen: fits, [\d,]+ tokens of KV cache \([\d.]+ sequences of 4,096\); 2 pods, 1\.60 "
    assert re.fullmatch(shape + re.escape(STATED), line(factories.workload(replicas=2)))


@pytest.mark.parametrize(
    ("fields", "workload", "said"),
    [
        (
            {"pools": {"l4": {"machineType": "g2-standard-24", "maxNodes": 1}}},
            {},
            f"1 pod, 1.00 {STATED}",
        ),
        ({"computeClasses": CLASS}, {"computeClass": "any"}, f"1 pod, 1.00 {STATED}"),
        ({"cluster": factories.EXISTING}, {}, "1 pod, cost not stated"),
    ],
    ids=["half a node", "a class", "nodes of others"],
)
def test_a_pod_costs_its_gpus_share_of_a_node(fields: dict[str, Any], workload: dict[str, Any], said: str) -> None:
    assert line(factories.workload(**workload), **fields).endswith(said)


def test_what_is_not_judged_is_not_said_to_fit() -> None:
    assert "memory not judged" in line(factories.workload("nobody/knows-it"))


def test_a_pod_on_autopilot_costs_the_machine_that_is_made_for_it() -> None:
    assert re.search(
        r"1 pod, \d+\.\d\d USD per hour \(price of 2026-08-03\)$",
        line(factories.workload(), cluster=factories.AUTOPILOT),
    )
