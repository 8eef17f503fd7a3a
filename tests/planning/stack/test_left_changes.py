"""What the cluster has of a Deployment that neither its state nor the next update knows."""

import copy
from typing import Any

import pytest

from l4serve.planning.stack.left_changes import deployments, differs

ASKED: dict[str, Any] = {
    "replicas": 1,
    "template": {
        "spec": {
            "containers": [
                {
                    "name": "engine",
                    "args": ["--port=8000"],
                    "env": [{"name": "A", "value": "1"}],
                    "ports": [{"containerPort": 8000}],
                }
            ],
            "nodeSelector": {},
        }
    },
}
CONTAINER = 'k:{"name":"engine"}'
APPLIED: dict[str, Any] = {
    "f:replicas": {},
    "f:template": {
        "f:spec": {
            "f:containers": {
                CONTAINER: {
                    ".": {},
                    "f:name": {},
                    "f:args": {},
                    "f:env": {'k:{"name":"A"}': {".": {}, "f:name": {}, "f:value": {}}},
                    "f:ports": {'k:{"containerPort":8000,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}},
                }
            },
            "f:nodeSelector": {},
        }
    },
}
RESOURCE: dict[str, Any] = {
    "type": "kubernetes:apps/v1:Deployment",
    "inputs": {"metadata": {"namespace": "llm", "name": "a"}, "spec": ASKED},
    "outputs": {"spec": {**ASKED, "paused": False}, "__fieldManager": "l4serve"},
}


def live(*, manager: str = "l4serve", operation: str = "Apply", **spec: Any) -> dict[str, Any]:
    owner = {"manager": manager, "operation": operation, "fieldsV1": {"f:spec": copy.deepcopy(APPLIED)}}
    return {"metadata": {"managedFields": [owner]}, "spec": {**RESOURCE["outputs"]["spec"], **spec}}


def adding(place: str, **how: Any) -> dict[str, Any]:
    """The cluster's object where somebody has set one more variable, field or container."""
    found = live(**how)
    pods = found["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]["f:template"]["f:spec"]
    env = pods["f:containers"][CONTAINER]["f:env"]
    {"env": env, "pod": pods, "containers": pods["f:containers"]}[place].update(
        {'k:{"name":"EDITED"}' if place != "pod" else "f:hostname": {".": {}}}
    )
    return found


def test_what_was_applied_and_is_asked_for_is_no_difference() -> None:
    assert not differs(RESOURCE, live())
    assert not differs(RESOURCE, live(replicas=4)), "an autoscaler may have set it"


@pytest.mark.parametrize("place", ["env", "pod", "containers"])
def test_what_was_applied_and_is_asked_for_no_more_is_one(place: str) -> None:
    assert differs(RESOURCE, adding(place))


@pytest.mark.parametrize("how", [{"manager": "kubectl"}, {"operation": "Update"}], ids=str)
def test_what_others_have_set_is_theirs(how: dict[str, str]) -> None:
    assert not differs(RESOURCE, adding("env", **how))


def test_a_value_that_is_another_than_at_the_last_reading_is_one() -> None:
    assert differs(RESOURCE, live(paused=True))


def test_a_value_that_is_secret_in_the_state_is_not_compared() -> None:
    hidden = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "x"}
    resource = {**RESOURCE, "outputs": {**RESOURCE["outputs"], "spec": {"paused": hidden}}}
    assert not differs(resource, live())


def test_only_deployments_with_a_name_that_are_to_stay_are_looked_at() -> None:
    others = [{**RESOURCE, "delete": True}, {**RESOURCE, "type": "x"}, {**RESOURCE, "inputs": None}, {"urn": "u"}]
    state = {"deployment": {"resources": [RESOURCE, *others]}}
    assert [(space, name) for space, name, _ in deployments(state)] == [("llm", "a")]
    assert list(deployments({"deployment": {}})) == []
