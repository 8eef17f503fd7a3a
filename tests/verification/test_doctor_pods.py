"""Pods that wait or are refused, as the doctor tells of them: a start that goes its way is no trouble."""

from typing import Any

import pytest
from kubernetes.client import ApiClient, Configuration

from l4serve.verification.doctor_cluster import cluster_findings, pending_pods, pods_of_other_sizes
from l4serve.verification.doctor_finding import Finding
from l4serve.verification.doctor_quota import gpus_asked
from tests import factories
from tests.verification.google_stand_in import google

POOL = {"machineType": "g2-standard-8", "maxNodes": 2, "zones": ["us-central1-a"]}


def event(reason: str, message: str = "", kind: str = "Normal") -> dict[str, Any]:
    return {"involvedObject": {"name": "chat-1"}, "reason": reason, "message": message or reason, "type": kind}


def found(*events: dict[str, Any], node: str | None = None, waiting: dict[str, str] | None = None) -> Finding:
    status: dict[str, Any] = {"phase": "Pending"}
    if node is None:
        status["conditions"] = [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}]
    if waiting is not None:
        status["containerStatuses"] = [{"state": {"waiting": waiting}}]
    pod = {"metadata": {"name": "chat-1"}, "spec": {"nodeName": node} if node else {}, "status": status}
    (finding,) = pending_pods([pod], events)
    return finding


LATE = event("FailedScheduling", "0/3 nodes are available: 3 Insufficient nvidia.com/gpu", "Warning")
COMING = event("TriggeredScaleUp", "pod triggered scale-up")
PLACED = event("Scheduled", "Successfully assigned llm-serving/chat-1 to gke-l4-1")
PULLING = event("Pulling", 'Pulling image "docker.io/vllm/vllm-openai:v0.26.0"')
CREATING = {"reason": "ContainerCreating"}


def test_a_start_that_goes_its_way_is_no_trouble() -> None:
    assert found(LATE, COMING).verdict == "ok"
    assert found(PLACED, PULLING, node="gke-l4-1", waiting=CREATING).verdict == "ok"
    assert found(LATE, COMING, PLACED, PULLING, node="gke-l4-1", waiting=CREATING).verdict == "ok"


@pytest.mark.parametrize(
    ("events", "node", "waiting", "told"),
    [
        ((LATE,), None, None, "Insufficient nvidia.com/gpu"),
        ((LATE, COMING, event("FailedScaleUp", "GCE quota exceeded", "Warning")), None, None, "GCE quota exceeded"),
        ((PLACED, PULLING), "n", {"reason": "ImagePullBackOff", "message": "not found"}, "ImagePullBackOff: not found"),
        ((PLACED,), "n", {"reason": "CreateContainerConfigError", "message": 'secret "x" not found'}, 'secret "x"'),
        ((PLACED, event("FailedMount", "MountVolume.SetUp failed", "Warning")), "n", CREATING, "MountVolume.SetUp"),
    ],
)
def test_a_start_that_is_stuck_is_told_with_its_reason(
    events: tuple[dict[str, Any], ...], node: str | None, waiting: dict[str, str] | None, told: str
) -> None:
    finding = found(*events, node=node, waiting=waiting)
    assert finding.verdict == "bad" and told in finding.text


def test_an_old_word_of_the_scheduler_is_not_repeated_of_a_placed_pod() -> None:
    finding = found(LATE, PLACED, node="n", waiting={"reason": "ErrImagePull", "message": "denied"})
    assert "Insufficient" not in finding.text


def refused(status: str, message: str) -> list[Finding]:
    """What is found on a cluster with one Deployment, whose pods are refused or were, and no pod."""
    planned = factories.planned(factories.serving())
    spec: dict[str, Any] = {"selector": {}, "template": {}}
    conditions = [{"type": "ReplicaFailure", "status": status, "reason": "FailedCreate", "message": message}]
    deployment = {"metadata": {"name": "chat"}, "spec": spec, "status": {"conditions": conditions}}
    own = f"namespaces/{planned.namespace}"
    documents: dict[str, Any] = {
        f"/apis/apps/v1/{own}/deployments": {"items": [deployment]},
        f"/apis/apps/v1/{own}/replicasets": {"items": []},
        **{f"/api/v1/{path}": {"items": []} for path in (f"{own}/pods", f"{own}/events", "nodes")},
        f"/apis/autoscaling/v2/{own}/horizontalpodautoscalers": {"items": []},
    }
    with google(documents) as apis:
        configuration = Configuration()
        configuration.host = apis.roots["compute"].removesuffix("/compute")
        with ApiClient(configuration) as client:
            return list(cluster_findings(planned, client))


