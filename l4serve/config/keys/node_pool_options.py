"""Groups of node pool settings: reservations, flex-start, placement, disks, upgrades."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from l4serve.config.keys.base import ConfigModel, Count, PositiveInt, Seconds
from l4serve.config.words.written_forms import IN_PROJECT


class Accelerator(ConfigModel):
    """Cards that a machine type without its own is given."""

    type: Annotated[str, Field(min_length=1)]
    """Accelerator by GKE's name, such as nvidia-tesla-t4; each family of machines takes its own."""
    count: PositiveInt = 1
    """Cards on each node; the more there are, the larger the machine type may be."""


class Reservation(ConfigModel):
    """Reserved capacity that is paid for whether nodes run or not."""

    affinity: Literal["any", "specific"] = "any"
    """Which reservation counts: any matching one that is open to all, or the one named."""
    name: str | None = Field(None, pattern=r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$")
    """Name of the reservation, which `affinity: specific` needs."""
    project: str | None = Field(None, pattern=r"^[a-z][-a-z0-9]{4,28}[a-z0-9]$")
    """Project that shares the reservation; unset is the cluster's own."""

    @model_validator(mode="after")
    def _specific_is_named(self) -> Self:
        if self.affinity == "specific" and self.name is None:
            raise ValueError("a specific reservation needs its name; add name, such as name: l4-reserved")
        if self.affinity == "any" and (self.name or self.project):
            raise ValueError(
                "a named reservation is a specific one; set affinity: specific, or remove name and project"
            )
        return self


class FlexStart(ConfigModel):
    """Nodes of the Dynamic Workload Scheduler, which come when there is stock and stay for at most seven days."""

    queued: bool = False
    """Nodes only through a ProvisioningRequest, all of them at once; else one by one as the autoscaler asks."""
    max_run_seconds: Annotated[PositiveInt, Field(ge=600, le=604800)] = 604800
    """Life of a node in seconds, seven days at most."""


class Placement(ConfigModel):
    """Compact placement: the pool's nodes close to each other in one zone."""

    type: Literal["COMPACT"] = "COMPACT"
    """Nodes close to each other, for low latency between them."""
    policy_name: str | None = Field(None, pattern=r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$")
    """Existing resource policy; unset lets GKE make one."""


class LocalSsd(ConfigModel):
    """Local SSDs of 375 GiB, emptied with the node."""

    count: PositiveInt | None = None
    """Disks per node; unset is what the machine type carries at most."""
    use: Literal["ephemeral", "block"] = "ephemeral"
    """emptyDir volumes and image layers, or raw block devices."""


class SecondaryBootDisk(ConfigModel):
    """A disk image attached to each node at boot."""

    image: str = Field(
        pattern=rf"^(https://www\.googleapis\.com/compute/v1/)?({IN_PROJECT})?"
        r"global/images/(family/)?[a-z]([-a-z0-9]{0,61}[a-z0-9])?$"
    )
    """Disk image with container images or weights, such as projects/my-project/global/images/vllm-0-26-0."""
    mode: Literal["CONTAINER_IMAGE_CACHE"] | None = "CONTAINER_IMAGE_CACHE"
    """How nodes use the disk: as a cache of container images; null leaves it a plain disk of data."""


class Upgrade(ConfigModel):
    """How nodes are replaced in an upgrade of their version."""

    strategy: Literal["surge", "blue-green"] = "surge"
    """How nodes are replaced: one after the other, or by a second set of nodes beside the first."""
    max_surge: Annotated[Count, Field(le=20)] | None = None
    """Extra nodes during a surge; unset is 1 on-demand, 0 where extra GPUs may not be had."""
    max_unavailable: Annotated[Count, Field(le=20)] | None = None
    """Nodes down during a surge; unset is 0, or 1 where `maxSurge` is 0."""
    batch_nodes: PositiveInt = 1
    """Nodes that a blue-green upgrade drains at once."""
    batch_soak_seconds: Annotated[Seconds, Field(le=604800)] = 300
    """Seconds that a blue-green upgrade waits after each batch."""
    pool_soak_seconds: Annotated[Seconds, Field(le=604800)] = 3600
    """Seconds that a blue-green upgrade waits before the old nodes go."""
    pdb_timeout_seconds: Annotated[Seconds, Field(le=86400)] = 3600
    """How long a drain waits for a PodDisruptionBudget, in seconds."""
