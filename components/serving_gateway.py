"""The gateway of a stack: the Gateway, its address, and the subnet that its proxies connect from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.google import gcp
from components.namespaced import NamespacedComponent
from l4serve.config.frozen import frozen
from l4serve.planning.gke.gateway import GatewayPlan, address_tier, proxy_subnet_facts
from l4serve.planning.values.names import MANAGED_BY

GATEWAY_API = "gateway.networking.k8s.io/v1"


@frozen(kw_only=True)
class ServingGatewayArgs:
    """The gateway's plan and namespace, the cluster's network, and what exists once the project's APIs are on."""

    plan: GatewayPlan
    namespace: str
    network: pulumi.Input[str] | None = None
    subnetwork: pulumi.Input[str | None] = None
    after: Sequence[pulumi.Resource] = ()


class ServingGateway(NamespacedComponent):
    """Makes one Gateway, of which GKE makes a regional load balancer. Manages no route and no certificate."""

    address: pulumi.Output[str | None]
    """Address that the stack reserved; None where it reserves none."""
    ready: pulumi.Resource
    """What routes are attached to."""

    def __init__(self, name: str, args: ServingGatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("l4serve:serving:ServingGateway", name, args.namespace, opts)
        self._args, self._plan = args, args.plan
        before: list[pulumi.Resource] = []
        self.address = pulumi.Output.from_input(None)
        if args.plan.proxy_subnet is not None:
            before.append(self._make_proxy_subnet())
        if args.plan.reserve_address:
            reserved = self._make_address()
            self.address = reserved.address
            before.append(reserved)
        self.ready = self._make_gateway(before)
        self.register_outputs({"address": self.address})

    def _make_proxy_subnet(self) -> gcp.compute.Subnetwork:
        plan = self._plan
        return gcp.compute.Subnetwork(
            f"{self._plain}-proxies",
            name=plan.proxy_subnet,
            project=plan.subnet_project,
            region=plan.region,
            network=self._args.network,
            ip_cidr_range=plan.proxy_cidr,
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(self._args.after)),
            **proxy_subnet_facts(),
        )

    def _make_address(self) -> gcp.compute.Address:
        plan = self._plan
        outside = {"address_type": "EXTERNAL", "network_tier": address_tier()}
        inside = {
            "address_type": "INTERNAL",
            "subnetwork": self._args.subnetwork,
            "purpose": "SHARED_LOADBALANCER_VIP",
        }
        return gcp.compute.Address(
            f"{self._plain}-address",
            name=plan.address,
            project=plan.project,
            region=plan.region,
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(self._args.after)),
            **(outside if plan.public else inside),
        )

    def _make_gateway(self, before: list[pulumi.Resource]) -> k8s.apiextensions.CustomResource:
        plan = self._plan
        spec: dict[str, Any] = {"gatewayClassName": plan.class_name, "listeners": [_listener(plan)]}
        if plan.address is not None:
            spec["addresses"] = [{"type": "NamedAddress", "value": plan.address}]
        return k8s.apiextensions.CustomResource(
            f"{self._name}-gateway",
            api_version=GATEWAY_API,
            kind="Gateway",
            metadata=k8s.meta.v1.ObjectMetaArgs(
                name=plan.name, namespace=self._args.namespace, labels={"app.kubernetes.io/managed-by": MANAGED_BY}
            ),
            spec=spec,
            opts=pulumi.ResourceOptions(parent=self, depends_on=before),
        )


def _listener(plan: GatewayPlan) -> dict[str, Any]:
    """The one door: TLS where there is a certificate, and no plain HTTP beside it."""
    listener: dict[str, Any] = {"name": "http", "protocol": "HTTP", "port": 80}
    if plan.tls_options is not None:
        tls: dict[str, Any] = {"mode": "Terminate", "options": dict(plan.tls_options)}
        listener = {"name": "https", "protocol": "HTTPS", "port": 443, "tls": tls}
    elif plan.tls_secret is not None:
        tls = {"mode": "Terminate", "certificateRefs": [{"kind": "Secret", "group": "", "name": plan.tls_secret}]}
        listener = {"name": "https", "protocol": "HTTPS", "port": 443, "tls": tls}
    return {**listener, "allowedRoutes": {"namespaces": {"from": "Same"}}}
