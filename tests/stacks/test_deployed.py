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
    assert deployed.deployed_pods() == {}
    assert answers == []


def test_a_state_that_cannot_be_read_is_told(answers: list[Any]) -> None:
    answers += [Exception("failed to load checkpoint: EOF")] * 4
    with pytest.raises(Exception, match="checkpoint: EOF"):
        deployed.deployed_pods()


def test_pods_of_deployments_that_were_never_made_are_left_out(answers: list[Any]) -> None:
    pods = dict(read_pods(pods_json(planned(serving({"a": workload(), "b": workload()})))))
    (here, _), old = pods, "c"
    space, _, name = here.partition("/")
    pods[old] = pods[here]
    parent = "urn:pulumi:dev::l4serve::l4serve:serving:InferenceService$kubernetes"
    metadata = {"outputs": {"metadata": {"namespace": space, "name": name}}}
    beside = {"outputs": {"metadata": {"namespace": space, "name": "b"}}}
    made = {f"{parent}:apps/v1:Deployment::a": metadata, f"{parent}:core/v1:Service::b": beside}
    answers.append({"outputs": made})
    assert set(deployed.those_that_exist(pods)) == {here, old}, "a name without a namespace says too little"
