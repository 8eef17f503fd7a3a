"""The route of one planned workload on the stack's gateway, with its health check and time limit."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.namespaced import NamespacedComponent
from l4serve.config.frozen import frozen
from l4serve.planning.gke.gateway import draining_seconds
from l4serve.planning.workload.pods.lifecycle import longest_grace
from l4serve.planning.workload.reach.route_plan import RoutePlan
from l4serve.planning.workload.workload_plan import WorkloadPlan

_GATEWAY_API = "gateway.networking.k8s.io/v1"
_POOL_GROUP = "inference.networking.k8s.io"
_GKE_API = "networking.gke.io/v1"


@frozen(kw_only=True)
class WorkloadRouteArgs:
    """The workload's plan, and its route."""

    plan: WorkloadPlan
    route: RoutePlan


class WorkloadRoute(NamespacedComponent):
    """Serves a workload's Service on the gateway. Health check and time limit come before the route needs them.

    Those of a pool are objects of their own beside those of the Service: the route turns from one to the other, and
    what it leaves keeps its health check until then.
    """

    def __init__(self, name: str, args: WorkloadRouteArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("l4serve:serving:WorkloadRoute", name, args.plan.namespace, opts)
        self._plan, self._route = args.plan, args.route
        policies: list[pulumi.Resource] = [self._make_health_check(), self._make_backend_policy()]
        self._make_route(policies)
        self.register_outputs({})

    def _policy(self, suffix: str, kind: str, default: dict[str, Any]) -> k8s.apiextensions.CustomResource:
        """A policy of what the route leads to, under a name of the pool's where that is a pool."""
        spec, picker = {"default": default, "targetRef": self._target()}, self._route.picker
        if picker is None:
            return self._object(suffix, _GKE_API, kind, spec)
        return self._object(f"pool-{suffix}", _GKE_API, kind, spec, name=picker.name)

    def _object(
        self,
        suffix: str,
        api: str,
        kind: str,
        spec: dict[str, Any],
        *,
        name: str | None = None,
        after: list[pulumi.Resource] | None = None,
    ) -> k8s.apiextensions.CustomResource:
        return k8s.apiextensions.CustomResource(
            f"{self._name}-{suffix}",
            api_version=api,
            kind=kind,
            metadata=k8s.meta.v1.ObjectMetaArgs(
                name=name or self._plan.object_name,
                namespace=self._plan.namespace,
                labels=dict(self._plan.metadata.labels),
            ),
            spec=spec,
            opts=pulumi.ResourceOptions(parent=self, depends_on=after or []),
        )

    def _target(self) -> dict[str, str]:
        if self._route.picker is not None:
            return {"group": _POOL_GROUP, "kind": "InferencePool", "name": self._plan.object_name}
        return {"group": "", "kind": "Service", "name": self._plan.service.name}

    def _make_health_check(self) -> k8s.apiextensions.CustomResource:
        check = {
            "portSpecification": "USE_FIXED_PORT",
            "port": self._plan.service.port,
            "requestPath": self._route.health_path,
        }
        config = {"type": "HTTP", "httpHealthCheck": check}
        if self._plan.service.tls is not None:
            config = {"type": "HTTPS", "httpsHealthCheck": check}
        # As often as the pods' own readiness, so that a pod that ends is left before its grace is over.
        default = {"checkIntervalSec": 5, "timeoutSec": 5, "healthyThreshold": 1, "unhealthyThreshold": 2}
        return self._policy("health-check", "HealthCheckPolicy", {**default, "config": config})

    def _make_backend_policy(self) -> k8s.apiextensions.CustomResource:
        plan = self._plan
        longest = longest_grace(plan.lifecycle, plan.lasting, plan.scale.on_demand)
        default = {
            "timeoutSec": self._route.timeout_seconds,
            "connectionDraining": {"drainingTimeoutSec": draining_seconds(longest)},
        }
        return self._policy("backend-policy", "GCPBackendPolicy", default)

    def _make_route(self, after: list[pulumi.Resource]) -> None:
        route = self._route
        backend: dict[str, Any] = {"name": self._plan.service.name, "port": self._plan.service.port}
        if route.picker is not None:
            backend = self._target()
        spec: dict[str, Any] = {
            "parentRefs": [{"kind": "Gateway", "name": route.gateway}],
            "rules": [_rule(route, path, backend) for path in route.paths],
        }
        if route.host is not None:
            spec["hostnames"] = [route.host]
        self._object("route", _GATEWAY_API, "HTTPRoute", spec, after=after)


def _rule(route: RoutePlan, path: str, backend: dict[str, Any]) -> dict[str, Any]:
    """One path of the engine; the public prefix is taken away before the engine sees it."""
    public = f"{route.prefix}{path}".rstrip("/") or "/"
    rule: dict[str, Any] = {
        "matches": [{"path": {"type": "PathPrefix", "value": public}}],
        "backendRefs": [backend],
    }
    if route.prefix:
        rewrite = {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": path}}
        rule["filters"] = [{"type": "URLRewrite", "urlRewrite": rewrite}]
    return rule
