"""The dashboard of a stack in Cloud Monitoring."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pulumi

from components.google import gcp
from l4serve.config.frozen import frozen


@frozen(kw_only=True)
class ServingDashboardArgs:
    """The dashboard as the Monitoring API takes it, and its project (None: the provider's)."""

    definition: Mapping[str, Any]
    project: str | None


class ServingDashboard(pulumi.ComponentResource):
    """One dashboard. Collects no metric."""

    dashboard_id: pulumi.Output[str]
    """Resource name of the dashboard, projects/NUMBER/dashboards/ID."""

    def __init__(self, name: str, args: ServingDashboardArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("l4serve:serving:ServingDashboard", name, None, opts)
        dashboard = gcp.monitoring.Dashboard(
            name,
            dashboard_json=json.dumps(args.definition, sort_keys=True),
            project=args.project,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.dashboard_id = dashboard.id
        self.register_outputs({"dashboardId": self.dashboard_id})