@pytest.mark.parametrize(
    ("message", "fix"),
    [
        ('pods "chat-1" is forbidden: exceeded quota: gpus, requested: requests.nvidia.com/gpu=1', "raise the"),
        ('pods "chat-1" is forbidden: failed quota: cpus: must specify limits.cpu', "limit that the pods lack"),
        ('Internal error occurred: failed calling webhook "pods.example.com"', "mend the webhook"),
        ('admission webhook "pods.example.com" denied the request: no', "a webhook refuses"),
        ('pods "chat-1" is forbidden: violates PodSecurity "restricted:latest"', "enforce label"),
        ("something new", "kubectl describe replicaset"),
    ],
)
def test_a_deployment_whose_pods_are_refused_has_the_servers_words_and_a_remedy(message: str, fix: str) -> None:
    finding, *_ = refused("True", message)
    assert (finding.verdict, finding.subject) == ("bad", "Deployment chat")
    assert finding.text == f"its pods are refused: {message}" and fix in finding.remedy
    assert {each.verdict for each in refused("False", message)} == {"ok"}


def replica_set(revision: int, gpus: int, pods: int) -> dict[str, Any]:
    container = {"resources": {"limits": {"nvidia.com/gpu": str(gpus)}}}
    metadata = {
        "name": f"chat-{revision}",
        "namespace": "llm",
        "annotations": {"deployment.kubernetes.io/revision": str(revision)},
        "ownerReferences": [{"kind": "Deployment", "name": "chat"}],
    }
    return {
        "metadata": metadata,
        "spec": {"template": {"spec": {"containers": [container]}}},
        "status": {"replicas": pods},
    }


def test_pods_of_another_size_than_one_that_waits_are_told_with_what_ends_them() -> None:
    def said(old: dict[str, Any], node: str | None = None) -> list[Finding]:
        metadata = {"name": "chat-10-x", "ownerReferences": [{"kind": "ReplicaSet", "name": "chat-10"}]}
        pod = {"metadata": metadata, "spec": {"nodeName": node}, "status": {"phase": "Pending"}}
        return [*pods_of_other_sizes([replica_set(10, 1, 1), old], [pod])]

    (found,) = said(replica_set(9, 2, 2))
    assert (found.verdict, found.subject) == ("bad", "Deployment chat")
    assert "kubectl -n llm delete replicaset chat-9 ends the old pods" in found.remedy
    assert said(replica_set(9, 2, 2), "n") == said(replica_set(9, 1, 2)) == said(replica_set(9, 2, 0)) == []


@pytest.mark.parametrize(
    ("pool", "preemptible"),
    [
        ({"reservation": {"affinity": "specific", "name": "r1"}}, False),
        ({"provisioning": "reservation"}, False),
        ({"spot": True}, True),
        ({"flexStart": {}}, True),
        ({}, False),
    ],
)
def test_only_what_may_be_taken_back_counts_as_preemptible(pool: dict[str, Any], preemptible: bool) -> None:
    values = factories.serving({"chat": factories.workload(nodePool="l4")}, pools={"l4": {**POOL, **pool}})
    assert gpus_asked(factories.planned(values)) == {("nvidia-l4", preemptible): 2}


def test_a_priority_of_a_reservation_counts_as_on_demand() -> None:
    order = [{"machineType": "g2-standard-8", "reservation": "r1"}, {"nodePool": "l4"}]
    values = factories.serving(
        {"chat": factories.workload(computeClass="any", replicas=2)},
        pools={"l4": POOL},
        computeClasses={"any": {"priorities": order}},
    )
    assert {preemptible for _, preemptible in gpus_asked(factories.planned(values))} == {False}
