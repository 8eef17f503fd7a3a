"""What is deployed is read from a state that the engine may be writing."""

import time
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from l4serve.planning.stack.exchange import pods_json, read_pods
from stacks import deployed
from tests.factories import planned, serving, workload


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What each reading of the outputs gives in turn; an exception is raised."""
    left: list[Any] = []

    def invoke(*_: Any) -> Any:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return SimpleNamespace(value=answer)

    monkeypatch.setattr(pulumi.runtime, "invoke", invoke)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setattr(pulumi.log, "debug", lambda _: None)
    return left


def test_a_state_that_is_half_written_is_read_again(answers: list[Any]) -> None:
    answers += [Exception("failed to load checkpoint: EOF"), {"outputs": {}}]
    assert deployed.deployed_resources() == {}
    assert answers == []


def test_a_state_that_cannot_be_read_is_told(answers: list[Any]) -> None:
    answers += [Exception("failed to load checkpoint: EOF")] * 4
    with pytest.raises(Exception, match="checkpoint: EOF"):
        deployed.deployed_resources()


def test_the_pods_are_an_output_of_the_stack() -> None:
    told = pods_json(planned(serving({"a": workload()})))
    stack = "urn:pulumi:dev::l4serve::pulumi:pulumi:Stack::l4serve-dev"
    assert deployed.deployed_pods({stack: {"pods": told}}) == read_pods(told)
    assert deployed.deployed_pods({}) == {}


def test_pods_of_deployments_that_were_never_made_are_left_out() -> None:
    pods = dict(read_pods(pods_json(planned(serving({"a": workload(), "b": workload()})))))
    (here, _), old = pods, "c"
    space, _, name = here.partition("/")
    pods[old] = pods[here]
    parent = "urn:pulumi:dev::l4serve::l4serve:serving:InferenceService$kubernetes"
    metadata = {"metadata": {"namespace": space, "name": name}}
    beside = {"metadata": {"namespace": space, "name": "b"}}
    made = {f"{parent}:apps/v1:Deployment::a": metadata, f"{parent}:core/v1:Service::b": beside}
    assert set(deployed.those_that_exist(pods, made)) == {here, old}, "a name without a namespace says too little"


def test_a_workload_without_its_deployment_was_begun() -> None:
    urn = "urn:pulumi:dev::l4serve::{}::{}".format
    workloads: dict[str, dict[str, Any]] = {
        urn("l4serve:serving:InferenceService", f"llm/{name}"): {} for name in "abc"
    }
    made = {
        urn("l4serve:serving:InferenceService$kubernetes:apps/v1:Deployment", "llm/a-deployment"): named("llm", "a")
    }
    made[urn("l4serve:serving:EndpointPicker$kubernetes:apps/v1:Deployment", "llm/picker")] = named("llm", "picker")
    off_spot = urn("l4serve:serving:InferenceService$kubernetes:scheduling.k8s.io/v1:PriorityClass", "llm/a-priority")
    state = {**workloads, **made, off_spot: {"metadata": {"name": "llm.a-on-demand"}}}
    assert deployed.begun(state) == {"llm/b", "llm/c", "llm/a-on-demand"}
    assert deployed.untold({}, state) == {"llm/a"}
    assert (
        deployed.untold({"a": next(iter(read_pods(pods_json(planned(serving({"a": workload()})))).values()))}, state)
        == set()
    )


def named(namespace: str, name: str) -> dict[str, Any]:
    return {"metadata": {"namespace": namespace, "name": name}}


def test_deployments_that_an_autoscaler_scales_are_known_by_what_it_targets() -> None:
    scaler = "urn:pulumi:dev::l4serve::l4serve:serving:WorkloadMonitoring$kubernetes:autoscaling/v2:{}::llm/a".format
    target = {
        "metadata": {"namespace": "llm", "name": "a-hpa"},
        "spec": {"scaleTargetRef": {"name": "a"}, "maxReplicas": 3.0},
    }
    state = {scaler("HorizontalPodAutoscaler"): target, scaler("Other"): target}
    assert deployed.autoscaled(state) == {"llm/a": 3}


def test_objects_that_were_adopted_without_outputs_are_passed_over() -> None:
    """So `doctor --adopt` once left them, until a refresh."""
    urn = "urn:pulumi:dev::l4serve::l4serve:serving:InferenceService${}::llm/a".format
    kinds = ("apps/v1:Deployment", "scheduling.k8s.io/v1:PriorityClass", "autoscaling/v2:HorizontalPodAutoscaler")
    state: dict[str, dict[str, Any]] = {urn(f"kubernetes:{kind}"): {} for kind in kinds}
    assert deployed.untold({}, state) == deployed.begun(state) == set()
    assert deployed.autoscaled(state) == {}
