"""Reads from rendered Kubernetes objects which pods they will make and what each asks of a node."""

from collections.abc import Iterable, Mapping
from typing import Any

from l4serve.config.frozen import frozen
from l4serve.planning.machines.allocatable import Allocatable
from l4serve.planning.packing.pod_requests import requests_of

KubeObject = Mapping[str, Any]
_POD_MAKERS = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "Job"})


@frozen(kw_only=True)
class PodRequest:
    """One pod as the scheduler sees it."""

    workload: str
    """Name of the object that makes it, or its own."""
    requests: Allocatable
    """What it takes of a node; one of the node's pods."""
    node_selector: Mapping[str, str]
    """Labels that its node must have."""


def pod_requests(objects: Iterable[KubeObject]) -> tuple[PodRequest, ...]:
    """Every pod that the objects will make, replicas one by one."""
    return tuple(request for each in objects if each["kind"] in _POD_MAKERS for request in _requests_of(each))


def request_of_pod(pod: KubeObject) -> PodRequest:
    """What a pod that exists asks for."""
    return _request(pod["metadata"]["name"], pod["spec"])


def _requests_of(maker: KubeObject) -> tuple[PodRequest, ...]:
    spec = maker["spec"]
    request = _request(maker["metadata"]["name"], spec["template"]["spec"])
    count = spec.get("parallelism", 1) if maker["kind"] == "Job" else spec.get("replicas", 1)
    return (request,) * int(count)


def _request(workload: str, pod_spec: KubeObject) -> PodRequest:
    selector = dict(pod_spec.get("nodeSelector") or {})
    return PodRequest(workload=workload, requests=requests_of(pod_spec), node_selector=selector)
