"""Reads from rendered Kubernetes objects which pods they will make and what each asks of a node."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from l4serve.config.frozen import frozen
from l4serve.planning.machines.allocatable import Allocatable
from l4serve.planning.values.quantity import parse_bytes, parse_cpu

GPU_RESOURCE = "nvidia.com/gpu"
KubeObject = Mapping[str, Any]
_POD_MAKERS = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "Job"})
_PARSERS: Mapping[str, Callable[[Any], int]] = {
    "cpu": parse_cpu,
    "memory": parse_bytes,
    "ephemeral-storage": parse_bytes,
    GPU_RESOURCE: int,
}
_Amounts = dict[str, int]


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


def requests_of(pod_spec: KubeObject) -> Allocatable:
    """What the scheduler counts for one pod: its containers together, or its largest init step if larger.

    https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
    """
    running = _sum(_container_requests(container) for container in pod_spec["containers"])
    sidecars: _Amounts = {}
    largest_step: _Amounts = {}
    for container in pod_spec.get("initContainers", ()):
        step = _sum((sidecars, _container_requests(container)))
        if container.get("restartPolicy") == "Always":
            sidecars = step
        largest_step = _largest(largest_step, step)
    total = _sum((_largest(_sum((running, sidecars)), largest_step), _amounts(pod_spec.get("overhead", {}))))
    return Allocatable(
        cpu_millis=total.get("cpu", 0),
        memory_bytes=total.get("memory", 0),
        ephemeral_bytes=total.get("ephemeral-storage", 0),
        gpus=total.get(GPU_RESOURCE, 0),
        pods=1,
    )


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


def _container_requests(container: KubeObject) -> _Amounts:
    resources = container.get("resources", {})
    # The API server takes a limit as the request where the request is left out.
    return _amounts({**(resources.get("limits") or {}), **(resources.get("requests") or {})})


def _amounts(quantities: Mapping[str, Any]) -> _Amounts:
    return {name: parse(quantities[name]) for name, parse in _PARSERS.items() if name in quantities}


def _sum(many: Iterable[_Amounts]) -> _Amounts:
    total: _Amounts = {}
    for amounts in many:
        for name, amount in amounts.items():
            total[name] = total.get(name, 0) + amount
    return total


def _largest(one: _Amounts, other: _Amounts) -> _Amounts:
    return {name: max(one.get(name, 0), other.get(name, 0)) for name in {*one, *other}}
