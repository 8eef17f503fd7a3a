"""Pods of a compute class: they fill its pools in order, and the spare of a rollout is that of all pools together."""

from typing import Any

import pytest

from l4serve.planning.stack.exchange import exchange_problems, pods_json, read_pods
from l4serve.planning.stack.stack_plan import StackPlan
from tests.factories import ZONAL, planned, serving, workload

MACHINE = "g2-standard-8"


def stack(spot: int, demand: int, *, made: bool = False, **workloads: dict[str, Any]) -> StackPlan:
    pools = {
        "spot": {"machineType": MACHINE, "spot": True, "maxNodes": spot},
        "demand": {"machineType": MACHINE, "maxNodes": demand},
    }
    order = [{"nodePool": "spot"}, {"nodePool": "demand"}, *([{"machineType": MACHINE, "spot": True}] if made else [])]
    return planned(serving(workloads, cluster=ZONAL, pools=pools, computeClasses={"l4": {"priorities": order}}))


def llama(most: int, **fields: Any) -> dict[str, Any]:
    return workload(computeClass="l4", replicas=most, **fields)


@pytest.mark.parametrize(
    ("spot", "demand", "pods", "surge"),
    [(4, 4, 4, 1), (2, 2, 3, 1), (2, 2, 4, 0), (3, 1, 4, 0)],
)
def test_the_spare_is_that_of_all_pools_of_the_class(spot: int, demand: int, pods: int, surge: int) -> None:
    plan = stack(spot, demand, llama=llama(pods))
    assert plan.workloads[0].scale.rollout.max_surge == surge
    gap = any("no GPU is free" in note.text for note in plan.notes)
    assert gap is (surge == 0 and pods == 1)


def test_one_pod_on_two_full_pools_of_another_workload_leaves_a_gap() -> None:
    plan = stack(1, 1, a=llama(1), b=llama(1))
    assert any("no GPU is free" in note.text for note in plan.notes)


def test_replicas_fill_the_pools_in_the_order_of_the_class() -> None:
    placement = {each.pool: each.nodes for each in stack(2, 4, llama=llama(5)).placement}
    assert placement == {"spot": ({"llama": 1},) * 2, "demand": ({"llama": 1},) * 3}


def test_more_replicas_than_all_pools_hold_are_refused() -> None:
    with pytest.raises(ValueError, match="do not pack"):
        stack(2, 2, llama=llama(5))


def test_what_no_pool_holds_goes_to_the_machines_that_the_class_makes() -> None:
    plan = stack(2, 2, made=True, llama=llama(7))
    assert sum(len(each.nodes) for each in plan.placement) == 4
    assert plan.workloads[0].scale.rollout.max_surge == 1


def test_a_pod_pinned_to_a_pool_of_a_class_takes_its_room() -> None:
    pinned = workload(nodePool="spot", replicas=2)
    placement = {each.pool: each.nodes for each in stack(2, 2, pinned=pinned, llama=llama(2)).placement}
    assert placement == {"spot": ({"pinned": 1},) * 2, "demand": ({"llama": 1},) * 2}


@pytest.mark.parametrize(("demand", "stuck"), [(2, False), (1, True)])
def test_an_exchange_looks_at_all_pools_of_the_class(demand: int, stuck: bool) -> None:
    before, after = stack(2, demand, a=llama(2)), stack(2, demand, b=llama(2))
    said = [str(problem) for problem in exchange_problems(read_pods(pods_json(before)), after)]
    assert bool(said) is stuck
    assert all("pools spot, demand hold 3 nodes" in text for text in said)
