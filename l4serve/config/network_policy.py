"""Who may reach the pods and whom they may reach, beyond what serving needs."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from l4serve.config.base import Cidr, ConfigModel, Namespace, PositiveInt

Port = Annotated[PositiveInt, Field(le=65535)]


class NetworkPeer(ConfigModel):
    """A namespace, or a range of addresses."""

    namespace: Namespace | None = None
    """Every pod of a namespace."""
    cidr: Cidr | None = None
    """Addresses, in place of a namespace."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.namespace is None) == (self.cidr is None):
            raise ValueError("name one: namespace, or cidr")
        return self


class NetworkDestination(NetworkPeer):
    """Where pods may connect to."""

    port: Port = 443
    """TCP port there."""


class NetworkPolicy(ConfigModel):
    """Policies that close the pods, and what is opened beside serving."""

    enabled: bool = True
    """Closes the pods to all but their namespace, what is exposed and the collector of their metrics."""
    from_: tuple[NetworkPeer, ...] = Field((), alias="from")
    """Further peers that may connect to the engines."""
    to: tuple[NetworkDestination, ...] = ()
    """Further destinations of the engines, such as a proxy, a mirror of the Hub or a collector of traces."""
