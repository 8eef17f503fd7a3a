"""The pods that a state tells of are those that the plan had when its Deployments were made."""

from collections.abc import Mapping
from typing import Any

import pytest

from l4serve.cli.commands.render_command import render_stack
from l4serve.planning.packing.placement import PodRequest
from l4serve.planning.stack.exchange import most_of, pods_json, read_pods, unsettled
from l4serve.planning.stack.planned_pods import packed
from l4serve.planning.stack.state_pods import state_pods
from stacks.deployed import autoscaled, sized, untold
from tests.factories import EXISTING, POOL, STANDARD, ZONAL, loaded, planned, serving, workload

SPOT = {"spot": {**POOL, "spot": True}, "demand": POOL}
BOTH = {"both": {"priorities": [{"nodePool": "spot"}, {"nodePool": "demand"}]}}
BUCKET = {"id": "Qwen/Qwen2.5-1.5B-Instruct", "source": {"kind": "bucket", "uri": "gs://models/qwen"}}
STACKS: dict[str, dict[str, Any]] = {
    "made pools": serving({"a": workload(replicas=2), "b": workload()}, cluster=ZONAL),
    "described nodes": serving({"a": workload()}, cluster=EXISTING, pools={"l4": POOL}),
    "several GPUs": serving({"a": workload(gpus=2)}, pools={"l4": {**POOL, "machineType": "g2-standard-24"}}),
    "on and off spot": serving(
        {"a": workload(computeClass="both", replicas=3, minOnDemand=1)}, pools=SPOT, computeClasses=BOTH
    ),
    "autoscaled": serving({"a": workload(autoscaling={"minReplicas": 1, "maxReplicas": 3})}),
    "weights in a bucket": serving({"a": {**workload(), "model": BUCKET}}, cluster={**STANDARD, "gcsFuse": True}),
}
URNS = {
    "Deployment": "urn:pulumi:dev::l4serve::l4serve:serving:InferenceService$kubernetes:apps/v1:Deployment::{}",
    "HorizontalPodAutoscaler": "urn:pulumi:dev::l4serve::kubernetes:autoscaling/v2:HorizontalPodAutoscaler::{}",
}


def state_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Outputs of a stack's Deployments and autoscalers, as an update that made all of it leaves them."""
    objects = [each for each in render_stack(loaded(values)).objects if each["kind"] in URNS]
    return {URNS[each["kind"]].format(each["metadata"]["name"]): each for each in objects}


def by_size(pods: Mapping[str, PodRequest]) -> dict[str, tuple[Any, ...]]:
    return {name: (pod.size, pod.replicas) for name, pod in pods.items()}


@pytest.mark.parametrize("values", STACKS.values(), ids=STACKS)
def test_a_state_tells_of_the_pods_that_were_planned(values: dict[str, Any]) -> None:
    plan, state = planned(values), state_of(values)
    found = sized(state, plan)
    assert found.keys() == untold({}, state)
    assert by_size(found) == by_size(packed(plan))
    assert {pod.node_pool for pod in found.values()} <= {pool.name for pool in plan.node_pools}
    assert by_size(most_of(packed(plan), found)) == by_size(packed(plan)), (
        "so that no update takes its own pods for others"
    )
    assert unsettled(packed(plan), found) == frozenset()


def test_pods_of_a_pool_that_the_plan_has_no_more_are_on_none_of_its_pools() -> None:
    found = sized(
        state_of(serving({"a": workload()}, cluster=ZONAL)),
        planned(serving({"a": workload()}, cluster=ZONAL, pools={"other": POOL})),
    )
    assert [pod.node_pool for pod in found.values()] == [""]


@pytest.mark.parametrize(
    "pools",
    [{"one": POOL, "two": POOL}, {"one": {**POOL, "machineType": "g2-standard-24"}}],
    ids=["alike", "described anew"],
)
def test_pods_whose_nodes_are_not_known_stay_of_unknown_size(pools: dict[str, Any]) -> None:
    state = state_of(STACKS["described nodes"])
    assert sized(state, planned(serving({"b": workload(nodePool="one")}, cluster=EXISTING, pools=pools))) == {}


@pytest.mark.parametrize("spec", [{}, {"template": {}}, {"template": {"spec": {"containers": []}}}], ids=str)
def test_a_deployment_that_says_no_size_stays_of_unknown_size(spec: dict[str, Any]) -> None:
    assert state_pods({"llm/a": spec}, {}, planned(STACKS["made pools"])) == {}


def test_the_most_pods_of_an_autoscaler_are_known() -> None:
    assert autoscaled(state_of(STACKS["autoscaled"])) == {"llm-serving/a": 3}


def test_an_adopted_update_counts_with_what_was_told_before_it() -> None:
    """A killed update told nothing, and its rollout may have pods of both sizes."""
    pools = {"l4": {"machineType": "g2-standard-48", "maxNodes": 1}}
    small, large = (serving({"a": workload(gpus=gpus, replicas=4 // gpus)}, pools=pools) for gpus in (1, 2))
    told = read_pods(pods_json(planned(small)))
    held = sized(state_of(large), planned(small))
    (pod,) = most_of(told, held).values()
    assert (pod.gpus, pod.replicas) == (2, 4)
    assert unsettled(told, held) == {"llm-serving/a"}
