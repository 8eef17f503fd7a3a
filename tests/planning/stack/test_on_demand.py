"""Pods that never run on spot nodes: where they are packed, what they cost, and what is refused."""

from typing import Any

import pytest

from l4serve.planning.stack.stack_plan import StackPlan
from tests import factories

MACHINE = "g2-standard-8"


def stack(*, spot: int = 4, demand: int = 4, made: bool = False, **fields: Any) -> StackPlan:
    pools = {
        "spot": {"machineType": MACHINE, "spot": True, "maxNodes": spot},
        "demand": {"machineType": MACHINE, "maxNodes": demand},
    }
    last = {"machineType": MACHINE} if made else {"nodePool": "demand"}
    classes = {"l4": {"priorities": [{"nodePool": "spot"}, last]}}
    if made:
        del pools["demand"]
    chat = factories.workload(computeClass="l4", **fields)
    return factories.planned(factories.serving({"chat": chat}, pools=pools, computeClasses=classes))


def test_the_kept_pods_lie_on_the_pool_that_is_not_spot() -> None:
    plan = stack(replicas=3, minOnDemand=1)
    placed = {each.pool: len(each.nodes) for each in plan.placement}
    assert placed == {"spot": 2, "demand": 1}
    assert {each.pool: len(each.nodes) for each in stack(replicas=3).placement} == {"spot": 3, "demand": 0}


def test_the_planned_cost_has_them_on_demand() -> None:
    lines = {line.name: line.planned for line in stack(replicas=3, minOnDemand=1).cost.lines}
    assert (lines["nodePools.spot"], lines["nodePools.demand"]) == (2, 1)
    made = {line.name: line.planned for line in stack(replicas=3, minOnDemand=1, made=True).cost.lines}
    assert (made["nodePools.spot"], made["computeClasses.l4.priorities[1]"]) == (2, 1)


@pytest.mark.parametrize(("demand", "surge"), [(1, 0), (2, 1)])
def test_a_rollout_needs_room_off_spot_too(demand: int, surge: int) -> None:
    assert stack(spot=8, demand=demand, replicas=3, minOnDemand=1).workloads[0].scale.rollout.max_surge == surge


def test_more_kept_pods_than_lasting_nodes_are_refused() -> None:
    with pytest.raises(ValueError, match="do not pack"):
        stack(demand=1, replicas=3, minOnDemand=2)


@pytest.mark.parametrize(
    ("fields", "fix"),
    [
        ({"replicas": 1, "minOnDemand": 2}, "set minOnDemand: 1"),
        ({"autoscaling": {"minReplicas": 1, "maxReplicas": 4}, "minOnDemand": 1}, "set autoscaling.minReplicas: 2"),
    ],
)
def test_a_count_that_cannot_be_is_refused(fields: dict[str, Any], fix: str) -> None:
    with pytest.raises(ValueError, match=fix):
        stack(**fields)


def test_a_place_with_one_kind_of_nodes_is_refused() -> None:
    values = factories.serving({"chat": factories.workload(nodePool="l4", minOnDemand=1)})
    with pytest.raises(ValueError, match=r"minOnDemand.*a single kind"):
        factories.planned(values)
