"""Allocatable against GKE's own figures: computed by formula, and seen on live nodes."""

import pytest

from l4serve.planning.machines.allocatable import allocatable, capacity, free_for_workloads, pod_capacity
from l4serve.planning.machines.daemonsets import all_daemonsets, all_features, daemonset_overhead
from l4serve.planning.machines.shapes import MachineShape, all_shapes, find_shape
from l4serve.planning.values.quantity import GIB, KIB, MIB
from tests.each_case import each

# CPU in millicores and memory in GiB, computed from kubernetes/autoscaler reserved.go at 729ba955.
COMPUTED = {
    "g2-standard-4": (3920, 13.01),
    "g2-standard-8": (7910, 27.8),
    "g2-standard-12": (11900, 42.59),
    "g2-standard-16": (15890, 57.38),
    "g2-standard-24": (23870, 86.96),
    "g2-standard-32": (31850, 116.66),
    "g2-standard-48": (47810, 178.38),
    "g2-standard-96": (95690, 363.54),
}


def shape(machine_type: str) -> MachineShape:
    found = find_shape(machine_type)
    assert found is not None
    return found


@pytest.mark.parametrize(("machine_type", "figures"), COMPUTED.items())
def test_within_one_percent_of_the_computed_figures(machine_type: str, figures: tuple[int, float]) -> None:
    node = allocatable(shape(machine_type), boot_disk_gib=100)
    cpu, memory = figures
    assert node.cpu_millis == pytest.approx(cpu, rel=0.01)
    assert node.memory_bytes / GIB == pytest.approx(memory, rel=0.01)
    assert node.gpus == shape(machine_type).gpus


def test_within_one_percent_of_a_live_l4_node() -> None:
    """A g2-standard-4 node seen in the public LLMKube repository: cpu 3920m, memory 13594692Ki."""
    node = allocatable(shape("g2-standard-4"), boot_disk_gib=100)
    assert node.cpu_millis == 3920
    assert node.memory_bytes == pytest.approx(13594692 * KIB, rel=0.01)


def test_within_one_percent_of_a_live_node_with_its_disk() -> None:
    """An n2-standard-4 node on GKE v1.36.3 (public zeebe-chaos repositories): 16 GiB and a 100 GB boot disk."""
    four = MachineShape(
        "n2-standard-4", "none", 0, 4, 16, (0,), ("on-demand",), "https://cloud.google.com/compute/docs"
    )
    full, node = capacity(four, boot_disk_gib=100), allocatable(four, boot_disk_gib=100)
    assert full.memory_bytes == pytest.approx(16380004 * KIB, rel=0.01)
    assert full.ephemeral_bytes == pytest.approx(98831908 * KIB, rel=0.01)
    assert node.cpu_millis == 3920
    assert node.memory_bytes == pytest.approx(13591652 * KIB, rel=0.01)
    assert node.ephemeral_bytes == pytest.approx(47060071478, rel=0.01)
    reserved = (16380004 - 13591652) * KIB
    assert full.memory_bytes - node.memory_bytes == pytest.approx(reserved, abs=MIB)


def test_a_large_disk_keeps_more_for_pods() -> None:
    """500 GB leave 339.2 GiB, measured by the public harbor-gke-ext project."""
    node = allocatable(shape("g2-standard-8"), boot_disk_gib=500)
    assert node.ephemeral_bytes / GIB == pytest.approx(339.2, rel=0.01)


@pytest.mark.parametrize(("disks", "reserve"), [(1, 50), (2, 75), (4, 100), (8, 100)])
def test_local_ssds_back_ephemeral_storage(disks: int, reserve: int) -> None:
    node = allocatable(shape("g2-standard-96"), boot_disk_gib=100, local_ssds=disks)
    full = capacity(shape("g2-standard-96"), boot_disk_gib=100, local_ssds=disks)
    assert 0.97 * disks * 375 * GIB < full.ephemeral_bytes < disks * 375 * GIB
    assert node.ephemeral_bytes == pytest.approx(0.9 * full.ephemeral_bytes - reserve * GIB, abs=2)


def test_an_unmeasured_number_of_local_ssds_is_refused() -> None:
    with pytest.raises(ValueError, match="9 local SSDs is unknown"):
        allocatable(shape("g2-standard-96"), boot_disk_gib=100, local_ssds=9)


@each(all_shapes(None), lambda s: s.name)
def test_pods_share_what_the_daemonsets_leave(one: MachineShape) -> None:
    node = free_for_workloads(one, boot_disk_gib=200)
    part = pod_capacity(one, 1, boot_disk_gib=200)
    assert part.gpus == 1
    assert part.cpu_millis * one.gpus <= node.cpu_millis < allocatable(one, boot_disk_gib=200).cpu_millis
    assert part.memory_bytes * one.gpus <= node.memory_bytes
    assert part.ephemeral_bytes * one.gpus <= node.ephemeral_bytes


@pytest.mark.parametrize("gpus", [0, 3])
def test_a_pod_of_more_gpus_than_the_node_has_is_refused(gpus: int) -> None:
    with pytest.raises(ValueError, match="does not fit g2-standard-24"):
        pod_capacity(shape("g2-standard-24"), gpus, boot_disk_gib=100)


def test_daemonsets_follow_the_clusters_features() -> None:
    everything, bare = daemonset_overhead(), daemonset_overhead(frozenset())
    assert everything.cpu_millis > bare.cpu_millis > 0
    names = {row.name for row in all_daemonsets()}
    assert {"anetd", "kube-proxy", "nvidia-gpu-device-plugin", "gke-metadata-server"} <= names
    v2 = daemonset_overhead(frozenset({"dataplane-v2"}))
    assert v2.cpu_millis - bare.cpu_millis == 205 - 100, "Dataplane V2 replaces kube-proxy"
    with pytest.raises(ValueError, match="unknown cluster features"):
        daemonset_overhead(frozenset({"istio"}))


def test_every_daemonset_figure_has_a_source_and_a_known_feature() -> None:
    for row in all_daemonsets():
        assert row.source
        assert {row.feature, row.without} - {None} <= all_features()
