"""The gateway of a stack: a regional load balancer of Google Cloud, its certificate, address and proxies' subnet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from ipaddress import ip_network
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.config.gathering import refuse_all
from l4serve.config.keys.exposure import Expose
from l4serve.config.refusals.problems import Problem
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.values.note import Note

GATEWAY = "llm-gateway"


@frozen(kw_only=True)
class GatewayPlan:
    """A Gateway and what it needs in Google Cloud."""

    name: str
    class_name: str
    public: bool
    """Whether the internet reaches it."""
    host: str | None
    tls_options: Mapping[str, str] | None
    """Options of the listener that name certificates; None where a Secret or nothing does."""
    tls_secret: str | None
    address: str | None
    """Name of the address, reserved already or by the stack; None lets Google choose."""
    reserve_address: bool
    proxy_cidr: str
    proxy_subnet: str | None
    """Name of the proxies' subnet to make; None where it is there."""
    region: str | None
    project: str | None
    subnet_project: str | None
    """Project of the proxies' subnet, which is the network's; None as long as the project is not known."""
    remarks: tuple[str, ...] = ()

    @property
    def encrypted(self) -> bool:
        """Whether clients speak TLS."""
        return self.tls_options is not None or self.tls_secret is not None

    @property
    def notes(self) -> tuple[Note, ...]:
        """What an operator should know before it serves."""
        return tuple(Note("expose", remark) for remark in self.remarks)


def plan_gateway(config: Expose | None, cluster: ClusterPlan) -> GatewayPlan | None:
    """The gateway of a stack; None where it exposes nothing. Raises ConfigError for what the cluster cannot do."""
    if config is None:
        return None
    refuse_all(_problems(config, cluster))
    network = cluster.managed.network if cluster.managed else None
    makes_network = network is not None and network.create
    makes_subnet = config.make_proxy_only_subnet if config.make_proxy_only_subnet is not None else makes_network
    certificate = config.certificate
    named = certificate.certificate_manager if certificate else None
    return GatewayPlan(
        name=GATEWAY,
        class_name=_facts()["classes"][config.to],
        public=config.to == "internet",
        host=config.host,
        tls_options={_facts()["certificateOption"]: named} if named else None,
        tls_secret=certificate.secret if certificate else None,
        address=config.address or (f"{cluster.name}-gateway" if config.reserve_address else None),
        reserve_address=config.reserve_address,
        proxy_cidr=config.proxy_only_cidr,
        proxy_subnet=f"{cluster.name}-proxies" if makes_subnet else None,
        region=cluster.region,
        project=cluster.project,
        subnet_project=network.project if network else cluster.project,
        remarks=tuple(_remarks(config, cluster, makes_subnet=makes_subnet)),
    )


def health_check_ranges() -> tuple[str, ...]:
    """Addresses that Google's health checks come from."""
    return tuple(_facts()["healthChecks"])


def address_tier() -> str:
    """Network tier of an address that the internet reaches the gateway by."""
    tier: str = _facts()["addressTier"]
    return tier


def draining_seconds(grace: int) -> int:
    """How long the gateway lets requests of a pod finish that ends within its grace."""
    most: int = _facts()["mostDraining"]
    return min(grace, most)


def proxy_subnet_facts() -> Mapping[str, str]:
    """Purpose and role of the proxies' subnet."""
    facts: Mapping[str, str] = _facts()["proxySubnet"]
    return facts


def _problems(config: Expose, cluster: ClusterPlan) -> Iterator[Problem]:
    managed = cluster.managed
    if managed is not None and not managed.gateway_api:
        yield Problem("cluster.gatewayApi", "the cluster serves no Gateway, which expose makes", "set it to true")
    if managed is None and config.make_proxy_only_subnet:
        what = "the stack does not know the network of a cluster that it did not make"
        yield Problem("expose.makeProxyOnlySubnet", what, "make the proxy-only subnet of the region yourself")
    if managed is None and config.reserve_address and cluster.region is None:
        what = "an address belongs to a region, which a kubeconfig does not tell"
        yield Problem("expose.reserveAddress", what, "reserve it yourself and name it in expose.address")
    network = managed.network if managed else None
    ranges = (network.nodes_cidr, network.pods_cidr, network.services_cidr) if network else ()
    wanted = ip_network(config.proxy_only_cidr)
    for taken in ranges:
        if taken is not None and wanted.overlaps(ip_network(taken)):
            what = f"{config.proxy_only_cidr} overlaps {taken} of the cluster"
            yield Problem("expose.proxyOnlyCidr", what, "take a range of its own, of 64 addresses at least")
    if wanted.prefixlen > 26:
        what = f"{config.proxy_only_cidr} is too small: a proxy-only subnet has 64 addresses at least"
        yield Problem("expose.proxyOnlyCidr", what, "take a /26, or better a /23")


def _remarks(config: Expose, cluster: ClusterPlan, *, makes_subnet: bool) -> Iterator[str]:
    if cluster.managed is None:
        yield "a Gateway works where the cluster has the Gateway API, which the stack does not turn on there"
    if not makes_subnet:
        subnet = f"the load balancer needs a proxy-only subnet of the region, {config.proxy_only_cidr}"
        yield f"{subnet}, which the stack does not make"
    yield "a load balancer is billed by the hour and by the GB, which the cost here leaves out"


@cache
def _facts() -> Mapping[str, Any]:
    facts: Mapping[str, Any] = load_data(__file__, "gateway.yaml")
    return facts
