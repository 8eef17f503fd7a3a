"""The network of a cluster: one that the stack makes, or an existing one."""

from __future__ import annotations

import re

from l4serve.config.frozen import frozen
from l4serve.config.keys.cluster import ManagedCluster


@frozen(kw_only=True)
class NetworkPlan:
    """A VPC network, its subnetwork with secondary ranges, and the way out of private nodes."""

    create: bool
    network: str
    """Name of the network to make, or name or path of the existing one."""
    subnetwork: str | None
    """Name of the subnetwork to make, or of the existing one; None lets GKE pick (automatic mode networks)."""
    region: str
    project: str | None
    """Project of the network, which another one's cluster may share: routers and subnets are made there."""
    nodes_cidr: str | None
    pods_cidr: str | None
    services_cidr: str | None
    pods_range: str | None
    """Name of the secondary range for pods; None lets GKE make one."""
    services_range: str | None
    nat: bool
    nat_addresses: int
    """Reserved addresses of the NAT, 1 or more; without meaning where there is none."""
    router: str
    """Name of the router that carries the NAT, and stem of the NAT's own."""


def plan_network(config: ManagedCluster, *, region: str, project: str | None) -> NetworkPlan:
    """Return the network that a managed cluster lives in."""
    options = config.network_options
    create = config.network is None
    return NetworkPlan(
        create=create,
        network=config.network or f"{config.name}-net",
        subnetwork=f"{config.name}-nodes" if create else config.subnetwork,
        region=region,
        project=(config.network and _host_project(config.network)) or project,
        nodes_cidr=options.nodes_cidr if create else None,
        pods_cidr=options.pods_cidr if create else None,
        services_cidr=options.services_cidr if create else None,
        pods_range="pods" if create else options.pods_range,
        services_range="services" if create else options.services_range,
        nat=config.private_nodes and (create if options.nat is None else options.nat),
        nat_addresses=options.nat_addresses,
        router=f"{config.name}-router",
    )


def _host_project(network: str) -> str | None:
    """Project that a network's path names, as a Shared VPC's does; None for a bare name.

    Source: https://docs.cloud.google.com/vpc/docs/shared-vpc#shared_vpc_networks
    """
    found = re.search(r"(?:^|/)projects/([^/]+)/global/networks/", network)
    return found[1] if found else None
