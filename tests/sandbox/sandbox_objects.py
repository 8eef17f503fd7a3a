"""Kubernetes objects and nodes that the sandbox's tests are made of."""

from collections.abc import Mapping
from typing import Any

from l4serve.planning.machines.allocatable import allocatable, capacity
from l4serve.planning.machines.shapes import find_shape
from l4serve.sandbox.nodes import FakeNode

GPU_TAINT = ("nvidia.com/gpu", "present", "NoSchedule")
POOL_LABEL = "l4serve.dev/pool"


def l4_node(name: str, pool: str, machine_type: str = "g2-standard-8") -> FakeNode:
    shape = find_shape(machine_type)
    assert shape is not None
    return FakeNode(
        name=name,
        pool=pool,
        machine_type=machine_type,
        zone="us-central1-a",
        capacity=capacity(shape, boot_disk_gib=100),
        allocatable=allocatable(shape, boot_disk_gib=100),
        labels={POOL_LABEL: pool},
        taints=(GPU_TAINT,),
    )


def deployment(
    name: str,
    *,
    gpus: int = 1,
    replicas: int = 1,
    namespace: str | None = None,
    pool: str | None = None,
    cpu: str = "2",
    memory: str = "10Gi",
) -> dict[str, Any]:
    labels = {"app": name}
    container = {
        "name": "engine",
        "image": "vllm/vllm-openai:v0.26.0",
        "resources": {
            "requests": {"cpu": cpu, "memory": memory, "ephemeral-storage": "5Gi", "nvidia.com/gpu": str(gpus)},
            "limits": {"memory": memory, "ephemeral-storage": "5Gi", "nvidia.com/gpu": str(gpus)},
        },
    }
    pod_spec = {
        "containers": [container],
        "nodeSelector": {POOL_LABEL: pool} if pool else {},
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}] if gpus else [],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, **({"namespace": namespace} if namespace else {})},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod_spec},
        },
    }


def namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def pod_disruption_budget(app: str, namespace: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": app, "namespace": namespace},
        "spec": {"selector": {"matchLabels": {"app": app}}, **spec},
    }


def pod_like(owner: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A pod as its owner would make it, which the API server judges at once."""
    spec = {**owner["spec"]["template"]["spec"], "serviceAccountName": "default"}
    metadata = {"name": name, "namespace": owner["metadata"]["namespace"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
