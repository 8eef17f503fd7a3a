"""Fake nodes that are made for a pod, as Autopilot makes them: the smallest that holds it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from components.planning.allocatable import Allocatable, allocatable, capacity
from components.planning.daemonsets import Overhead
from components.planning.placing import DEFAULT_BOOT_DISK_GIB
from components.planning.pool_plan import GPU_TAINT_KEY
from components.planning.quantity import GIB
from components.planning.shapes import MachineShape, all_shapes
from sandbox.nodes import NO_ZONES, FakeNode, accelerator_labels
from sandbox.pods import PodRequest

GENERAL_PURPOSE = "general-purpose"
"""Pool and machine type shown for a node without GPUs: Google picks it on Autopilot, and tells nobody."""
AUTOPILOT_POOL = "autopilot"
_SMALLEST_GENERAL = Allocatable(cpu_millis=2000, memory_bytes=4 * GIB, ephemeral_bytes=100 * GIB, gpus=0, pods=110)


def gpu_nodes(
    pods: Iterable[PodRequest],
    *,
    overhead: Overhead,
    zones: Sequence[str] = (),
    shapes: Sequence[MachineShape] | None = None,
) -> tuple[FakeNode, ...]:
    """For each pod with GPUs its node; none for a pod that no shape holds: it stays pending.

    A node holds the pod beside GKE's daemonsets (`overhead`), and has the labels that the pod selects by,
    since Autopilot makes it for that selector.
    """
    known = all_shapes() if shapes is None else shapes
    nodes: list[FakeNode] = []
    for pod in pods:
        asked = _beside(pod.requests, overhead)
        shape = smallest_shape(asked, known)
        if asked.gpus and shape is not None:
            nodes.append(_gpu_node(len(nodes), zones or NO_ZONES, asked, shape, pod.node_selector))
    return tuple(nodes)


def general_nodes(pods: Iterable[PodRequest], *, overhead: Overhead, zones: Sequence[str] = ()) -> tuple[FakeNode, ...]:
    """For each pod without GPUs a node of its size."""
    plain = [pod for pod in pods if pod.requests.gpus == 0]
    return tuple(
        _general_node(index, zones or NO_ZONES, _beside(pod.requests, overhead), pod.node_selector)
        for index, pod in enumerate(plain)
    )


def smallest_shape(requests: Allocatable, shapes: Sequence[MachineShape]) -> MachineShape | None:
    """The shape with the fewest GPUs, then vCPUs, whose node holds such a pod; None if there is none."""
    by_size = sorted(shapes, key=lambda shape: (shape.gpus, shape.vcpus))
    disk = _disk_gib(requests)
    return next((shape for shape in by_size if _holds(allocatable(shape, boot_disk_gib=disk), requests)), None)


def _gpu_node(
    index: int, zones: Sequence[str], asked: Allocatable, shape: MachineShape, selector: Mapping[str, str]
) -> FakeNode:
    disk = _disk_gib(asked)
    return FakeNode(
        name=f"{AUTOPILOT_POOL}-{index}",
        pool=AUTOPILOT_POOL,
        machine_type=shape.machine_type,
        zone=zones[index % len(zones)],
        capacity=capacity(shape, boot_disk_gib=disk),
        allocatable=allocatable(shape, boot_disk_gib=disk),
        labels={**accelerator_labels(shape), **selector},
        taints=((GPU_TAINT_KEY, "present", "NoSchedule"),),
    )


def _general_node(index: int, zones: Sequence[str], asked: Allocatable, selector: Mapping[str, str]) -> FakeNode:
    least = _SMALLEST_GENERAL
    size = Allocatable(
        cpu_millis=max(asked.cpu_millis, least.cpu_millis),
        memory_bytes=max(asked.memory_bytes, least.memory_bytes),
        ephemeral_bytes=max(asked.ephemeral_bytes, least.ephemeral_bytes),
        gpus=0,
        pods=least.pods,
    )
    return FakeNode(
        name=f"{GENERAL_PURPOSE}-{index}",
        pool=GENERAL_PURPOSE,
        machine_type=GENERAL_PURPOSE,
        zone=zones[index % len(zones)],
        capacity=size,
        allocatable=size,
        labels=selector,
    )


def _beside(requests: Allocatable, overhead: Overhead) -> Allocatable:
    return replace(
        requests,
        cpu_millis=requests.cpu_millis + overhead.cpu_millis,
        memory_bytes=requests.memory_bytes + overhead.memory_bytes,
    )


def _disk_gib(requests: Allocatable) -> int:
    """Autopilot sizes the disk to the pod: twice its request holds the image and what GKE reserves."""
    return max(DEFAULT_BOOT_DISK_GIB, math.ceil(2 * requests.ephemeral_bytes / GIB))


def _holds(node: Allocatable, pod: Allocatable) -> bool:
    return (
        pod.cpu_millis <= node.cpu_millis
        and pod.memory_bytes <= node.memory_bytes
        and pod.ephemeral_bytes <= node.ephemeral_bytes
        and pod.gpus <= node.gpus
    )
