"""The cost of a stack: pool by pool, unknown where a price is, and never summed as if it were free."""

from typing import Any

import pytest

from l4serve.planning.machines.prices import stated_prices
from l4serve.planning.stack.cost import StackCost, stack_cost
from l4serve.planning.stack.stack_planner import plan_stack
from tests import factories

WORKLOADS = {"qwen": factories.workload("Qwen/Qwen2.5-7B-Instruct", replicas=2)}
STANDARD = factories.STANDARD


def cost(serving: dict[str, Any]) -> StackCost:
    stack = factories.loaded(serving)
    planned = plan_stack(stack)
    return stack_cost(planned.cluster, planned.node_pools, planned.workloads, stated_prices(stack.config.prices))


def pools(**settings: Any) -> dict[str, Any]:
    return {"l4": {"machineType": "g2-standard-8", "minNodes": 1, "maxNodes": 3, **settings}}


def test_a_stack_costs_its_pools_its_system_nodes_and_the_fee() -> None:
    total = cost({"cluster": STANDARD, "nodePools": pools(), "workloads": WORKLOADS})
    by_name = {line.name: line for line in total.lines}
    assert by_name["nodePools.l4"].usd_at_least == pytest.approx(0.8536, abs=1e-3)
    assert by_name["nodePools.l4"].usd_at_most == pytest.approx(3 * 0.8536, abs=1e-3)
    assert by_name["cluster"].usd_at_most == pytest.approx(0.10)
    assert total.usd_at_most == pytest.approx(3 * 0.8536 + 0.10 + 3 * 0.13402, abs=1e-3)
    assert total.unknown == ()


@pytest.mark.parametrize(("provisioning", "usd"), [("spot", 0.3406), ("on-demand", 0.8536)])
def test_each_provisioning_model_has_its_price(provisioning: str, usd: float) -> None:
    total = cost({"cluster": STANDARD, "nodePools": pools(provisioning=provisioning), "workloads": {}})
    assert total.lines[0].usd_at_least == pytest.approx(usd, abs=1e-3)


def test_flex_start_is_unknown_until_its_price_is_stated() -> None:
    flex = {"cluster": STANDARD, "nodePools": pools(provisioning="flex-start", minNodes=0), "workloads": {}}
    unknown = cost(flex)
    assert unknown.unknown == ("nodePools.l4",)
    assert unknown.lines[0].usd_at_most is None
    known = cost(flex | {"prices": {"flexStart": {"g2-standard-8": 0.5}}})
    assert known.lines[0].usd_at_most == pytest.approx(1.5)


def test_a_reservation_is_billed_while_its_nodes_are_away() -> None:
    total = cost({"cluster": STANDARD, "nodePools": pools(reservation={}), "workloads": {}})
    assert total.lines[0].market == "on-demand"
    assert "whether nodes run or not" in total.lines[0].note


def test_autopilot_costs_at_least_the_smallest_machine_of_each_pod() -> None:
    total = cost({"cluster": factories.AUTOPILOT, "workloads": WORKLOADS})
    line = next(line for line in total.lines if line.name == "workloads.qwen")
    assert line.fewest == line.most == 2
    assert line.machine_type
    assert line.usd_at_most
    assert "lower bound" in line.note


def test_an_existing_cluster_costs_nothing_itself() -> None:
    assert cost({"cluster": factories.EXISTING, "workloads": WORKLOADS}).usd_at_most == 0
