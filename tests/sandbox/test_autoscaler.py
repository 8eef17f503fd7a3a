"""Nodes that are added for pods the scheduler cannot place."""

from typing import Any

from l4serve.planning.machines.daemonsets import Overhead
from l4serve.planning.machines.shapes import find_shape
from l4serve.sandbox.autoscaler import Autoscaler, ScaleUp
from l4serve.sandbox.nodes import FakeNode
from l4serve.sandbox.pod_locations import Snapshot
from l4serve.sandbox.pods import pod_requests
from tests.sandbox.sandbox_objects import deployment, l4_node

NONE = Overhead(cpu_millis=0, memory_bytes=0, pods=0)
AUTOPILOT = Autoscaler(overhead=NONE, zones=("us-central1-a", "us-central1-b"), gpus=True)
BESIDE_POOLS = Autoscaler(overhead=NONE, gpus=False)


def pod(uid: str, *, node: str | None = None, unschedulable: bool = True, **asked: Any) -> dict[str, Any]:
    spec = deployment("gemma", **asked)["spec"]["template"]["spec"]
    scheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    return {
        "metadata": {"name": uid, "uid": uid, "namespace": "llm", "labels": {"app": "gemma"}},
        "spec": {**spec, **({"nodeName": node} if node else {})},
        "status": {"conditions": [scheduled] if unschedulable and not node else []},
    }


def snapshot(*pods: dict[str, Any]) -> Snapshot:
    return Snapshot(deployments=(deployment("gemma", namespace="llm"),), pods=pods, nodes=())


def added(scaler: Autoscaler, *pods: dict[str, Any], made: tuple = ()) -> list[tuple[str, str]]:
    return [(uid, node.machine_type) for uid, node in scaler.nodes_for(snapshot(*pods), made)]


def test_a_pod_without_a_place_gets_the_smallest_node() -> None:
    assert added(AUTOPILOT, pod("a", cpu="6")) == [("a", "g2-standard-8")]


def test_pods_that_run_or_are_not_judged_yet_get_none() -> None:
    assert added(AUTOPILOT, pod("a", node="autopilot-0"), pod("b", unschedulable=False)) == []


def test_smaller_nodes_come_first_so_that_no_small_pod_takes_a_large_one() -> None:
    small, other, large = pod("s"), pod("o"), pod("l", gpus=2)
    first = AUTOPILOT.nodes_for(snapshot(large, small, other), ())
    assert [(uid, node.machine_type) for uid, node in first] == [("s", "g2-standard-4"), ("o", "g2-standard-4")]
    placed = (pod("s", node=first[0][1].name), pod("o", node=first[1][1].name))
    then = AUTOPILOT.nodes_for(snapshot(large, *placed), first)
    assert [(uid, node.machine_type) for uid, node in then] == [("l", "g2-standard-24")]
    assert len({node.name for _, node in (*first, *then)}) == 3
    assert [node.zone[-1] for _, node in (*first, *then)] == ["a", "b", "a"]


def test_a_pod_has_one_node_made_and_another_where_that_was_taken() -> None:
    made = (("a", l4_node("autopilot-0", "autopilot")),)
    assert added(AUTOPILOT, pod("a"), made=made) == []
    thief = pod("thief", node="autopilot-0")
    assert added(AUTOPILOT, pod("a"), thief, made=made) == [("a", "g2-standard-4")]


def test_pods_that_take_each_others_nodes_one_after_the_other_get_no_third() -> None:
    one, other = pod("a"), pod("b")
    made = AUTOPILOT.nodes_for(snapshot(one, other), ())
    its_node = dict(made)["b"].name
    halfway = snapshot(pod("a", node=its_node), other)
    assert AUTOPILOT.nodes_for(halfway, made) == ()
    created: list[FakeNode] = []
    scale_up = ScaleUp(AUTOPILOT, created.append)
    assert scale_up(snapshot(one, other))
    assert scale_up(halfway)
    assert len(created) == 2


def test_a_free_node_of_another_kind_serves_no_pod_whose_node_was_taken() -> None:
    made = AUTOPILOT.nodes_for(snapshot(pod("a")), ())
    made += AUTOPILOT.nodes_for(snapshot(pod("a", node=made[0][1].name), pod("b", gpus=2)), made)
    taken = snapshot(pod("a", node=dict(made)["b"].name), pod("b", gpus=2))
    assert [node.machine_type for _, node in AUTOPILOT.nodes_for(taken, made)] == ["g2-standard-24"]


def test_a_pod_that_no_machine_holds_gets_none_and_does_not_hold_up_the_others() -> None:
    assert added(AUTOPILOT, pod("huge", gpus=9), pod("a", gpus=8)) == [("a", "g2-standard-96")]


def test_beside_node_pools_only_pods_without_gpus_get_nodes() -> None:
    assert added(BESIDE_POOLS, pod("a"), pod("router", gpus=0)) == [("router", "general-purpose")]


def test_the_next_nodes_wait_until_the_last_are_found_but_not_for_ever() -> None:
    created: list[FakeNode] = []
    scale_up = ScaleUp(AUTOPILOT, created.append)
    small, large = pod("s"), pod("l", gpus=2)
    assert scale_up(snapshot(small, large))
    for _ in range(10):
        assert scale_up(snapshot(small, large))
    assert [node.machine_type for node in created] == ["g2-standard-4"]
    assert scale_up(snapshot(small, large))
    assert [node.machine_type for node in created] == ["g2-standard-4", "g2-standard-24"]
    done = (pod("s", node=created[0].name), pod("l", node=created[1].name))
    assert not scale_up(snapshot(*done))
    assert scale_up.nodes == tuple(created)


def test_a_compute_class_that_makes_pools_makes_its_first_machine_that_holds_the_pod() -> None:
    machines = tuple(shape for name in ("g2-standard-12", "g2-standard-8") if (shape := find_shape(name)))
    scaler = Autoscaler(overhead=NONE, gpus=False, classes={"l4": machines})
    chooser, stranger = pod("chooser"), pod("stranger")
    chooser["spec"] = {**chooser["spec"], "nodeSelector": {"cloud.google.com/compute-class": "l4"}}
    assert added(scaler, chooser, stranger) == [("chooser", "g2-standard-12")]


def test_where_nobody_watches_each_pod_gets_its_node_beforehand() -> None:
    pods = pod_requests([deployment("small", replicas=2), deployment("pair", gpus=2)])
    nodes = AUTOPILOT.nodes_of(pods)
    assert [node.machine_type for node in nodes] == ["g2-standard-4", "g2-standard-4", "g2-standard-24"]
    assert len({node.name for node in nodes}) == 3
    assert BESIDE_POOLS.nodes_of(pods) == ()
