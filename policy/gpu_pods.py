"""What the pods of a stack ask for, read from the inputs of its Deployments and autoscalers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from l4serve.planning.machines.allocatable import Allocatable
from l4serve.planning.values.quantity import parse_bytes, parse_cpu
from l4serve.planning.workload.pod_resources import GPU_RESOURCE
from policy.model import Resource, at, many


def gpu_pods(resources: Sequence[Resource]) -> Iterator[tuple[Resource, Allocatable, Mapping[str, str]]]:
    """Each Deployment whose pods ask for GPUs: what one pod asks for, and its node selector."""
    for resource in resources:
        pod = at(resource.props, "spec.template.spec")
        for container in many(at(pod, "containers")):
            requests = _requests(at(container, "resources.requests") or {})
            if requests.gpus:
                yield resource, requests, at(pod, "nodeSelector") or {}


def _requests(amounts: Mapping[str, Any]) -> Allocatable:
    return Allocatable(
        cpu_millis=parse_cpu(amounts.get("cpu", "0")),
        memory_bytes=parse_bytes(amounts.get("memory", "0")),
        ephemeral_bytes=parse_bytes(amounts.get("ephemeral-storage", "0")),
        gpus=int(amounts.get(GPU_RESOURCE, 0)),
        pods=1,
    )


def most_replicas(deployment: Resource, resources: Sequence[Resource]) -> int:
    """The most pods that there may be: the autoscaler's maximum, else the replicas."""
    name = at(deployment.props, "metadata.name")
    for resource in resources:
        target = at(resource.props, "spec.scaleTargetRef.name")
        if target is not None and target == name:
            return int(at(resource.props, "spec.maxReplicas") or 1)
    return int(at(deployment.props, "spec.replicas") or 1)
