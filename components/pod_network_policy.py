"""The NetworkPolicy of one planned workload's pods, or of those that stand beside them."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as k8s

from components.namespaced import NamespacedComponent
from l4serve.config.frozen import frozen
from l4serve.planning.workload.reach.network_guard import NetworkGuard, Opening, Peer
from l4serve.planning.workload.workload_plan import WorkloadPlan


@frozen(kw_only=True)
class PodNetworkPolicyArgs:
    """The workload's plan, and what the policy lets through."""

    plan: WorkloadPlan
    guard: NetworkGuard
    object_name: str | None = None
    """Name of the policy; None is the workload's."""
    selector: Mapping[str, str] | None = None
    """Labels of the pods that it closes; None is the workload's own."""


class PodNetworkPolicy(NamespacedComponent):
    """Closes pods to all but what the plan opens. Works where the cluster enforces policies."""

    def __init__(self, name: str, args: PodNetworkPolicyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("l4serve:serving:PodNetworkPolicy", name, args.plan.namespace, opts)
        plan, guard = args.plan, args.guard
        k8s.networking.v1.NetworkPolicy(
            f"{self._name}-network",
            metadata=k8s.meta.v1.ObjectMetaArgs(
                name=args.object_name or plan.object_name,
                namespace=plan.namespace,
                labels=dict(plan.metadata.labels),
            ),
            spec=k8s.networking.v1.NetworkPolicySpecArgs(
                pod_selector=k8s.meta.v1.LabelSelectorArgs(match_labels=dict(args.selector or plan.metadata.serving)),
                policy_types=["Ingress", "Egress"],
                ingress=[
                    k8s.networking.v1.NetworkPolicyIngressRuleArgs(from_=_peers(each), ports=_ports(each))
                    for each in guard.ingress
                ],
                egress=[
                    k8s.networking.v1.NetworkPolicyEgressRuleArgs(to=_peers(each), ports=_ports(each))
                    for each in guard.egress
                ],
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def _ports(opening: Opening) -> list[k8s.networking.v1.NetworkPolicyPortArgs]:
    return [k8s.networking.v1.NetworkPolicyPortArgs(protocol=protocol, port=port) for protocol, port in opening.ports]


def _peers(opening: Opening) -> list[k8s.networking.v1.NetworkPolicyPeerArgs]:
    return [_peer(peer) for peer in opening.peers]


def _peer(peer: Peer) -> k8s.networking.v1.NetworkPolicyPeerArgs:
    if peer.cidr is not None:
        block = k8s.networking.v1.IPBlockArgs(cidr=peer.cidr, except_=list(peer.outside) or None)
        return k8s.networking.v1.NetworkPolicyPeerArgs(ip_block=block)
    spaces = peer.namespace_labels
    return k8s.networking.v1.NetworkPolicyPeerArgs(
        namespace_selector=k8s.meta.v1.LabelSelectorArgs(match_labels=dict(spaces)) if spaces else None,
        pod_selector=k8s.meta.v1.LabelSelectorArgs(match_labels=dict(peer.labels) or None)
        if peer.labels or not spaces
        else None,
    )
