"""Who may reach the pods and whom they may reach, beyond what serving needs."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from l4serve.config.keys.base import Cidr, ConfigModel, Namespace, PositiveInt, exactly_one

Port = Annotated[PositiveInt, Field(le=65535)]


class NetworkPeer(ConfigModel):
    """Who may connect to the pods: a namespace, or a range of addresses."""

    namespace: Namespace | None = None
    """Namespace at the other end, with all its pods."""
    cidr: Cidr | None = None
    """Range of addresses at the other end, in place of a namespace."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        exactly_one("peer", {"namespace": self.namespace, "cidr": self.cidr})
        return self


class NetworkDestination(NetworkPeer):
    """A place that the pods may connect to."""

    port: Port = 443
    """TCP port that the pods may connect to there."""


class NetworkPolicy(ConfigModel):
    """Policies that close the pods, and what is opened beside serving."""

    enabled: bool = True
    """Closes the pods to all but their namespace, what is exposed and the collector of their metrics."""
    from_: tuple[NetworkPeer, ...] = Field((), alias="from")
    """Further peers that may connect to the engines."""
    to: tuple[NetworkDestination, ...] = ()
    """Further destinations of the engines, such as a proxy, a mirror of the Hub or a collector of traces."""

    @model_validator(mode="after")
    def _nothing_to_open(self) -> Self:
        given = [key for key, value in (("from", self.from_), ("to", self.to)) if value]
        if not self.enabled and given:
            raise ValueError(
                f"enabled: false closes nothing that {' and '.join(given)} could open; remove what is needless"
            )
        return self
