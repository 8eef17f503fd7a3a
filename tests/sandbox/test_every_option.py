"""A stack with every option that makes an object beside the usual ones, on the real API server and the real kinds."""

import copy
from typing import Any

import pytest

from l4serve.cli.commands.render_command import render_stack
from tests import factories
from tests.sandbox.conftest import Cluster
from tests.sandbox.sandbox_objects import pod_like

pytestmark = pytest.mark.timeout(300, func_only=True)

G2 = {"machineType": "g2-standard-12"}
BUCKET = {"kind": "bucket", "uri": "gs://models/q7"}
KINDS = {
    *("Namespace", "ServiceAccount", "Secret", "ConfigMap", "Service", "Deployment", "Job", "PodDisruptionBudget"),
    *("HorizontalPodAutoscaler", "NetworkPolicy", "PersistentVolume", "PersistentVolumeClaim", "Role", "RoleBinding"),
    *("ComputeClass", "AutoscalingMetric", "SecretProviderClass", "SecretSync", "PodMonitoring", "Rules"),
    *("Gateway", "HTTPRoute", "HealthCheckPolicy", "GCPBackendPolicy", "InferencePool", "PriorityClass"),
}


def chat(source: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    workload = factories.workload("Qwen/Qwen2.5-7B-Instruct", **fields)
    workload["model"] |= {"source": source} if source else {}
    return workload


def every_option() -> dict[str, Any]:
    """Each way to weights, a key, a node, a metric and a client, on one cluster."""
    adapters = {"adapters": [{"name": "sql", "path": "gs://models/sql"}]}
    workloads = {
        "pick": chat(
            {**BUCKET, "reader": "streamer"},
            computeClass="any",
            engine={"lora": adapters},
            apiKey={"config": "chatKey"},
            expose={"inferencePool": True},
            autoscaling={"minReplicas": 2, "maxReplicas": 3, "metricsFrom": "gke"},
            minOnDemand=1,
            compileCache={"claim": "compiled"},
            env={"HF_ENDPOINT": {"configMap": "mirror", "key": "url"}},
        ),
        "fuse": chat(
            {**BUCKET, "cache": "localSsd"},
            nodePool="l4",
            service={"tls": {"secret": "kept"}},
            apiKey={"secretManager": {"secret": "chat"}},
        ),
        "disk": chat({"kind": "hyperdisk"}, nodePool="l4", autoscaling={"maxReplicas": 2}),
        "boot": chat({"kind": "bootDisk"}, nodePool="boot"),
        "claim": chat({"kind": "claim", "claim": "models"}, nodePool="l4"),
    }
    disk = {"image": "projects/p/global/images/weights", "mode": None}
    return factories.serving(
        workloads,
        namespace="every-option",
        cluster={**factories.ZONAL, "secretManager": True, "minVersion": "1.36"},
        expose={"to": "internet", "host": "llm.example.com", "certificate": {"certificateManager": "llm"}},
        monitoring={"alerts": {"via": "rules"}},
        pools={
            "l4": {**G2, "maxNodes": 8, "localSsd": {}},
            "spot": {**G2, "maxNodes": 4, "spot": True},
            "boot": {**G2, "maxNodes": 1, "secondaryBootDisk": disk},
        },
        computeClasses={"any": {"priorities": [{"nodePool": "spot"}, {"nodePool": "l4"}]}},
    )


def test_every_kind_of_object_is_taken(cluster: Cluster) -> None:
    objects = [
        copy.deepcopy(dict(each)) for each in render_stack(factories.loaded(every_option(), name="made")).objects
    ]
    assert {each["kind"] for each in objects} == KINDS
    assert cluster.applier.apply(objects) == ()


def test_the_pods_of_every_option_pass_what_their_namespace_enforces(cluster: Cluster) -> None:
    """Those of both Deployments of a workload, of its picker, and of the Jobs that fill its disk."""
    objects = [
        copy.deepcopy(dict(each)) for each in render_stack(factories.loaded(every_option(), name="made")).objects
    ]
    (space,) = [each for each in objects if each["kind"] == "Namespace"]
    assert space["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    cluster.applier.apply(each for each in objects if each["kind"] in ("Namespace", "PriorityClass"))
    owners = [each for each in objects if each["kind"] in ("Deployment", "Job")]
    names = {each["metadata"]["name"] for each in owners}
    assert {"pick", "pick-on-demand", "pick-picker", "fuse", "claim", "boot"} <= names
    pods = [pod_like(each, f"judged-{index}") for index, each in enumerate(owners)]
    assert cluster.applier.apply(pods) == ()
    wrong = copy.deepcopy(pods[0]) | {"metadata": {**pods[0]["metadata"], "name": "wrong"}}
    wrong["spec"]["containers"][0]["securityContext"].pop("capabilities")
    (failure,) = cluster.applier.apply([wrong])
    assert 'violates PodSecurity "restricted:latest"' in failure.reason
