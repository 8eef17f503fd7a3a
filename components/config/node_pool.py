"""A pool of GPU nodes."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from components.config.base import ConfigModel, Count, LabelKey, LabelValue, PositiveInt


class Taint(ConfigModel):
    """A taint on every node of the pool."""

    key: LabelKey
    """Key."""
    value: LabelValue = ""
    """Value."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = "NoSchedule"
    """What it does to pods that do not tolerate it."""


class NodePool(ConfigModel):
    """A pool of NVIDIA L4 nodes; the machine type implies the GPU count."""

    machine_type: Annotated[str, Field(min_length=1)]
    """A g2-standard machine type."""
    min_nodes: Count = 0
    """Fewest nodes, all zones together."""
    max_nodes: Annotated[PositiveInt, Field(le=1000)] = 1
    """Most nodes, all zones together."""
    spot: bool = False
    """Spot VMs: cheaper, and taken back at any time."""
    disk_size_gb: Annotated[PositiveInt, Field(ge=50, le=65536)] = 100
    """Boot disk in GB."""
    disk_type: Literal["pd-balanced", "pd-ssd", "hyperdisk-balanced"] = "pd-balanced"
    """Boot disk type."""
    zones: tuple[Annotated[str, Field(pattern=r"^[a-z]+-[a-z]+[0-9]+-[a-z]$")], ...] = ()
    """Zones of the nodes; none means the cluster's own."""
    driver_version: Literal["DEFAULT", "LATEST", "INSTALLATION_DISABLED"] = "LATEST"
    """NVIDIA driver that GKE installs."""
    labels: Mapping[LabelKey, LabelValue] = {}
    """Labels of the nodes."""
    taints: tuple[Taint, ...] = ()
    """Taints beside nvidia.com/gpu."""

    @model_validator(mode="after")
    def _minimum_below_maximum(self) -> Self:
        if self.min_nodes > self.max_nodes:
            raise ValueError(f"minNodes {self.min_nodes} is above maxNodes {self.max_nodes}; lower one or raise the other")
        return self
