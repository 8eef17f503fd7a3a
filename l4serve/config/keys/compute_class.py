"""A ComputeClass: an order of ways to get GPU nodes, tried from the top."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from l4serve.config.keys.base import ConfigModel, PoolName, PositiveInt, exactly_one
from l4serve.config.keys.node_pool import Provisioning
from l4serve.config.words.written_forms import IN_PROJECT


class Priority(ConfigModel):
    """One way to get a node: a pool of the stack, or a machine that GKE makes a pool for."""

    node_pool: PoolName | None = None
    """Node pool of the stack that gives the node (Standard clusters)."""
    machine_type: str | None = Field(
        None, pattern=r"^[a-z0-9]+(-[a-z0-9]+)+$", max_length=63, examples=["g2-standard-8"]
    )
    """Machine type that node auto-provisioning or Autopilot makes."""
    spot: bool = False
    """Makes the nodes of `machineType` Spot VMs: cheaper, and taken back at any time."""
    flex_start_seconds: Annotated[PositiveInt, Field(ge=600, le=604800)] | None = None
    """Flex-start nodes of at most this life in seconds, with `machineType`."""
    reservation: str | None = Field(None, pattern=rf"^({IN_PROJECT}reservations/)?[a-z]([-a-z0-9]{{0,61}}[a-z0-9])?$")
    """Specific reservation that the nodes of `machineType` draw on."""

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        exactly_one("way to get a node", {"nodePool": self.node_pool, "machineType": self.machine_type})
        if self.node_pool and (self.spot or self.flex_start_seconds or self.reservation):
            raise ValueError("spot, flexStartSeconds and reservation come from the node pool; remove them here")
        if sum(map(bool, (self.spot, self.flex_start_seconds, self.reservation))) > 1:
            raise ValueError("spot, flexStartSeconds and reservation exclude each other; keep one, add a priority")
        return self

    @property
    def provisioning(self) -> Provisioning:
        """How the machine of a priority with `machineType` is had."""
        if self.spot:
            return "spot"
        if self.flex_start_seconds is not None:
            return "flex-start"
        return "on-demand" if self.reservation is None else "reservation"


class ComputeClass(ConfigModel):
    """A fallback order; pods ask for it by the class's name."""

    priorities: tuple[Priority, ...] = Field(min_length=1)
    """Ways to get a node, first choice first."""
    when_unsatisfiable: Literal["DoNotScaleUp", "ScaleUpAnyway"] = "DoNotScaleUp"
    """What GKE does when no priority has stock: wait, or make any node."""
    migrate_back: bool = False
    """Moves pods back to a better priority when it has stock again; each move restarts the engine."""
    consolidation_minutes: Annotated[PositiveInt, Field(le=1440)] = 10
    """Minutes that a node may idle before it goes."""
