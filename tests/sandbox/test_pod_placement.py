"""What a snapshot of the API says about each pod."""

from typing import Any

import pytest

from l4serve.sandbox.pod_locations import NOT_CREATED, Snapshot
from tests.sandbox.sandbox_objects import deployment, l4_node

REFUSAL = "0/2 nodes are available: 2 Insufficient nvidia.com/gpu."


def deployed(wanted: int = 1, available: int | None = None, **status: Any) -> dict[str, Any]:
    each = deployment("gemma", replicas=wanted, namespace="llm")
    each["metadata"]["generation"] = 2
    count = wanted if available is None else available
    each["status"] = {
        "observedGeneration": 2,
        "replicas": wanted,
        "updatedReplicas": wanted,
        "availableReplicas": count,
        **status,
    }
    return each


def pod(name: str = "gemma-1", app: str = "gemma", node: str | None = "l4-0", **metadata: Any) -> dict[str, Any]:
    spec = deployment(app)["spec"]["template"]["spec"]
    conditions = [{"type": "Ready", "status": "True"}, {"type": "PodScheduled", "status": "True"}]
    return {
        "metadata": {"name": name, "namespace": "llm", "labels": {"app": app}, **metadata},
        "spec": {**spec, **({"nodeName": node} if node else {})},
        "status": {"phase": "Running", "conditions": conditions},
    }


def pending(condition: dict[str, str] | None, **more: Any) -> dict[str, Any]:
    conditions = [{"type": "PodScheduled", **condition}] if condition else []
    return {**pod(**more), "status": {"phase": "Pending", "conditions": conditions}}


def snapshot(deployments: list, pods: list) -> Snapshot:
    return Snapshot(deployments=tuple(deployments), pods=tuple(pods), nodes=(l4_node("l4-0", "l4").to_object(),))


def test_a_running_pod_is_shown_with_its_node_and_the_machine_under_it() -> None:
    (row,) = snapshot([deployed()], [pod()]).placements()
    assert (row.workload, row.pod, row.node) == ("gemma", "gemma-1", "l4-0")
    assert (row.machine_type, row.zone, row.gpus) == ("g2-standard-8", "us-central1-a", 1)
    assert (row.phase, row.ready, row.final, row.reason) == ("Running", True, True, None)


@pytest.mark.parametrize(
    ("condition", "reason", "final"),
    [
        ({"status": "False", "reason": "Unschedulable", "message": REFUSAL}, REFUSAL, True),
        ({"status": "False", "reason": "SchedulingGated"}, "SchedulingGated", True),
        ({"status": "False", "reason": "SchedulerError", "message": "timeout"}, "timeout", False),
        ({"status": "True"}, "scheduled, and not started by its node yet", False),
        (None, "not looked at by the scheduler yet", False),
    ],
)
def test_a_pending_pod_is_shown_with_the_schedulers_reason(
    condition: dict[str, str] | None, reason: str, final: bool
) -> None:
    (row,) = snapshot([deployed(available=0)], [pending(condition, node=None)]).placements()
    assert (row.phase, row.ready, row.node) == ("Pending", False, None)
    assert (row.reason, row.final) == (reason, final)


def test_pods_that_end_and_pods_of_others_are_left_out() -> None:
    strangers = [
        pod("old", deletionTimestamp="2026-01-01T00:00:00Z"),
        pod("other", app="qwen"),
        pod("elsewhere", namespace="default"),
    ]
    assert [row.pod for row in snapshot([deployed()], [*strangers, pod()]).placements()] == ["gemma-1"]


def test_a_pod_that_could_not_be_made_is_shown_with_the_api_servers_reason() -> None:
    failure = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: gpus"}
    refused = deployed(2, available=1, conditions=[failure])
    made, missing = sorted(snapshot([refused], [pod()]).placements(), key=lambda row: row.pod, reverse=True)
    assert made.ready
    assert (missing.pod, missing.phase, missing.reason) == ("", NOT_CREATED, "exceeded quota: gpus")
    assert missing.final
    assert missing.gpus == 1


def test_a_pod_that_is_not_made_yet_is_worth_waiting_for() -> None:
    (row,) = snapshot([deployed(available=0)], []).placements()
    assert not row.final


@pytest.mark.parametrize(
    ("status", "rolled_out"),
    [
        ({}, True),
        ({"availableReplicas": 1}, False),
        ({"updatedReplicas": 1}, False),
        ({"replicas": 3}, False),
        ({"observedGeneration": 1}, False),
    ],
)
def test_a_rollout_is_over_when_every_replica_is_new_and_available(status: dict[str, int], rolled_out: bool) -> None:
    assert snapshot([deployed(2, **status)], []).is_rolled_out is rolled_out


def test_a_deployment_of_no_replicas_is_rolled_out_and_has_no_rows() -> None:
    empty = deployed(0)
    for count in ("replicas", "updatedReplicas", "availableReplicas"):
        del empty["status"][count]
    assert snapshot([empty], []).is_rolled_out
    assert snapshot([empty], []).placements() == ()


@pytest.mark.parametrize(
    ("ready", "taints", "is_open"),
    [
        ("True", [], True),
        ("False", [], False),
        ("True", ["node.kubernetes.io/not-ready"], False),
        ("True", ["nvidia.com/gpu", "node.kubernetes.io/unschedulable"], True),
    ],
)
def test_a_node_counts_as_ready_once_it_is_open_to_pods(ready: str, taints: list[str], is_open: bool) -> None:
    node = {
        "metadata": {"name": "l4-0"},
        "spec": {"taints": [{"key": key, "effect": "NoSchedule"} for key in taints]},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }
    assert Snapshot(deployments=(), pods=(), nodes=(node,)).are_nodes_ready is is_open
