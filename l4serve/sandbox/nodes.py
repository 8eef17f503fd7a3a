"""Fake nodes: what GKE makes of a planned node pool."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from l4serve.config.frozen import frozen
from l4serve.planning.gke.pool_plan import PoolPlan
from l4serve.planning.machines.allocatable import Allocatable, allocatable, capacity
from l4serve.planning.machines.shapes import MachineShape
from l4serve.planning.packing.pod_requests import GPU_RESOURCE
from l4serve.planning.workload.nodes.node_choice import ACCELERATOR_LABEL

_PROVISIONING_LABELS: Mapping[str, Mapping[str, str]] = {
    "spot": {"cloud.google.com/gke-spot": "true"},
    "flex-start": {"cloud.google.com/gke-flex-start": "true"},
}
"""What GKE labels nodes of a provisioning model with.

https://cloud.google.com/kubernetes-engine/docs/concepts/spot-vms
https://cloud.google.com/kubernetes-engine/docs/concepts/dws
"""
NO_ZONES = ("sandbox-a",)
"""Zone shown where a stack says nothing of its cluster's location."""


@frozen(kw_only=True)
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
            "spec": {"taints": [{"key": key, "value": value, "effect": effect} for key, value, effect in self.taints]},
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


def pool_nodes(pool: PoolPlan) -> tuple[FakeNode, ...]:
    """All nodes that the pool may grow to, its zones in turn, labelled and tainted as GKE does."""
    shape = pool.shape
    zones = pool.size.zones or NO_ZONES
    labels = {
        **accelerator_labels(shape),
        **_PROVISIONING_LABELS.get(pool.supply.provisioning, {}),
        **dict(pool.labels),
    }
    disk: dict[str, int] = {"boot_disk_gib": pool.disks.size_gb, "local_ssds": pool.ephemeral_ssds}
    return tuple(
        FakeNode(
            name=f"{pool.resource_name}-{index}",
            pool=pool.resource_name,
            machine_type=shape.machine_type,
            zone=zones[index % len(zones)],
            capacity=capacity(shape, **disk),
            allocatable=allocatable(shape, **disk),
            labels=labels,
            taints=tuple((taint.key, taint.value, taint.effect) for taint in pool.taints),
        )
        for index in range(pool.size.max_nodes)
    )


def accelerator_labels(shape: MachineShape) -> dict[str, str]:
    """Labels that GKE puts on a node with GPUs."""
    return {
        ACCELERATOR_LABEL: shape.accelerator,
        "cloud.google.com/gke-accelerator-count": str(shape.gpus),
        "cloud.google.com/machine-family": shape.machine_type.partition("-")[0],
    }


def _quantities(amount: Allocatable) -> dict[str, str]:
    quantities = {
        "cpu": f"{amount.cpu_millis}m",
        "memory": str(amount.memory_bytes),
        "ephemeral-storage": str(amount.ephemeral_bytes),
        "pods": str(amount.pods),
    }
    return {**quantities, GPU_RESOURCE: str(amount.gpus)} if amount.gpus else quantities
