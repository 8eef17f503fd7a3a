"""The real control plane: what it serves, whom it lets in, and where its scheduler puts pods."""

import secrets
import stat
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3
from kubernetes.client import AuthorizationV1Api, CoreV1Api, CustomObjectsApi, VersionApi
from kubernetes.client.exceptions import ApiException

from l4serve.sandbox.go_modules import kubernetes_version
from l4serve.sandbox.pod_locations import NOT_CREATED, PodPlacement
from l4serve.sandbox.rollout_watch import await_rollout
from tests.sandbox.conftest import NEW_POOL, OLD_POOL, SMALL_POOL, Cluster
from tests.sandbox.sandbox_objects import deployment, l4_node, namespace, pod_disruption_budget

pytestmark = pytest.mark.timeout(300, func_only=True)


@pytest.fixture
def space(cluster: Cluster) -> Iterator[str]:
    """A namespace of the test's own; its objects go with it, and so do their pods."""
    name = f"test-{secrets.token_hex(4)}"
    assert cluster.applier.apply([namespace(name)]) == ()
    yield name
    CoreV1Api(cluster.client).delete_namespace(name)


def roll_out(cluster: Cluster, *objects: dict, timeout_s: float = 60) -> tuple[PodPlacement, ...]:
    assert cluster.applier.apply(objects) == ()
    return await_rollout(cluster.client, objects, timeout_s=timeout_s, settle_s=1)


def test_the_api_server_reports_the_pinned_version(cluster: Cluster) -> None:
    assert VersionApi(cluster.client).get_code().git_version == kubernetes_version()


def test_nobody_is_let_in_without_a_certificate(cluster: Cluster) -> None:
    with urllib3.PoolManager(ca_certs=str(cluster.state.folder / "pki" / "ca.crt")) as pool:
        assert pool.request("GET", f"{cluster.state.server}/api/v1/secrets", retries=False).status == 401


@pytest.mark.parametrize(
    ("user", "allowed"), [("system:serviceaccount:default:default", False), ("system:kube-scheduler", False)]
)
def test_rbac_decides_who_may_read_secrets(cluster: Cluster, user: str, allowed: bool) -> None:
    attributes = {"verb": "list", "resource": "secrets", "namespace": "default"}
    body: Any = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": user, "resourceAttributes": attributes},
    }
    review = AuthorizationV1Api(cluster.client).create_subject_access_review(body)
    assert review.status.allowed is allowed


def test_the_kubeconfig_is_private(cluster: Cluster) -> None:
    assert stat.S_IMODE(cluster.state.kubeconfig.stat().st_mode) == 0o600


def test_nodes_are_ready_and_offer_what_the_plan_says(cluster: Cluster) -> None:
    node = CoreV1Api(cluster.client).read_node("small-0")
    planned = l4_node("small-0", "small").allocatable
    ready = next(condition for condition in node.status.conditions if condition.type == "Ready")
    assert ready.status == "True"
    assert node.status.allocatable["memory"] == str(planned.memory_bytes)
    assert node.status.allocatable["nvidia.com/gpu"] == "1"
    assert node.status.capacity["memory"] > node.status.allocatable["memory"]


def test_gpu_pods_land_on_nodes_with_gpus_one_each(cluster: Cluster, space: str) -> None:
    rows = roll_out(cluster, deployment("gemma", replicas=2, namespace=space, pool="small"))
    assert {row.node for row in rows} == set(SMALL_POOL)
    assert {(row.machine_type, row.gpus, row.phase, row.reason) for row in rows} == {
        ("g2-standard-8", 1, "Running", None)
    }


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"gpus": 2}, "Insufficient nvidia.com/gpu"),
        ({"memory": "28Gi"}, "Insufficient memory"),
        ({"cpu": "7911m"}, "Insufficient cpu"),
        ({"pool": "absent"}, "didn't match Pod's node affinity/selector"),
    ],
)
def test_a_pod_that_no_node_holds_stays_pending_with_the_schedulers_reason(
    cluster: Cluster, space: str, asked: dict, reason: str
) -> None:
    too_large = deployment("large", **{"namespace": space, "pool": "small", **asked})
    (row,) = roll_out(cluster, too_large)
    assert (row.phase, row.node, row.ready) == ("Pending", None, False)
    assert row.reason is not None
    assert reason in row.reason


def test_a_pod_that_does_not_tolerate_the_gpu_taint_is_kept_off(cluster: Cluster, space: str) -> None:
    intolerant = deployment("intolerant", namespace=space, pool="small")
    del intolerant["spec"]["template"]["spec"]["tolerations"]
    (row,) = roll_out(cluster, intolerant)
    assert row.reason is not None
    assert "untolerated taint" in row.reason


