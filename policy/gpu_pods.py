"""What the pods of a stack ask for, read from the inputs of its Deployments and autoscalers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from l4serve.planning.machines.allocatable import Allocatable
from l4serve.planning.packing.pod_requests import GPU_RESOURCE
from l4serve.planning.values.quantity import parse_bytes, parse_cpu
from l4serve.planning.workload.pods.storage import annotated_sidecar
from policy.model import Resource, at, many


def gpu_pods(resources: Sequence[Resource]) -> Iterator[tuple[Resource, Allocatable, Mapping[str, str]]]:
    """Each Deployment whose pods ask for GPUs: what a pod asks for, its sidecar included, and its node selector."""
    for resource in resources:
        pod = at(resource.props, "spec.template.spec")
        asked = [_requests(at(container, "resources.requests") or {}) for container in many(at(pod, "containers"))]
        if any(requests.gpus for requests in asked):
            annotations = at(resource.props, "spec.template.metadata.annotations") or {}
            yield resource, _sum([*asked, *_injected(annotations)]), at(pod, "nodeSelector") or {}


def _injected(annotations: Mapping[str, str]) -> Iterator[Allocatable]:
    """The sidecar of Cloud Storage FUSE, which GKE adds to the pods that ask for it."""
    if (sidecar := annotated_sidecar(annotations)) is not None:
        yield Allocatable(
            cpu_millis=sidecar.cpu_millis,
            memory_bytes=sidecar.memory_bytes,
            ephemeral_bytes=sidecar.ephemeral_bytes,
            gpus=0,
            pods=0,
        )


def _sum(asked: Sequence[Allocatable]) -> Allocatable:
    return Allocatable(
        cpu_millis=sum(each.cpu_millis for each in asked),
        memory_bytes=sum(each.memory_bytes for each in asked),
        ephemeral_bytes=sum(each.ephemeral_bytes for each in asked),
        gpus=sum(each.gpus for each in asked),
        pods=1,
    )


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
