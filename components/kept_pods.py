"""What lets the pods that run on no spot node go before the others."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as k8s

from l4serve.planning.values.names import on_demand_name
from l4serve.planning.workload.workload_plan import WorkloadPlan

_PRIORITY = 1000
"""Above the 0 of pods without a class, far below what Kubernetes keeps for the system."""


def priority_name(plan: WorkloadPlan) -> str:
    """Name of the PriorityClass, which the whole cluster shares; no namespace and no object has a dot in its name."""
    return f"{plan.namespace}.{on_demand_name(plan.object_name)}"


def kept_priority(name: str, plan: WorkloadPlan, opts: pulumi.ResourceOptions) -> k8s.scheduling.v1.PriorityClass:
    """Lets the kept pods have a node off spot that another pod of the compute class has taken."""
    return k8s.scheduling.v1.PriorityClass(
        f"{name}-on-demand-priority",
        metadata=k8s.meta.v1.ObjectMetaArgs(name=priority_name(plan), labels=dict(plan.metadata.labels)),
        value=_PRIORITY,
        description="Pods that run on no spot node go before those that may.",
        opts=opts,
    )
