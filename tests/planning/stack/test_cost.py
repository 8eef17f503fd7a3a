"""The cost of a stack: pool by pool, unknown where a price is, and never summed as if it were free."""

from typing import Any

import pytest

from l4serve.planning.machines.prices import stated_prices
from l4serve.planning.stack.cost import LEVELS, StackCost, stack_cost
from l4serve.planning.stack.plan_json import levels_json
from l4serve.planning.stack.stack_planner import plan_stack
from tests import factories

WORKLOADS = {"qwen": factories.workload("Qwen/Qwen2.5-7B-Instruct", replicas=2)}
STANDARD = factories.STANDARD


def cost(serving: dict[str, Any]) -> StackCost:
    stack = factories.loaded(serving)
    planned = plan_stack(stack)
    prices = stated_prices(stack.config.prices)
    return stack_cost(planned.cluster, planned.node_pools, planned.workloads, prices, planned.compute_classes)


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


@pytest.mark.parametrize(("provisioning", "usd"), [("spot", 0.4799), ("on-demand", 0.8536)])
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


def test_what_an_existing_cluster_costs_is_not_stated() -> None:
    total = cost({"cluster": factories.EXISTING, "workloads": WORKLOADS})
    assert (total.usd_at_least, total.usd_at_most) == (None, None)
    assert total.unknown == ("cluster",)
    assert levels_json(total) == {key: {"usdPerHour": None, "usdPerMonth": None} for key in LEVELS}


def test_pools_without_nodes_on_a_found_cluster_do_not_make_it_free() -> None:
    found = {**STANDARD, "mode": "existing"}
    total = cost({"cluster": found, "nodePools": pools(minNodes=0), "workloads": WORKLOADS})
    assert total.at("min").per_hour is None
    assert total.at("min").per_month is None
    assert total.at("planned").per_hour


def test_pools_on_a_found_cluster_are_stated_without_its_fee() -> None:
    total = cost({"cluster": {**STANDARD, "mode": "existing"}, "nodePools": pools(), "workloads": WORKLOADS})
    assert total.unknown == ("cluster",)
    assert total.at("planned").per_hour == pytest.approx(2 * 0.8536, abs=1e-3)


def test_six_replicas_cost_six_nodes_the_fee_and_one_system_node() -> None:
    six = {"q": factories.workload("Qwen/Qwen2.5-7B-Instruct", engine={"maxModelLen": 8192}, replicas=6)}
    total = cost({"cluster": factories.ZONAL, "nodePools": pools(minNodes=0, maxNodes=8), "workloads": six})
    price = {line.name: line.price.usd_per_hour for line in total.lines if line.price}
    planned = 6 * price["nodePools.l4"] + price["cluster"] + price["cluster.systemPool"]
    assert total.at("planned").per_hour == pytest.approx(planned, abs=1e-3)
    assert total.at("planned").per_hour == pytest.approx(5.35, abs=0.1)
    found = levels_json(total)
    assert found["min"]["usdPerHour"] == total.usd_at_least < planned < found["max"]["usdPerHour"] == total.usd_at_most
    assert found["planned"]["usdPerMonth"] == pytest.approx(730 * planned, abs=0.1)


def test_replicas_that_share_a_node_are_paid_for_once() -> None:
    shared = {"q": factories.workload(replicas=2, nodePool="l4")}
    pool = pools(machineType="g2-standard-24", minNodes=0)
    line = cost({"cluster": STANDARD, "nodePools": pool, "workloads": shared}).lines[0]
    assert (line.fewest, line.planned, line.most) == (0, 1, 3)


CLASS = {"priorities": [{"machineType": "g2-standard-8", "spot": True}]}


@pytest.mark.parametrize("cluster", [factories.ZONAL, factories.AUTOPILOT], ids=["standard", "autopilot"])
def test_a_compute_class_counts_the_nodes_that_its_pods_take(cluster: dict[str, Any]) -> None:
    scaled = {"q": factories.workload(computeClass="any", autoscaling={"minReplicas": 2, "maxReplicas": 5})}
    total = cost({"cluster": cluster, "workloads": scaled, "computeClasses": {"any": CLASS}})
    line = next(line for line in total.lines if line.name == "computeClasses.any.priorities[0]")
    assert (line.fewest, line.planned, line.most) == (0, 2, 5)
    assert line.market == "spot"
    assert not any(line.name == "workloads.q" for line in total.lines), "no pod is paid for twice"


