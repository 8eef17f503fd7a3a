"""A GKE ComputeClass: ways to get GPU nodes, tried in order."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as k8s

from l4serve.config.frozen import frozen
from l4serve.planning.gke.classes import ComputeClassPlan


@frozen(kw_only=True)
class GpuComputeClassArgs:
    """The class's plan."""

    plan: ComputeClassPlan


class GpuComputeClass(pulumi.ComponentResource):
    """One ComputeClass, a cluster-wide object. Manages neither its pools nor the pods. `opts` carries the provider.

    A pool that is replaced gets another name in GKE: the order is updated to it in place.
    """

    class_name: pulumi.Output[str]

    def __init__(self, name: str, args: GpuComputeClassArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("l4serve:cluster:GpuComputeClass", name, None, opts)
        self._make_class(name, args.plan)
        self.class_name = pulumi.Output.from_input(args.plan.name)
        self.register_outputs({"className": self.class_name})

    def _make_class(self, name: str, plan: ComputeClassPlan) -> None:
        k8s.apiextensions.CustomResource(
            f"{name}-class",
            api_version="cloud.google.com/v1",
            kind="ComputeClass",
            metadata=k8s.meta.v1.ObjectMetaArgs(name=plan.name, labels=dict(plan.labels)),
            spec=plan.spec,
            opts=pulumi.ResourceOptions(parent=self),
        )
