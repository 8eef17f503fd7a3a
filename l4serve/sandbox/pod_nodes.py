"""Fake nodes that are made for a pod, as Autopilot makes them: the smallest that holds it."""

from collections.abc import Iterable, Sequence

from l4serve.planning.gke.pool_plan import COMPUTE_CLASS_LABEL, GPU_TAINT_KEY
from l4serve.planning.machines.allocatable import Allocatable, allocatable, capacity
from l4serve.planning.machines.daemonsets import Overhead
from l4serve.planning.machines.made_nodes import by_size, first_holding, made_disk_gib, with_daemonsets
from l4serve.planning.machines.shapes import MachineShape, all_shapes, default_accelerator
from l4serve.planning.values.quantity import GIB
from l4serve.planning.workload.nodes.node_choice import ACCELERATOR_LABEL
from l4serve.sandbox.nodes import NO_ZONES, FakeNode, accelerator_labels
from l4serve.sandbox.pods import PodRequest

GENERAL_PURPOSE = "general-purpose"
"""Pool and machine type shown for a node without GPUs: Google picks it on Autopilot, and tells nobody."""
AUTOPILOT_POOL = "autopilot"
_SMALLEST_GENERAL = Allocatable(cpu_millis=2000, memory_bytes=4 * GIB, ephemeral_bytes=100 * GIB, gpus=0, pods=110)


def pod_nodes(
    pods: Iterable[PodRequest],
    *,
    overhead: Overhead,
    zones: Sequence[str] = (),
    shapes: Sequence[MachineShape] | None = None,
    first: int = 0,
) -> tuple[FakeNode, ...]:
    """For each pod a node, numbered from `first`; none for a pod that no shape holds.

    `shapes` are tried in order; None tries all of the accelerator that the pod selects, the smallest first.

    A node holds the pod beside GKE's daemonsets (`overhead`), and has the labels that the pod selects by, since
    Autopilot makes it for that selector.
    """
    nodes: list[FakeNode] = []
    for pod in pods:
        index = first + len(nodes)
        node = _node_for(pod, index, _zone(index, zones), overhead, _shapes_for(pod) if shapes is None else shapes)
        nodes += [node] if node else []
    return tuple(nodes)


def _shapes_for(pod: PodRequest) -> tuple[MachineShape, ...]:
    return by_size(all_shapes(pod.node_selector.get(ACCELERATOR_LABEL, default_accelerator())))


def _zone(index: int, zones: Sequence[str]) -> str:
    known = zones or NO_ZONES
    return known[index % len(known)]


def _node_for(
    pod: PodRequest, index: int, zone: str, overhead: Overhead, shapes: Sequence[MachineShape]
) -> FakeNode | None:
    asked = with_daemonsets(pod.requests, overhead)
    if asked.gpus == 0:
        return _general_node(pod, index, zone, asked)
    shape = first_holding(asked, shapes)
    return _gpu_node(pod, index, zone, shape, made_disk_gib(asked)) if shape else None


def _gpu_node(pod: PodRequest, index: int, zone: str, shape: MachineShape, disk_gib: int) -> FakeNode:
    compute_class = pod.node_selector.get(COMPUTE_CLASS_LABEL)
    class_taint = ((COMPUTE_CLASS_LABEL, compute_class, "NoSchedule"),) if compute_class else ()
    return FakeNode(
        name=f"{AUTOPILOT_POOL}-{index}",
        pool=AUTOPILOT_POOL,
        machine_type=shape.machine_type,
        zone=zone,
        capacity=capacity(shape, boot_disk_gib=disk_gib),
        allocatable=allocatable(shape, boot_disk_gib=disk_gib),
        labels={**accelerator_labels(shape), **pod.node_selector},
        taints=((GPU_TAINT_KEY, "present", "NoSchedule"), *class_taint),
    )


def _general_node(pod: PodRequest, index: int, zone: str, asked: Allocatable) -> FakeNode:
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
        zone=zone,
        capacity=size,
        allocatable=size,
        labels=pod.node_selector,
    )
