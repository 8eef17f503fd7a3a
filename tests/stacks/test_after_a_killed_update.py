"""What the program says of a state that a killed update left."""

from typing import Any

import pytest
from pulumi import RunError

from stacks import serving
from tests.factories import EXISTING, loaded, workload
from tests.factories import serving as config
from tests.stacks.registered import rendered
from tests.stacks.test_pods_of_a_state import state_of

WORKLOAD = "urn:pulumi:dev::l4serve::l4serve:serving:InferenceService::llm-serving/{}"


def stack(nodes: int, *names: str) -> dict[str, Any]:
    pools = {"l4": {"machineType": "g2-standard-8", "maxNodes": nodes}}
    return config({name: workload() for name in names}, cluster=EXISTING, pools=pools)


def left(*names: str, begun: str = "") -> dict[str, Any]:
    """The state of an update of these workloads that was killed before it told of its pods."""
    components: dict[str, Any] = {WORKLOAD.format(name): {} for name in (*names, *begun)}
    return {**components, **state_of(stack(9, *names))}


def refusal(monkeypatch: pytest.MonkeyPatch, state: dict[str, Any], values: dict[str, Any]) -> str:
    monkeypatch.setattr(serving, "deployed_resources", lambda: state)
    monkeypatch.setattr(serving, "own_deployments", lambda _, names: frozenset(names))
    with pytest.raises(RunError) as refused:
        rendered(loaded(values))
    return str(refused.value)


def test_what_was_made_is_no_hindrance_where_all_of_it_has_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its size is in no output of the stack, and in the state of each Deployment."""
    state = left("a", "b")
    monkeypatch.setattr(serving, "deployed_resources", lambda: state)
    rendered(loaded(stack(3, "b", "c")))


def test_what_was_made_fills_a_pool_as_it_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    said = refusal(monkeypatch, left("a", "b"), stack(2, "b", "c"))
    assert "pool 'l4' holds 2 nodes, not enough for a and c at the same time" in said


def test_what_a_killed_update_made_is_to_be_adopted_before_two_steps_of_which_one_is_refused_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    state = left("a", begun="b")
    said = refusal(monkeypatch, state, stack(2, "b", "c"))
    assert "a killed update made llm-serving/b" in said
    assert "l4serve doctor --adopt" in said
    assert "in two updates" not in said
