"""Nodes of a pool as GKE would make them."""

from typing import Any

import pytest

from l4serve.planning.gke.pool_plan import PoolPlan
from l4serve.planning.machines.allocatable import allocatable
from l4serve.planning.machines.shapes import find_shape
from l4serve.sandbox.nodes import pool_nodes
from tests.each_case import each
from tests.factories import STANDARD, pool_plan

GIB = 2**30
ALLOCATABLE_GIB = {
    "g2-standard-4": (3920, 13.01, 1),
    "g2-standard-8": (7910, 27.80, 1),
    "g2-standard-12": (11900, 42.59, 1),
    "g2-standard-16": (15890, 57.38, 1),
    "g2-standard-24": (23870, 86.96, 2),
    "g2-standard-32": (31850, 116.66, 1),
    "g2-standard-48": (47810, 178.38, 4),
    "g2-standard-96": (95690, 363.54, 8),
}
"""Millicores, GiB and GPUs that GKE leaves, by the formulas of the cluster autoscaler's reserved.go."""


def planned_pool(location: str = "us-central1-a", **fields: Any) -> PoolPlan:
    return pool_plan({**STANDARD, "location": location}, **{"maxNodes": 2, **fields})


@each(ALLOCATABLE_GIB, str)
def test_a_node_offers_what_gke_leaves_of_its_machine_within_one_percent(machine_type: str) -> None:
    status = pool_nodes(planned_pool(machineType=machine_type))[0].to_object()["status"]["allocatable"]
    cpu, memory, gpus = ALLOCATABLE_GIB[machine_type]
    assert int(status["cpu"].removesuffix("m")) == pytest.approx(cpu, rel=0.01)
    assert int(status["memory"]) / GIB == pytest.approx(memory, rel=0.01)
    assert status["nvidia.com/gpu"] == str(gpus)
    assert status["pods"] == "110"


def test_there_is_a_node_for_each_that_the_pool_may_grow_to_with_a_name_of_its_own() -> None:
    nodes = pool_nodes(planned_pool(maxNodes=5))
    assert len({node.name for node in nodes}) == 5


def test_zones_take_turns() -> None:
    nodes = pool_nodes(planned_pool("us-central1", maxNodes=4, zones=["us-central1-a", "us-central1-b"]))
    assert [node.zone[-1] for node in nodes] == ["a", "b", "a", "b"]
    labels = nodes[1].to_object()["metadata"]["labels"]
    assert labels["topology.kubernetes.io/zone"] == "us-central1-b"
    assert labels["topology.kubernetes.io/region"] == "us-central1"


def test_labels_and_taints_are_gkes_and_the_pools_own() -> None:
    pool = planned_pool(labels={"team": "nlp"}, taints=[{"key": "tier", "value": "gold", "effect": "NoExecute"}])
    node = pool_nodes(pool)[0].to_object()
    labels = node["metadata"]["labels"]
    assert labels["cloud.google.com/gke-accelerator"] == "nvidia-l4"
    assert labels["cloud.google.com/gke-nodepool"] == pool.resource_name
    assert labels["node.kubernetes.io/instance-type"] == "g2-standard-8"
    assert labels["l4serve.dev/pool"] == "l4"
    assert labels["team"] == "nlp"
    taints = {(taint["key"], taint["value"], taint["effect"]) for taint in node["spec"]["taints"]}
    assert taints == {("nvidia.com/gpu", "present", "NoSchedule"), ("tier", "gold", "NoExecute")}


@pytest.mark.parametrize(("spot", "label"), [(True, "true"), (False, None)])
def test_only_spot_nodes_are_labelled_so(spot: bool, label: str | None) -> None:
    labels = pool_nodes(planned_pool(spot=spot))[0].to_object()["metadata"]["labels"]
    assert labels.get("cloud.google.com/gke-spot") == label


def test_a_larger_disk_leaves_more_ephemeral_storage() -> None:
    small, large = (pool_nodes(planned_pool(diskSizeGb=size))[0] for size in (100, 300))
    shape = find_shape("g2-standard-8")
    assert shape is not None
    assert small.allocatable == allocatable(shape, boot_disk_gib=100)
    assert large.allocatable.ephemeral_bytes > 2 * small.allocatable.ephemeral_bytes
    assert large.allocatable.ephemeral_bytes < large.capacity.ephemeral_bytes
