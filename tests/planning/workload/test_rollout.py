"""Rollouts: surge only into room that is there, and say where an update leaves a gap."""

import pytest

from l4serve.planning.workload.rollout import plan_rollout, rollout_can_end
from tests.stack_cases import planned


@pytest.mark.parametrize("replicas", [1, 2, 7])
@pytest.mark.parametrize("spare", [None, 0, 1, 8])
def test_a_rollout_always_has_a_next_step(replicas: int, spare: int | None) -> None:
    rollout = plan_rollout(replicas, spare, 1800)
    room = 1 if spare is None else spare
    assert rollout_can_end(max_surge=rollout.max_surge, max_unavailable=rollout.max_unavailable, spare=room)
    assert rollout.max_surge <= room


def test_an_update_without_room_is_said_to_leave_a_gap() -> None:
    (gap,) = [note.text for note in planned("local").notes if note.path == "workloads"]
    assert "vllm-7b-token" in gap
    assert "while the new pod loads" in gap


def test_a_stack_with_room_says_nothing_of_gaps() -> None:
    assert not [note.text for note in planned("prod").notes if note.path == "workloads"]
