"""The plan of a GPU node pool: frozen values, and nothing that makes them."""

from __future__ import annotations

from typing import Literal

from l4serve.config.frozen import frozen
from l4serve.config.keys.node_pool import Provisioning
from l4serve.planning.gke.upgrades import UpgradePlan
from l4serve.planning.machines.prices import Price
from l4serve.planning.machines.shapes import MachineShape
from l4serve.planning.values.names import LABEL_PREFIX
from l4serve.planning.values.note import Note

POOL_LABEL = f"{LABEL_PREFIX}/pool"
COMPUTE_CLASS_LABEL = "cloud.google.com/compute-class"
GPU_TAINT_KEY = "nvidia.com/gpu"
Effect = Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]


@frozen(kw_only=True)
class PoolTaint:
    """A taint in the form of the Kubernetes API."""

    key: str
    value: str
    effect: Effect


@frozen(kw_only=True)
class ReservationPlan:
    """The reserved capacity that a pool draws on."""

    affinity: Literal["any", "specific"]
    values: tuple[str, ...]
    """The reservation's name or projects/P/reservations/NAME; empty for any."""


@frozen(kw_only=True)
class PoolSize:
    """How many nodes there may be, and where."""

    min_nodes: int
    max_nodes: int
    initial_nodes: int
    """Nodes per zone at creation; what the minimum has beyond a multiple of the zones, the autoscaler adds."""
    zones: tuple[str, ...]
    location_policy: Literal["BALANCED", "ANY"]


@frozen(kw_only=True)
class PoolSupply:
    """How the machines are had."""

    provisioning: Provisioning
    queued: bool
    max_run_seconds: int | None
    """Life of a flex-start node in seconds."""
    reservation: ReservationPlan | None
    compact_placement: bool
    placement_policy: str | None


@frozen(kw_only=True)
class PoolDisks:
    """Disks of each node."""

    size_gb: int
    type: str
    local_ssds: int
    local_ssd_use: Literal["ephemeral", "block"]
    secondary_boot_disk: str | None
    secondary_boot_disk_mode: str | None


@frozen(kw_only=True)
class NodeSoftware:
    """What runs on each node, and how far it is locked down."""

    driver_version: str
    image_type: str
    image_streaming: bool
    secure_boot: bool
    max_pods_per_node: int | None
    private_nodes: bool | None
    """None leaves it to a cluster that the stack did not make."""


@frozen(kw_only=True)
class PoolUpkeep:
    """Upgrades and repairs."""

    upgrade: UpgradePlan
    auto_repair: bool
    auto_upgrade: bool


@frozen(kw_only=True)
class PoolPlan:
    """A GPU node pool as it is made."""

    name: str
    """Key in the config."""
    resource_name: str
    """Name in GKE: the key and a hash of the immutable fields, so that a replacement stands beside the old pool."""
    shape: MachineShape
    price: Price | None
    """Price of one node; None where nobody states it."""
    size: PoolSize
    supply: PoolSupply
    disks: PoolDisks
    software: NodeSoftware
    upkeep: PoolUpkeep
    labels: tuple[tuple[str, str], ...]
    taints: tuple[PoolTaint, ...]
    resource_labels: tuple[tuple[str, str], ...]
    create: bool
    """False where the cluster is known only by its kubeconfig: the pool then describes nodes that it has."""
    protect: bool
    guarded: bool
    """Whether the config protects it, also where `allowReplace` lets it go in this update."""
    compute_class: str | None
    remarks: tuple[str, ...]
    """What an operator should know before it is paid for."""

    @property
    def program_name(self) -> str:
        """Name that Pulumi knows it by: its name in GKE, by which an update back finds the old pool as it was.

        A guarded pool keeps one name: what a program no longer names, it cannot let go of either.
        """
        return f"{self.name if self.guarded else self.resource_name}-pool"

    @property
    def machine_type(self) -> str:
        """Machine type of the nodes."""
        return self.shape.machine_type

    @property
    def accelerator(self) -> str:
        """GKE's name of the nodes' GPUs."""
        return self.shape.accelerator

    @property
    def gpus(self) -> int:
        """GPUs per node."""
        return self.shape.gpus

    @property
    def ephemeral_ssds(self) -> int:
        """Local SSDs that back ephemeral storage."""
        return self.disks.local_ssds if self.disks.local_ssd_use == "ephemeral" else 0

    @property
    def notes(self) -> tuple[Note, ...]:
        """The remarks, after the path that they are about."""
        return tuple(Note(f"nodePools.{self.name}", remark) for remark in self.remarks)
