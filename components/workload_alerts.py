"""The alerts of one planned workload: rules of Managed Service for Prometheus, or policies of Cloud Monitoring."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.google import gcp
from components.namespaced import NamespacedComponent
from l4serve.config.frozen import frozen
from l4serve.planning.workload.alerting import AlertPlan, AlertsPlan
from l4serve.planning.workload.workload_plan import WorkloadPlan

_EVALUATED = "60s"
_AGAIN = "1800s"
"""How long a policy's incident stays open once its expression no longer holds."""


@frozen(kw_only=True)
class WorkloadAlertsArgs:
    """A workload's plan, its alerts, and the project of policies."""

    plan: WorkloadPlan
    alerts: AlertsPlan
    project: str | None = None


class WorkloadAlerts(NamespacedComponent):
    """Rules or policies, as the plan says. Manages no alertmanager and no notification channel."""

    def __init__(self, name: str, args: WorkloadAlertsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("l4serve:serving:WorkloadAlerts", name, args.plan.namespace, opts)
        self._args = args
        if args.alerts.via == "rules":
            self._make_rules()
        else:
            for alert in args.alerts.rules:
                self._make_policy(alert)
        self.register_outputs({})

    def _make_rules(self) -> None:
        plan = self._args.plan
        rules = [_rule(alert) for alert in self._args.alerts.rules]
        k8s.apiextensions.CustomResource(
            f"{self._name}-rules",
            api_version="monitoring.googleapis.com/v1",
            kind="Rules",
            metadata=k8s.meta.v1.ObjectMetaArgs(
                name=plan.object_name, namespace=plan.namespace, labels=dict(plan.metadata.labels)
            ),
            spec={"groups": [{"name": plan.object_name, "interval": _EVALUATED, "rules": rules}]},
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _make_policy(self, alert: AlertPlan) -> None:
        plan = self._args.plan
        condition = gcp.monitoring.AlertPolicyConditionArgs(
            display_name=alert.summary,
            condition_prometheus_query_language=gcp.monitoring.AlertPolicyConditionConditionPrometheusQueryLanguageArgs(
                query=alert.expr,
                # Else the first update fails: no pod has shown the metric yet.
                disable_metric_validation=True,
                duration=_seconds(alert.hold),
                evaluation_interval=_EVALUATED,
                rule_group=plan.object_name,
                alert_rule=_camel(alert.name),
            ),
        )
        gcp.monitoring.AlertPolicy(
            f"{self._plain}-{alert.name}",
            display_name=f"{plan.namespace}/{plan.object_name}: {alert.name}",
            project=self._args.project,
            combiner="OR",
            severity=alert.severity.upper(),
            conditions=[condition],
            alert_strategy=gcp.monitoring.AlertPolicyAlertStrategyArgs(auto_close=_AGAIN),
            documentation=gcp.monitoring.AlertPolicyDocumentationArgs(
                content=f"{alert.summary}\n\n{alert.runbook}", mime_type="text/markdown"
            ),
            notification_channels=list(self._args.alerts.channels),
            user_labels={"workload": plan.object_name},
            opts=pulumi.ResourceOptions(parent=self),
        )


def _rule(alert: AlertPlan) -> dict[str, Any]:
    return {
        "alert": _camel(alert.name),
        "expr": alert.expr,
        "for": alert.hold,
        "labels": {"severity": alert.severity},
        "annotations": {"summary": alert.summary, _runbook_key(alert.runbook): alert.runbook},
    }


def _runbook_key(runbook: str) -> str:
    """The annotation that alertmanagers make a link of, for an address alone."""
    return "runbook_url" if "://" in runbook else "runbook"


def _camel(name: str) -> str:
    """Alerts are named as Prometheus' own: FirstTokenFastBurn."""
    return "".join(part.capitalize() for part in name.split("-"))


def _seconds(duration: str) -> str:
    """A Prometheus duration of one unit as the Monitoring API writes it."""
    unit = {"s": 1, "m": 60, "h": 3600}[duration[-1]]
    return f"{int(duration[:-1]) * unit}s"
