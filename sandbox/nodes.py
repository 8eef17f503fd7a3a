"""Fake nodes: what GKE would make of a plan's node pools, or of the pods themselves on Autopilot."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from components.planning.allocatable import Allocatable, allocatable, capacity
from components.planning.shapes import MachineShape, find_shape
from sandbox.errors import SandboxError
from sandbox.pods import GPU_RESOURCE, PodRequest

_GPU_TAINT = (GPU_RESOURCE, "present", "NoSchedule")
_SPOT_LABEL = "cloud.google.com/gke-spot"
AUTOPILOT_POOL = "autopilot"
GENERAL_PURPOSE = "general-purpose"
"""Machine type shown for an Autopilot node without GPUs: Google picks it, and nobody is told which."""
_SMALLEST_GENERAL = Allocatable(
    cpu_millis=2000, memory_bytes=4 * 2**30, ephemeral_bytes=100 * 2**30, gpus=0, pods=110
)


class PlannedTaint(Protocol):
    """A taint as the config types it."""

    @property
    def key(self) -> str: ...
    @property
    def value(self) -> str: ...
    @property
    def effect(self) -> str: ...


class PlannedPool(Protocol):
    """What this module reads of a planned node pool."""

    @property
    def name(self) -> str: ...
    @property
    def machine_type(self) -> str: ...
    @property
    def max_nodes(self) -> int: ...
    @property
    def zones(self) -> Sequence[str]: ...
    @property
    def spot(self) -> bool: ...
    @property
    def disk_size_gb(self) -> int: ...
    @property
    def labels(self) -> Mapping[str, str]: ...
    @property
    def taints(self) -> Sequence[PlannedTaint]: ...


@dataclass(frozen=True, kw_only=True)
class FakeNode:
    """A node that exists in the API only; KWOK plays its kubelet."""

    name: str
    pool: str
    machine_type: str
    zone: str
    capacity: Allocatable
    allocatable: Allocatable
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels beside those that GKE puts on every node."""
    taints: tuple[tuple[str, str, str], ...] = ()
    """Key, value and effect of each."""

    def to_object(self) -> dict[str, Any]:
        """The Node object as the API takes it."""
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": self.name, "labels": {**self._usual_labels(), **self.labels}},
            "spec": {
                "taints": [
                    {"key": key, "value": value, "effect": effect} for key, value, effect in self.taints
                ]
            },
            "status": {"capacity": _quantities(self.capacity), "allocatable": _quantities(self.allocatable)},
        }

    def _usual_labels(self) -> dict[str, str]:
        return {
            "kubernetes.io/hostname": self.name,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
            "node.kubernetes.io/instance-type": self.machine_type,
            "topology.kubernetes.io/zone": self.zone,
            "topology.kubernetes.io/region": self.zone.rpartition("-")[0],
            "cloud.google.com/gke-nodepool": self.pool,
        }


def pool_nodes(pool: PlannedPool) -> tuple[FakeNode, ...]:
    """All nodes that the pool may grow to, its zones in turn, with GKE's labels and taint for GPUs."""
    shape = _shape(pool.machine_type)
    labels = {**_accelerator_labels(shape), **({_SPOT_LABEL: "true"} if pool.spot else {}), **pool.labels}
    taints = [(taint.key, taint.value, taint.effect) for taint in pool.taints]
    return tuple(
        FakeNode(
            name=f"{pool.name}-{index}",
            pool=pool.name,
            machine_type=shape.machine_type,
            zone=pool.zones[index % len(pool.zones)],
            capacity=capacity(shape, boot_disk_gib=pool.disk_size_gb),
            allocatable=allocatable(shape, boot_disk_gib=pool.disk_size_gb),
            labels=labels,
            taints=tuple(dict.fromkeys([_GPU_TAINT, *taints])),
        )
        for index in range(pool.max_nodes)
    )