def test_a_class_fills_its_pool_before_it_makes_nodes() -> None:
    order = {"priorities": [{"nodePool": "l4"}, CLASS["priorities"][0]]}
    config: dict[str, Any] = {"computeClass": "any", "replicas": 3}
    base = {"cluster": STANDARD, "computeClasses": {"any": order}, "workloads": {"q": factories.workload(**config)}}
    total = cost({**base, "nodePools": pools(minNodes=0)})
    assert {line.name: line.planned for line in total.lines}["nodePools.l4"] == 3
    assert not any(line.name.startswith("computeClasses") for line in total.lines)
    order["priorities"].reverse()
    total = cost({**base, "nodePools": pools(minNodes=0)})
    assert {line.name: line.planned for line in total.lines}["nodePools.l4"] == 0
    assert {line.name: line.planned for line in total.lines}["computeClasses.any.priorities[0]"] == 3


def two_pools(most: int, nodes: int) -> StackCost:
    """A class over a spot pool and one on demand, for at most so many pods that hold a node each."""
    sizes = {"machineType": "g2-standard-8", "minNodes": 0, "maxNodes": nodes}
    order = {"priorities": [{"nodePool": "spot"}, {"nodePool": "l4"}]}
    scaled = {"q": factories.workload(computeClass="any", autoscaling={"minReplicas": 1, "maxReplicas": most})}
    named = {"spot": {**sizes, "spot": True}, "l4": sizes}
    return cost({"cluster": STANDARD, "nodePools": named, "computeClasses": {"any": order}, "workloads": scaled})


@pytest.mark.parametrize(("most", "nodes", "on_demand", "spot"), [(2, 10, 2, 0), (4, 4, 4, 0), (6, 4, 4, 2)])
def test_the_most_of_a_class_is_its_pods_where_they_cost_most(most: int, nodes: int, on_demand: int, spot: int) -> None:
    total = two_pools(most, nodes)
    by_name = {line.name: line for line in total.lines}
    assert (by_name["nodePools.l4"].most, by_name["nodePools.spot"].most) == (on_demand, spot)
    fixed = by_name["cluster"].price.usd_per_hour + 3 * by_name["cluster.systemPool"].price.usd_per_hour
    assert total.usd_at_most == pytest.approx(0.8536 * on_demand + 0.4799 * spot + fixed, abs=1e-2)
    assert by_name["nodePools.spot"].planned == 1


def test_the_most_of_made_machines_is_the_dearest_of_them() -> None:
    order = {"priorities": [*CLASS["priorities"], {"machineType": "g2-standard-8"}, {"machineType": "g2-standard-24"}]}
    scaled = {"q": factories.workload(computeClass="any", autoscaling={"minReplicas": 1, "maxReplicas": 3})}
    lines = cost({"cluster": STANDARD, "workloads": scaled, "computeClasses": {"any": order}}).lines
    assert [(line.planned, line.most) for line in lines if line.name.startswith("computeClasses")] == [(1, 0), (0, 2)]


def test_a_system_pool_and_its_fallback_are_not_both_at_their_most() -> None:
    system = {"maxNodes": 2, "fallbackMachineTypes": ["n2-standard-8"]}
    stack = {"cluster": {**STANDARD, "systemPool": system}, "workloads": {}}
    lines = {line.name: line for line in cost(stack | {"prices": {"onDemand": {"n2-standard-8": 0.4}}}).lines}
    assert (lines["cluster.systemPool"].most, lines["cluster.systemPool (n2-standard-8)"].most) == (0, 2)


def pooled(count: int, **cluster: Any) -> StackCost:
    names = [f"w{number}" for number in range(count)]
    workloads = {name: factories.workload(expose={"inferencePool": True, "path": f"/{name}"}) for name in names}
    serving = factories.serving(workloads, cluster={**factories.ZONAL, **cluster}, expose={"to": "network"})
    if serving["cluster"]["mode"] == "autopilot":
        serving |= {"nodePools": {}, "cluster": {**factories.AUTOPILOT}}
    return factories.planned(serving).cost


@pytest.mark.parametrize(("pickers", "nodes"), [(0, 1), (2, 1), (3, 2), (4, 2)])
def test_endpoint_pickers_take_system_nodes(pickers: int, nodes: int) -> None:
    cost = pooled(pickers) if pickers else factories.planned(factories.serving()).cost
    (line,) = [each for each in cost.lines if each.name == "cluster.systemPool"]
    assert line.planned == nodes
    assert ("endpoint pickers" in line.note) is (pickers > 0)


def test_autopilot_bills_an_endpoint_picker_at_a_price_that_nobody_knows_here() -> None:
    assert pooled(1, mode="autopilot").unknown == ("w0-picker",)
