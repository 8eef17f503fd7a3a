"""Guards and doors of a stack on the real API server: Pod Security holds, and the real kinds take what is rendered."""

import copy
from typing import Any

import pytest

from l4serve.cli.commands.render_command import render_stack
from l4serve.config.stack_file import read_stack_file
from l4serve.planning.performance.load import Load
from l4serve.verification.bench_job import bench_job
from tests import factories
from tests.sandbox.conftest import Cluster
from tests.sandbox.sandbox_objects import pod_like
from tests.stack_cases import ROOT

pytestmark = pytest.mark.timeout(300, func_only=True)

NETWORK = {"to": "network", "certificate": {"secret": "tls"}, "address": "kept"}
LOAD = Load(input_tokens=64, output_tokens=16, clients=1, rate=None)
VOLUMES = ("PersistentVolume", "PersistentVolumeClaim")
"""Their names hold the namespace that the test takes away."""
TYPED = {
    *("Namespace", "ServiceAccount", "Service", "NetworkPolicy", "Deployment", "PodDisruptionBudget", "PodMonitoring"),
    *("Gateway", "HTTPRoute", "HealthCheckPolicy", "GCPBackendPolicy"),
}


def rendered(namespace: str, workloads: dict[str, Any] | None = None, **fields: Any) -> list[dict[str, Any]]:
    serving = factories.serving(workloads, namespace=namespace, **fields)
    objects = render_stack(factories.loaded(serving, name="made")).objects
    return [copy.deepcopy(dict(each)) for each in objects]


def pod_of(objects: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """A pod as the Deployment would make it, which the API server judges at once."""
    (deployment,) = [each for each in objects if each["kind"] == "Deployment"]
    return pod_like(deployment, name)


def test_every_kind_of_an_exposed_stack_is_taken(cluster: Cluster) -> None:
    two = {"a": factories.workload(replicas=2), "b": factories.workload(expose={"path": "/chat", "paths": ["/v1"]})}
    objects = rendered("doors", two, expose=NETWORK, monitoring={"podMonitoring": True})
    assert {each["kind"] for each in objects} == TYPED
    assert cluster.applier.apply(objects) == ()


def test_the_example_on_the_internet_is_taken(cluster: Cluster) -> None:
    stack = read_stack_file(ROOT / "examples" / "Pulumi.public-endpoint.yaml")
    objects = [{**each} for each in render_stack(stack).objects]
    assert cluster.applier.apply(objects) == ()


@pytest.mark.parametrize(
    ("kind", "path", "value", "told"),
    [
        ("HTTPRoute", ("rules", 0, "matches", 0, "path", "type"), "Prefix", "Unsupported value"),
        ("Gateway", ("listeners", 0, "certificates"), [], "not declared"),
        ("HealthCheckPolicy", ("default", "config", "type"), "PING", "Unsupported value"),
        ("GCPBackendPolicy", ("default", "timeout"), 30, "not declared"),
        ("PodMonitoring", ("endpoints", 0, "interval"), None, "interval"),
    ],
)
def test_the_kinds_refuse_what_they_do_not_know(
    cluster: Cluster, kind: str, path: tuple[Any, ...], value: Any, told: str
) -> None:
    objects = rendered("wrong-doors", expose=NETWORK, monitoring={"podMonitoring": True})
    cluster.applier.apply(each for each in objects if each["kind"] == "Namespace")
    (wrong,) = [each for each in objects if each["kind"] == kind]
    at = wrong["spec"]
    for step in path[:-1]:
        at = at[step]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    (failure,) = cluster.applier.apply([wrong])
    assert told in failure.reason


def test_a_pod_of_the_stack_passes_restricted_and_one_of_root_does_not(cluster: Cluster) -> None:
    objects = rendered("guarded")
    cluster.applier.apply(each for each in objects if each["kind"] == "Namespace")
    pod = pod_of(objects, "own")
    assert cluster.applier.apply([pod]) == ()
    (container,) = pod["spec"]["containers"]
    for breach in ("runAsNonRoot", "allowPrivilegeEscalation", "capabilities", "seccompProfile"):
        wrong = copy.deepcopy(pod) | {"metadata": {"name": breach.lower(), "namespace": "guarded"}}
        inner = wrong["spec"]["containers"][0]["securityContext"]
        for holder in (wrong["spec"]["securityContext"], inner):
            holder.pop(breach, None)
        (failure,) = cluster.applier.apply([wrong])
        assert 'violates PodSecurity "restricted:latest"' in failure.reason, breach
    assert container["securityContext"]["readOnlyRootFilesystem"] is True


def test_a_stack_with_an_image_of_root_enforces_what_its_pods_pass(cluster: Cluster) -> None:
    tgi = factories.workload(engine={"kind": "tgi", "version": "3.3.7", "maxModelLen": None})
    objects = rendered("rooted", {"old": tgi})
    (space,) = [each for each in objects if each["kind"] == "Namespace"]
    assert space["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "baseline"
    cluster.applier.apply([space])
    pod = pod_of(objects, "old")
    assert cluster.applier.apply([pod]) == ()
    host = copy.deepcopy(pod) | {"metadata": {"name": "host", "namespace": "rooted"}}
    host["spec"]["hostNetwork"] = True
    (failure,) = cluster.applier.apply([host])
    assert 'violates PodSecurity "baseline:latest"' in failure.reason


def named(objects: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    (found,) = [each for each in objects if each["kind"] == kind and each["metadata"]["name"].endswith(name)]
    return found


def test_pods_with_tls_are_taken_with_their_key_and_certificate(cluster: Cluster) -> None:
    chat = factories.workload(service={"tls": {"secret": "kept"}}, apiKey={"secret": "key"})
    objects = rendered("encrypted", {"chat": chat}, expose=NETWORK, monitoring={"podMonitoring": True})
    assert cluster.applier.apply(objects) == ()
    pod = pod_of(objects, "own")
    assert cluster.applier.apply([pod]) == ()
    (container,) = pod["spec"]["containers"]
    assert {container[probe]["httpGet"]["scheme"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")} == {
        "HTTPS"
    }


@pytest.mark.parametrize(
    ("example", "kind", "name"),
    [("prefix-routing", "Deployment", "chat-picker"), ("model-in-a-volume", "Job", "-fill")],
)
def test_pods_beside_a_workloads_own_pass_restricted_too(cluster: Cluster, example: str, kind: str, name: str) -> None:
    stack = read_stack_file(ROOT / "examples" / f"Pulumi.{example}.yaml")
    objects: list[dict[str, Any]] = [copy.deepcopy(dict(each)) for each in render_stack(stack).objects]
    for each in objects:
        each["metadata"] |= {"namespace": f"beside-{kind.lower()}"} if "namespace" in each["metadata"] else {}
        if each["kind"] == "Namespace":
            each["metadata"]["name"] = f"beside-{kind.lower()}"
            assert each["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert cluster.applier.apply(each for each in objects if each["kind"] not in VOLUMES) == ()
    assert named(objects, "NetworkPolicy", name)["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert cluster.applier.apply([pod_like(named(objects, kind, name), "own")]) == ()


def test_the_pod_of_a_load_test_passes_restricted(cluster: Cluster) -> None:
    values = factories.serving(namespace="loaded")
    cluster.applier.apply(each for each in rendered("loaded") if each["kind"] == "Namespace")
    plan = factories.planned(values).workloads[0]
    job = bench_job(plan, LOAD)
    assert job["metadata"]["namespace"] == "loaded"
    assert cluster.applier.apply([job, pod_like(job, "own")]) == ()
