"""Which of the nodes that a pod's selector leaves are its own to take."""

from __future__ import annotations

import pulumi_kubernetes as k8s

from l4serve.planning.workload.workload_plan import WorkloadPlan

_SPOT_LABEL = "cloud.google.com/gke-spot"
"""Of GKE's spot nodes."""
_PARTS = "cloud.google.com/gke-gpu-partition-size", "cloud.google.com/gke-gpu-sharing-strategy"
"""Of nodes that deal out partitions of their cards (MIG), or one card to several pods (time-sharing, MPS)."""


def lasting_nodes() -> k8s.core.v1.AffinityArgs:
    """Nodes that are not spot, and no others."""
    return _without(_SPOT_LABEL)


def chosen_nodes(plan: WorkloadPlan) -> k8s.core.v1.AffinityArgs | None:
    """Spot nodes where one is free, beside kept pods, which have none but the others; on a cluster of others' making
    nodes with whole cards, as the plan counts them. None where any node of the selector serves."""
    if plan.scale.on_demand:
        return _rather_spot()
    return _without(*_PARTS) if plan.placing.whole_cards_only else None


def _without(*labels: str) -> k8s.core.v1.AffinityArgs:
    none = [k8s.core.v1.NodeSelectorRequirementArgs(key=label, operator="DoesNotExist") for label in labels]
    term = k8s.core.v1.NodeSelectorTermArgs(match_expressions=none)
    required = k8s.core.v1.NodeSelectorArgs(node_selector_terms=[term])
    return k8s.core.v1.AffinityArgs(
        node_affinity=k8s.core.v1.NodeAffinityArgs(required_during_scheduling_ignored_during_execution=required)
    )


def _rather_spot() -> k8s.core.v1.AffinityArgs:
    spot = k8s.core.v1.NodeSelectorRequirementArgs(key=_SPOT_LABEL, operator="Exists")
    term = k8s.core.v1.PreferredSchedulingTermArgs(
        weight=100, preference=k8s.core.v1.NodeSelectorTermArgs(match_expressions=[spot])
    )
    return k8s.core.v1.AffinityArgs(
        node_affinity=k8s.core.v1.NodeAffinityArgs(preferred_during_scheduling_ignored_during_execution=[term])
    )