def autopilot_nodes(
    pods: Iterable[PodRequest], shapes: Sequence[MachineShape], zones: Sequence[str], *, boot_disk_gib: int
) -> tuple[FakeNode, ...]:
    """For each pod the node that Autopilot would make; none for a pod that no shape holds: it stays pending.

    The node carries the labels that the pod selects by, as Autopilot makes it for that selector.
    """
    nodes: list[FakeNode] = []
    for pod in pods:
        name, zone = f"{AUTOPILOT_POOL}-{len(nodes)}", zones[len(nodes) % len(zones)]
        if pod.requests.gpus == 0:
            nodes.append(_general_node(name, zone, pod))
            continue
        shape = smallest_shape(pod.requests, shapes, boot_disk_gib=boot_disk_gib)
        if shape is not None:
            nodes.append(_autopilot_gpu_node(name, zone, pod, shape, boot_disk_gib))
    return tuple(nodes)


def smallest_shape(
    requests: Allocatable, shapes: Sequence[MachineShape], *, boot_disk_gib: int
) -> MachineShape | None:
    """The shape with the fewest GPUs, then vCPUs, whose node holds such a pod; None if there is none."""
    by_size = sorted(shapes, key=lambda shape: (shape.gpus, shape.vcpus))
    fitting = (
        shape for shape in by_size if _holds(allocatable(shape, boot_disk_gib=boot_disk_gib), requests)
    )
    return next(fitting, None)


def _autopilot_gpu_node(
    name: str, zone: str, pod: PodRequest, shape: MachineShape, boot_disk_gib: int
) -> FakeNode:
    return FakeNode(
        name=name,
        pool=AUTOPILOT_POOL,
        machine_type=shape.machine_type,
        zone=zone,
        capacity=capacity(shape, boot_disk_gib=boot_disk_gib),
        allocatable=allocatable(shape, boot_disk_gib=boot_disk_gib),
        labels={**_accelerator_labels(shape), **pod.node_selector},
        taints=(_GPU_TAINT,),
    )


def _general_node(name: str, zone: str, pod: PodRequest) -> FakeNode:
    asked, least = pod.requests, _SMALLEST_GENERAL
    size = Allocatable(
        cpu_millis=max(asked.cpu_millis, least.cpu_millis),
        memory_bytes=max(asked.memory_bytes, least.memory_bytes),
        ephemeral_bytes=max(asked.ephemeral_bytes, least.ephemeral_bytes),
        gpus=0,
        pods=least.pods,
    )
    return FakeNode(
        name=name,
        pool=AUTOPILOT_POOL,
        machine_type=GENERAL_PURPOSE,
        zone=zone,
        capacity=size,
        allocatable=size,
        labels=pod.node_selector,
    )


def _shape(machine_type: str) -> MachineShape:
    shape = find_shape(machine_type)
    if shape is None:
        raise SandboxError(
            f"There is no machine type {machine_type}.", remedy="`l4serve shapes` lists the known ones"
        )
    return shape


def _accelerator_labels(shape: MachineShape) -> dict[str, str]:
    return {
        "cloud.google.com/gke-accelerator": shape.accelerator,
        "cloud.google.com/gke-accelerator-count": str(shape.gpus),
        "cloud.google.com/machine-family": shape.machine_type.partition("-")[0],
    }


def _holds(node: Allocatable, pod: Allocatable) -> bool:
    return (
        pod.cpu_millis <= node.cpu_millis
        and pod.memory_bytes <= node.memory_bytes
        and pod.ephemeral_bytes <= node.ephemeral_bytes
        and pod.gpus <= node.gpus
    )


def _quantities(amount: Allocatable) -> dict[str, str]:
    quantities = {
        "cpu": f"{amount.cpu_millis}m",
        "memory": str(amount.memory_bytes),
        "ephemeral-storage": str(amount.ephemeral_bytes),
        "pods": str(amount.pods),
    }
    return {**quantities, GPU_RESOURCE: str(amount.gpus)} if amount.gpus else quantities
