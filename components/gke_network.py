"""The VPC network of a cluster: subnetwork with ranges for pods and Services, and Cloud NAT."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.google import gcp
from l4serve.config.frozen import frozen
from l4serve.planning.gke.network import NetworkPlan


@frozen(kw_only=True)
class GkeNetworkArgs:
    """The network's plan, and what must exist before it (the enabled APIs)."""

    plan: NetworkPlan
    after: Sequence[pulumi.Resource] = ()


class GkeNetwork(pulumi.ComponentResource):
    """Makes a network, or hands an existing one on. A VPC admits nothing from outside until a firewall rule says so.

    Manages no firewall rule: GKE adds those that its nodes need.
    """

    network: pulumi.Output[str]
    """Path or name of the network."""
    subnetwork: pulumi.Output[str | None]
    """Path or name of the subnetwork; None lets GKE pick the region's in an automatic mode network."""

    egress_addresses: pulumi.Output[list[str]]
    """Addresses that private nodes' outgoing traffic comes from; empty without a NAT of the stack."""

    def __init__(self, name: str, args: GkeNetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("l4serve:cluster:GkeNetwork", name, None, opts)
        self._name, self._plan, self._after = name, args.plan, list(args.after)
        if args.plan.create:
            network = self._make_network()
            self.network = network.self_link
            self.subnetwork = self._make_subnetwork(network).self_link.apply(lambda link: link)
        else:
            self.network = pulumi.Output.from_input(args.plan.network)
            self.subnetwork = pulumi.Output.from_input(args.plan.subnetwork)
        self.egress_addresses = self._make_nat() if args.plan.nat else pulumi.Output.from_input([])
        outputs = {"network": self.network, "subnetwork": self.subnetwork}
        self.register_outputs({**outputs, "egressAddresses": self.egress_addresses})

    def _make_network(self) -> gcp.compute.Network:
        return gcp.compute.Network(
            f"{self._name}-network",
            name=self._plan.network,
            project=self._plan.project,
            auto_create_subnetworks=False,
            opts=pulumi.ResourceOptions(parent=self, depends_on=self._after),
        )

    def _make_subnetwork(self, network: gcp.compute.Network) -> gcp.compute.Subnetwork:
        plan = self._plan
        ranges = ((plan.pods_range, plan.pods_cidr), (plan.services_range, plan.services_cidr))
        return gcp.compute.Subnetwork(
            f"{self._name}-subnetwork",
            name=plan.subnetwork,
            project=plan.project,
            region=plan.region,
            network=network.self_link,
            ip_cidr_range=plan.nodes_cidr,
            private_ip_google_access=True,
            secondary_ip_ranges=[
                gcp.compute.SubnetworkSecondaryIpRangeArgs(range_name=range_name or "", ip_cidr_range=cidr)
                for range_name, cidr in ranges
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _make_nat(self) -> pulumi.Output[list[str]]:
        """NAT over reserved addresses, so that others can admit them; returns the addresses."""
        addresses = [self._make_address(i) for i in range(self._plan.nat_addresses)]
        links = [address.self_link for address in addresses]
        router = self._make_router()
        nat = gcp.compute.RouterNat(
            f"{self._name}-nat",
            name=f"{self._plan.router}-nat",
            project=self._plan.project,
            region=self._plan.region,
            router=router.name,
            nat_ip_allocate_option="MANUAL_ONLY",
            # Only the first: a further address is RouterNatAddress's to add, and a changed start replaces the NAT.
            initial_nat_ips=links[:1],
            source_subnetwork_ip_ranges_to_nat="ALL_SUBNETWORKS_ALL_IP_RANGES",
            enable_dynamic_port_allocation=True,
            enable_endpoint_independent_mapping=False,
            min_ports_per_vm=64,
            max_ports_per_vm=4096,
            log_config=gcp.compute.RouterNatLogConfigArgs(enable=True, filter="ERRORS_ONLY"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        gcp.compute.RouterNatAddress(
            f"{self._name}-nat-addresses",
            project=self._plan.project,
            region=self._plan.region,
            router=router.name,
            router_nat=nat.name,
            nat_ips=links,
            opts=pulumi.ResourceOptions(parent=self, deleted_with=nat),
        )
        known: pulumi.Output[list[str]] = pulumi.Output.all(*(address.address for address in addresses))
        return known

    def _make_address(self, index: int) -> gcp.compute.Address:
        return gcp.compute.Address(
            f"{self._name}-address-{index}",
            name=f"{self._plan.router}-nat-{index}",
            project=self._plan.project,
            region=self._plan.region,
            opts=pulumi.ResourceOptions(parent=self, depends_on=self._after),
        )

    def _make_router(self) -> gcp.compute.Router:
        return gcp.compute.Router(
            f"{self._name}-router",
            name=self._plan.router,
            project=self._plan.project,
            region=self._plan.region,
            network=self.network,
            opts=pulumi.ResourceOptions(parent=self, depends_on=self._after),
        )
