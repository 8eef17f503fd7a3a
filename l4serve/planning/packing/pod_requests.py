"""Reads from a pod's spec what it asks of a node."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from l4serve.planning.machines.allocatable import Allocatable
from l4serve.planning.values.quantity import parse_bytes, parse_cpu

GPU_RESOURCE = "nvidia.com/gpu"
_PARSERS: Mapping[str, Callable[[Any], int]] = {
    "cpu": parse_cpu,
    "memory": parse_bytes,
    "ephemeral-storage": parse_bytes,
    GPU_RESOURCE: int,
}
_Amounts = dict[str, int]


def requests_of(pod_spec: Mapping[str, Any]) -> Allocatable:
    """What the scheduler counts for one pod: its containers together, or its largest init step if larger.

    https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
    """
    running = _sum(_container_requests(container) for container in pod_spec["containers"])
    sidecars: _Amounts = {}
    largest_step: _Amounts = {}
    for container in pod_spec.get("initContainers") or ():
        step = _sum((sidecars, _container_requests(container)))
        if container.get("restartPolicy") == "Always":
            sidecars = step
        largest_step = _largest(largest_step, step)
    total = _sum((_largest(_sum((running, sidecars)), largest_step), _amounts(pod_spec.get("overhead") or {})))
    return Allocatable(
        cpu_millis=total.get("cpu", 0),
        memory_bytes=total.get("memory", 0),
        ephemeral_bytes=total.get("ephemeral-storage", 0),
        gpus=total.get(GPU_RESOURCE, 0),
        pods=1,
    )


def _container_requests(container: Mapping[str, Any]) -> _Amounts:
    resources = container.get("resources") or {}
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
