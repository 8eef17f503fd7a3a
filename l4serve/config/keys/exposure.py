"""How clients outside the cluster reach the workloads: one gateway for a stack, and a route for each workload."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic.alias_generators import to_camel

from l4serve.config.keys.base import Cidr, CloudName, ConfigModel, ObjectName, PositiveInt, exactly_one

HostName = Annotated[
    str,
    Field(
        pattern=r"^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z]([-a-z0-9]{0,61}[a-z0-9])?$",
        max_length=253,
        examples=["llm.example.com"],
    ),
]
UrlPath = Annotated[
    str, Field(pattern=r"^(/|(/\.?[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+)$", max_length=200, examples=["/chat"])
]

MOST_PATHS = 16
"""Rules of an HTTPRoute, of which each path takes one (maxItems of `rules` in the Gateway API's kind, v1.2 to v1.4)."""


class Certificate(ConfigModel):
    """The certificate that clients are shown."""

    certificate_manager: CloudName | None = None
    """Regional certificate of Certificate Manager, by its name."""
    secret: ObjectName | None = None
    """TLS Secret that the namespace already holds, in place of one of Certificate Manager."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        exactly_one("certificate", {"certificateManager": self.certificate_manager, "secret": self.secret})
        return self


class Expose(ConfigModel):
    """A regional load balancer of Google Cloud by the Gateway API, which every workload gets a route on."""

    to: Literal["internet", "network"]
    """Who may reach it: everybody, or clients in the VPC network."""
    host: HostName | None = None
    """Host name that the gateway answers for; unset answers for any."""
    certificate: Certificate | None = None
    """Certificate for TLS, which a gateway to the internet must have; unset serves plain HTTP to the network."""
    address: CloudName | None = None
    """Reserved address of the region, by its name; unset is one that changes with the load balancer."""
    reserve_address: bool = False
    """Reserves an address, which costs while it is held."""
    proxy_only_cidr: Cidr = "10.129.0.0/23"
    """Range that the load balancer's proxies connect from, which the pods admit."""
    make_proxy_only_subnet: bool | None = None
    """Makes the subnet of that range; unset is true in a network that the stack makes, false in an existing one."""

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if self.address is not None and self.reserve_address:
            raise ValueError("address names one that is reserved already; remove it, or reserveAddress")
        return self

    @model_validator(mode="after")
    def _encrypted_on_the_internet(self) -> Self:
        if self.to == "internet" and self.certificate is None:
            mend = "add certificate: {certificateManager: NAME}, or set to: network"
            raise ValueError(f"keys and prompts would cross the internet in plain text; {mend}")
        return self


class Route(ConfigModel):
    """Where the stack's gateway serves a workload."""

    enabled: bool = True
    """Whether the gateway serves it at all."""
    host: HostName | None = None
    """Host name by which clients reach the workload; unset is the gateway's."""
    path: UrlPath | None = None
    """Prefix of its paths, which the engine does not see; unset is / for an only one or a host of its own, else its
    name."""
    paths: Annotated[tuple[UrlPath, ...], Field(max_length=MOST_PATHS)] | None = None
    """Paths of the engine that are served, each with all below it; unset is those that ask for the API key."""
    timeout_seconds: Annotated[PositiveInt, Field(le=86400)] = 3600
    """Longest time that a request may take, a streamed answer included."""
    inference_pool: bool = False
    """Sends a request to the pod that has its prefix in its KV cache and room, by an endpoint picker (vLLM)."""

    @model_validator(mode="after")
    def _each_path_once(self) -> Self:
        paths = self.paths or ()
        twice = next((path for path in paths if paths.count(path) > 1), None)
        if twice is not None:
            raise ValueError(f"paths names {twice} twice; remove one")
        return self

    @model_validator(mode="after")
    def _of_a_route_alone(self) -> Self:
        given = sorted(to_camel(key) for key in self.model_fields_set - {"enabled"})
        if not self.enabled and given:
            raise ValueError(f"enabled: false makes no route, so {', '.join(given)} says nothing; remove it")
        return self
