"""The monitoring of one planned workload: the scraping of its metrics, and the autoscaler that reads one of them."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.namespaced import NamespacedComponent
from l4serve.config.frozen import frozen
from l4serve.planning.values.names import SCALED_LABEL
from l4serve.planning.workload.scaling import AutoscalingPlan
from l4serve.planning.workload.workload_plan import WorkloadPlan

_PORT = "http"
"""The container's port by name: by number, the collector would drop the label of the container."""
_SCRAPE_INTERVAL = "15s"
"""As often as the autoscaler decides by default."""


@frozen(kw_only=True)
class WorkloadMonitoringArgs:
    """A workload's plan, and the Deployment that runs it."""

    plan: WorkloadPlan
    deployment_name: pulumi.Input[str]


class WorkloadMonitoring(NamespacedComponent):
    """PodMonitoring and HorizontalPodAutoscaler, each where the plan has it. Manages no metrics adapter."""

    def __init__(self, name: str, args: WorkloadMonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("l4serve:serving:WorkloadMonitoring", name, args.plan.namespace, opts)
        self._args, self._plan = args, args.plan
        if args.plan.service.pod_monitoring:
            self._make_pod_monitoring()
        if args.plan.scale.autoscaling is not None and args.plan.scale.autoscaling.native:
            self._make_metric(args.plan.scale.autoscaling)
        if args.plan.scale.autoscaling is not None:
            self._make_autoscaler(args.plan.scale.autoscaling)
        self.register_outputs({})

    def _metadata(self) -> k8s.meta.v1.ObjectMetaArgs:
        plan = self._plan
        labels = dict(plan.metadata.labels)
        return k8s.meta.v1.ObjectMetaArgs(name=plan.object_name, namespace=plan.namespace, labels=labels)

    def _make_pod_monitoring(self) -> None:
        plan = self._plan
        endpoint: dict[str, Any] = {"port": _PORT, "path": plan.service.metrics_path, "interval": _SCRAPE_INTERVAL}
        if plan.service.tls is not None:
            # The collector asks pods by their addresses, which no certificate names.
            endpoint |= {"scheme": "https", "tls": {"insecureSkipVerify": True}}
        k8s.apiextensions.CustomResource(
            f"{self._name}-pods",
            api_version="monitoring.googleapis.com/v1",
            kind="PodMonitoring",
            metadata=self._metadata(),
            spec={"selector": {"matchLabels": dict(plan.metadata.serving)}, "endpoints": [endpoint]},
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _make_metric(self, autoscaling: AutoscalingPlan) -> None:
        """What GKE reads from the pods that the autoscaler counts, and hands to it."""
        plan = self._plan
        gauge = {"name": autoscaling.role, "prometheusMetricName": autoscaling.engine_metric}
        endpoint = {"path": plan.service.metrics_path, "port": plan.service.port}
        pod = {
            "selector": {"matchLabels": {SCALED_LABEL: plan.object_name}},
            "containers": [{"endpoint": endpoint, "metrics": [{"gauge": gauge}]}],
        }
        k8s.apiextensions.CustomResource(
            f"{self._name}-metric",
            api_version="autoscaling.gke.io/v1beta1",
            kind="AutoscalingMetric",
            metadata=self._metadata(),
            spec={"metrics": [{"pod": pod}]},
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _make_autoscaler(self, autoscaling: AutoscalingPlan) -> None:
        seconds = autoscaling.scale_down_stabilization_seconds
        down = k8s.autoscaling.v2.HPAScalingRulesArgs(stabilization_window_seconds=seconds)
        k8s.autoscaling.v2.HorizontalPodAutoscaler(
            f"{self._name}-autoscaler",
            metadata=self._metadata(),
            spec=k8s.autoscaling.v2.HorizontalPodAutoscalerSpecArgs(
                scale_target_ref=k8s.autoscaling.v2.CrossVersionObjectReferenceArgs(
                    api_version="apps/v1", kind="Deployment", name=self._args.deployment_name
                ),
                # Pods that never run on spot nodes have a Deployment of their own, whose number is fixed.
                min_replicas=autoscaling.min_replicas - self._plan.scale.on_demand,
                max_replicas=autoscaling.max_replicas - self._plan.scale.on_demand,
                metrics=[_average(autoscaling.metric, autoscaling.target)],
                behavior=None
                if seconds is None
                else k8s.autoscaling.v2.HorizontalPodAutoscalerBehaviorArgs(scale_down=down),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )


def _average(metric: str, target: str) -> k8s.autoscaling.v2.MetricSpecArgs:
    return k8s.autoscaling.v2.MetricSpecArgs(
        type="Pods",
        pods=k8s.autoscaling.v2.PodsMetricSourceArgs(
            metric=k8s.autoscaling.v2.MetricIdentifierArgs(name=metric),
            target=k8s.autoscaling.v2.MetricTargetArgs(type="AverageValue", average_value=target),
        ),
    )
