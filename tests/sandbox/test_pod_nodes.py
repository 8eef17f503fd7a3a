"""Nodes that Autopilot would make for pods."""

from typing import Any

import pytest

from l4serve.planning.machines.allocatable import Allocatable, allocatable
from l4serve.planning.machines.daemonsets import Overhead
from l4serve.planning.machines.made_nodes import by_size, first_holding
from l4serve.planning.machines.shapes import all_shapes
from l4serve.sandbox.pod_nodes import pod_nodes
from l4serve.sandbox.pods import PodRequest

GIB = 2**30
NONE = Overhead(cpu_millis=0, memory_bytes=0, pods=0)


SPOT: dict[str, Any] = {"cloud.google.com/gke-spot": "true"}
CLASS: dict[str, Any] = {"cloud.google.com/compute-class": "l4"}


def asks(gpus: int = 1, cpu: float = 2, memory: float = 8, disk: float = 10, **selector: Any) -> PodRequest:
    requests = Allocatable(
        cpu_millis=int(cpu * 1000),
        memory_bytes=int(memory * GIB),
        ephemeral_bytes=int(disk * GIB),
        gpus=gpus,
        pods=1,
    )
    return PodRequest(
        workload="w", requests=requests, node_selector={k.replace("_", "/"): v for k, v in selector.items()}
    )


@pytest.mark.parametrize(
    ("pod", "machine_type"),
    [
        (asks(), "g2-standard-4"),
        (asks(cpu=4), "g2-standard-8"),
        (asks(memory=13.5), "g2-standard-8"),
        (asks(cpu=17), "g2-standard-32"),
        (asks(memory=116), "g2-standard-32"),
        (asks(memory=120), "g2-standard-48"),
        (asks(gpus=2), "g2-standard-24"),
        (asks(gpus=2, cpu=21, memory=78), "g2-standard-24"),
        (asks(gpus=3), "g2-standard-48"),
        (asks(gpus=8), "g2-standard-96"),
        (asks(disk=500), "g2-standard-4"),
    ],
)
def test_the_smallest_node_that_holds_the_pod_is_made(pod: PodRequest, machine_type: str) -> None:
    (node,) = pod_nodes([pod], overhead=NONE)
    assert node.machine_type == machine_type
    assert node.allocatable.ephemeral_bytes >= pod.requests.ephemeral_bytes


@pytest.mark.parametrize("pod", [asks(gpus=9), asks(cpu=96), asks(memory=400)])
def test_a_pod_that_no_shape_holds_gets_no_node(pod: PodRequest) -> None:
    assert pod_nodes([pod], overhead=NONE) == ()


def test_a_pod_may_take_all_that_a_node_leaves_and_not_a_byte_more() -> None:
    shapes = by_size(all_shapes("nvidia-l4"))
    whole = allocatable(shapes[0], boot_disk_gib=100)
    exact = Allocatable(whole.cpu_millis, whole.memory_bytes, GIB, 1, 1)
    above = Allocatable(whole.cpu_millis, whole.memory_bytes + 1, GIB, 1, 1)
    fits, too_large = first_holding(exact, shapes), first_holding(above, shapes)
    assert (fits, too_large) == (shapes[0], shapes[1])


def test_room_is_left_for_the_daemonsets() -> None:
    overhead = Overhead(cpu_millis=500, memory_bytes=GIB, pods=5)
    (node,) = pod_nodes([asks(cpu=3.6)], overhead=overhead)
    assert node.machine_type == "g2-standard-8"


def test_each_replica_gets_a_node_in_the_next_zone_with_the_labels_that_it_selects_by() -> None:
    pods = [asks(**SPOT)] * 3
    nodes = pod_nodes(pods, overhead=NONE, zones=("us-central1-a", "us-central1-b"))
    assert [node.zone[-1] for node in nodes] == ["a", "b", "a"]
    assert len({node.name for node in nodes}) == 3
    labels = nodes[0].to_object()["metadata"]["labels"]
    assert labels["cloud.google.com/gke-spot"] == "true"
    assert labels["cloud.google.com/gke-accelerator"] == "nvidia-l4"
    assert nodes[0].taints == (("nvidia.com/gpu", "present", "NoSchedule"),)


def test_pods_without_gpus_get_nodes_without_gpus_that_nothing_taints() -> None:
    pods = [asks(), asks(gpus=0, cpu=6)]
    with_gpu, node = pod_nodes(pods, overhead=Overhead(cpu_millis=200, memory_bytes=0, pods=1))
    assert with_gpu.allocatable.gpus == 1
    assert node.allocatable.cpu_millis == 6200
    assert node.taints == ()
    assert "nvidia.com/gpu" not in node.to_object()["status"]["capacity"]


def test_a_compute_classs_node_carries_its_label_and_taint() -> None:
    (node,) = pod_nodes([asks(**CLASS)], overhead=NONE)
    assert node.labels["cloud.google.com/compute-class"] == "l4"
    assert ("cloud.google.com/compute-class", "l4", "NoSchedule") in node.taints
