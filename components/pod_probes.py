"""The probes of a planned workload's container."""

from __future__ import annotations

import pulumi_kubernetes as k8s

from l4serve.planning.workload.pods.lifecycle import ProbeTimes
from l4serve.planning.workload.workload_plan import WorkloadPlan


def pod_probes(plan: WorkloadPlan) -> dict[str, k8s.core.v1.ProbeArgs]:
    """Startup, readiness and liveness, as arguments of the container. A kubelet trusts any certificate."""
    probes = plan.lifecycle.probes
    scheme = plan.service.scheme.upper() if plan.service.tls else None
    get = k8s.core.v1.HTTPGetActionArgs(path=probes.path, port=plan.service.port, scheme=scheme)
    return {
        "startup_probe": k8s.core.v1.ProbeArgs(
            http_get=get, period_seconds=probes.startup_period, failure_threshold=probes.startup_failures
        ),
        "readiness_probe": _probe(get, probes.readiness),
        "liveness_probe": _probe(get, probes.liveness),
    }


def _probe(get: k8s.core.v1.HTTPGetActionArgs, times: ProbeTimes) -> k8s.core.v1.ProbeArgs:
    return k8s.core.v1.ProbeArgs(
        http_get=get, period_seconds=times.period, failure_threshold=times.failures, timeout_seconds=times.timeout
    )