def test_a_pod_that_admission_refuses_is_reported_with_the_reason(cluster: Cluster, space: str) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "no-gpus", "namespace": space},
        "spec": {"hard": {"requests.nvidia.com/gpu": "0"}},
    }
    (row,) = roll_out(cluster, quota, deployment("gemma", namespace=space, pool="small"))
    assert (row.pod, row.phase) == ("", NOT_CREATED)
    assert row.reason is not None
    assert "exceeded quota: no-gpus" in row.reason


def test_an_invalid_object_is_reported_and_the_others_are_applied(cluster: Cluster, space: str) -> None:
    invalid = deployment("invalid", namespace=space)
    invalid["spec"]["selector"]["matchLabels"] = {"app": "another"}
    unknown = {"apiVersion": "example.com/v1", "kind": "Teapot", "metadata": {"name": "pot", "namespace": space}}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "fine", "namespace": space}}
    first, second = cluster.applier.apply([invalid, unknown, config])
    assert first.object == f"Deployment {space}/invalid"
    assert "`selector` does not match template `labels`" in first.reason
    assert second.reason == "the API server serves no Teapot of example.com/v1"
    assert CoreV1Api(cluster.client).read_namespaced_config_map("fine", space).metadata.name == "fine"


def test_applied_objects_belong_to_the_field_manager_and_applying_again_changes_nothing(
    cluster: Cluster, space: str
) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "same", "namespace": space},
        "data": {"a": "b"},
    }
    core = CoreV1Api(cluster.client)
    versions = []
    for _ in range(2):
        assert cluster.applier.apply([config]) == ()
        versions.append(core.read_namespaced_config_map("same", space).metadata)
    assert versions[0].resource_version == versions[1].resource_version
    assert [entry.manager for entry in versions[1].managed_fields] == ["l4serve"]


SPECS: dict[str, dict[str, Any]] = {
    "PodMonitoring": {"selector": {"matchLabels": {"a": "b"}}, "endpoints": [{"port": "http", "interval": "30s"}]},
}
"""Of kinds whose real definition the sandbox has."""


@pytest.mark.parametrize(
    ("group", "version", "kind", "plural", "namespaced"),
    [
        ("cloud.google.com", "v1", "ComputeClass", "computeclasses", False),
        ("secrets-store.csi.x-k8s.io", "v1", "SecretProviderClass", "secretproviderclasses", True),
        ("secret-sync.gke.io", "v1", "SecretSync", "secretsyncs", True),
        ("monitoring.googleapis.com", "v1", "PodMonitoring", "podmonitorings", True),
        ("autoscaling.gke.io", "v1beta1", "AutoscalingMetric", "autoscalingmetrics", True),
    ],
)
def test_kinds_of_gke_are_served(
    cluster: Cluster, space: str, group: str, version: str, kind: str, plural: str, namespaced: bool
) -> None:
    metadata = {"name": "l4", **({"namespace": space} if namespaced else {})}
    spec = SPECS.get(kind, {"priorities": [{"machineFamily": "g2", "spot": True}]})
    applied = {"apiVersion": f"{group}/{version}", "kind": kind, "metadata": metadata, "spec": spec}
    assert cluster.applier.apply([applied]) == ()
    custom = CustomObjectsApi(cluster.client)
    read: Any = (
        custom.get_namespaced_custom_object(group, version, space, plural, "l4")
        if namespaced
        else custom.get_cluster_custom_object(group, version, plural, "l4")
    )
    assert read["spec"] == spec


def evict(cluster: Cluster, space: str, pod: str) -> None:
    body: Any = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": space}}
    CoreV1Api(cluster.client).create_namespaced_pod_eviction(pod, space, body)


def cordon(cluster: Cluster, names: tuple[str, ...], unschedulable: bool) -> None:
    for name in names:
        CoreV1Api(cluster.client).patch_node(name, {"spec": {"unschedulable": unschedulable}})


def test_an_old_pools_pods_move_to_the_new_pool_under_their_disruption_budget(cluster: Cluster, space: str) -> None:
    chat = deployment("chat", replicas=2, namespace=space, pool="l4")
    budget = pod_disruption_budget("chat", space, {"maxUnavailable": 1})
    cordon(cluster, NEW_POOL, True)
    before = roll_out(cluster, budget, chat)
    assert {row.node for row in before} == set(OLD_POOL)

    cordon(cluster, OLD_POOL, True)
    first, second = (row.pod for row in before)
    evict(cluster, space, first)
    with pytest.raises(ApiException) as refused:
        evict(cluster, space, second)
    assert refused.value.status == 429
    assert "disruption budget" in refused.value.body

    cordon(cluster, NEW_POOL, False)
    half = await_rollout(cluster.client, [chat], timeout_s=60)
    assert all(row.ready for row in half)
    evict(cluster, space, second)
    after = await_rollout(cluster.client, [chat], timeout_s=60)
    assert {row.node for row in after} == set(NEW_POOL)
    assert all(row.ready for row in after)
