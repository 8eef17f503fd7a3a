"""A pool of GPU nodes: machine, size, how the scarce GPUs are had, storage, upgrades."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from l4serve.config.keys.base import ConfigModel, Count, LabelKey, LabelValue, PositiveInt, Zone
from l4serve.config.keys.node_pool_options import (
    Accelerator,
    FlexStart,
    LocalSsd,
    Placement,
    Reservation,
    SecondaryBootDisk,
    Upgrade,
)

CHEAPEST = "cheapest"
"""Stands for a machine type that planning chooses."""
Provisioning = Literal["on-demand", "spot", "flex-start", "reservation"]


class Taint(ConfigModel):
    """A taint on every node of the pool."""

    key: LabelKey
    """Key of the taint; pods without a toleration of it stay off the nodes."""
    value: LabelValue = ""
    """Value of the taint; empty where the key says enough."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = "NoSchedule"
    """What happens to pods without a toleration: kept off, kept off where possible, or evicted too."""


class NodePool(ConfigModel):
    """A pool of GPU nodes; the machine type implies accelerator and GPU count, save on N1 (`accelerator`)."""

    machine_type: Annotated[str, Field(min_length=1)] = CHEAPEST
    """A GPU machine type such as g2-standard-8, or an N1; unset is the cheapest that holds the workloads."""
    accelerator: Accelerator | None = None
    """Cards for an N1 machine, which has none of its own; other machine types bring theirs and refuse it."""
    min_nodes: Count = 0
    """Fewest nodes, all zones together; with 0 the pool costs nothing while no pod needs it."""
    max_nodes: Annotated[PositiveInt, Field(le=1000)] = 1
    """Most nodes, all zones together; pods that need more of them wait."""
    provisioning: Provisioning | None = None
    """How the GPUs are had; unset is spot with `spot: true`, reservation with a `reservation`, else on-demand."""
    spot: bool | None = None
    """Short for `provisioning: spot`: cheaper, and taken back at any time."""
    reservation: Reservation | None = None
    """Reserved capacity that the pool draws on."""
    flex_start: FlexStart | None = None
    """Dynamic Workload Scheduler: nodes for at most seven days, all at once when queued."""
    placement: Placement | None = None
    """Puts the nodes close to each other, for low latency between them."""
    disk_size_gb: Annotated[PositiveInt, Field(ge=50, le=65536)] | None = None
    """Boot disk in GB; unset is 100, or as much more as the weights and images of the pool's workloads need."""
    disk_type: Literal["pd-balanced", "pd-ssd", "pd-standard", "hyperdisk-balanced"] = "pd-balanced"
    """Type of the nodes' boot disk; images and weights load as fast as it is."""
    local_ssd: LocalSsd | None = None
    """Local SSDs of the machine type; unset uses none."""
    secondary_boot_disk: SecondaryBootDisk | None = None
    """Disk image with container images or model weights, attached to each node."""
    zones: tuple[Zone, ...] = ()
    """Zones of the nodes; none means a zonal cluster's own zone, or the region's zones that have the accelerator."""
    allow_unlisted_zones: bool = False
    """Trust `zones` although the table of zones with the accelerator lacks them."""
    location_policy: Literal["BALANCED", "ANY"] | None = None
    """Where new nodes come: spread over the zones, or wherever there is stock; unset is BALANCED on demand, else ANY.
    """
    driver_version: Literal["DEFAULT", "LATEST", "INSTALLATION_DISABLED"] = "LATEST"
    """NVIDIA driver that GKE installs: the GKE version's default, the latest, or none."""
    image_type: Literal["COS_CONTAINERD", "UBUNTU_CONTAINERD"] = "COS_CONTAINERD"
    """Operating system of the nodes: Container-Optimized OS or Ubuntu."""
    max_pods_per_node: Annotated[PositiveInt, Field(ge=8, le=256)] | None = None
    """Pods that a node's address range allows for; unset is the cluster's."""
    labels: Mapping[LabelKey, LabelValue] = {}
    """Kubernetes labels that the nodes carry, by which other pods may pick them."""
    taints: tuple[Taint, ...] = ()
    """Taints beside nvidia.com/gpu that keep other pods off the nodes."""
    upgrade: Upgrade = Upgrade.model_construct()
    """How GKE replaces nodes in an upgrade."""
    auto_repair: bool = True
    """Lets GKE replace nodes that stay unready."""
    auto_upgrade: bool = True
    """Lets GKE keep the nodes at the control plane's version."""
    protect: bool = False
    """Makes Pulumi refuse to delete or replace the pool, already in a preview."""

    @model_validator(mode="after")
    def _minimum_below_maximum(self) -> Self:
        if self.min_nodes > self.max_nodes:
            bounds = f"minNodes {self.min_nodes} is above maxNodes {self.max_nodes}"
            raise ValueError(f"{bounds}; set maxNodes: {self.min_nodes}, or minNodes: {self.max_nodes}")
        return self

    @property
    def effective_provisioning(self) -> Provisioning:
        """The provisioning model after the short forms."""
        if self.provisioning is not None:
            return self.provisioning
        shorthand: dict[Provisioning, Any] = {
            "spot": self.spot,
            "flex-start": self.flex_start,
            "reservation": self.reservation,
        }
        return next((model for model, value in shorthand.items() if value), "on-demand")
