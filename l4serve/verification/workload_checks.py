"""A deployed workload: from its plan, through the cluster's API, to the checks of its server."""

import time
from dataclasses import replace

import urllib3
from kubernetes.client import ApiClient, ApiException

from l4serve.planning.performance.load import Load
from l4serve.planning.workload.judgement.speed_question import subject_speed
from l4serve.planning.workload.workload_plan import WorkloadPlan
from l4serve.verification.checks import CheckError, CheckResult, describe
from l4serve.verification.latency import Latency
from l4serve.verification.port_forward import forwarded, pod_stream
from l4serve.verification.report import Report
from l4serve.verification.server import verify_server
from l4serve.verification.service_pod import PodPort, find_pod
from l4serve.verification.target import Target

STREAM_PROMPT, STREAM_TOKENS = 32, 16
"""Tokens of the streams that the checks send, roughly, and ask for."""


def verify_workload(client: ApiClient, workload: WorkloadPlan, target: Target) -> Report:
    """Finds a ready pod behind the workload's Service, forwards to it and runs the engine's checks.

    `target` is what `planned_target` returns. A cluster that refuses or does not answer is a failed check.
    """
    if workload.scale.replicas == 0:
        return Report(workload.name, (CheckResult("service", "skip", "the plan has no replicas", 0.0),))
    started = time.perf_counter()
    try:
        pod = find_pod(client, workload.namespace, workload.service.name, workload.service.port, target.timeout)
    except (ApiException, CheckError, urllib3.exceptions.HTTPError) as error:
        return Report(workload.name, (_result("service", _reason(error), started, failed=True),))
    found = _result("service", f"pod {pod.pod}, port {pod.port}", started, failed=False)
    checks = (found, *_through_tunnel(client, pod, workload, target))
    return Report(workload.name, checks, expected_latency(workload))


def expected_latency(workload: WorkloadPlan) -> Latency | None:
    """What the performance model expects of the checks' own short stream; None where it does not judge the workload."""
    prospect = workload.prospect
    load = Load(input_tokens=STREAM_PROMPT, output_tokens=STREAM_TOKENS, clients=1)
    figures = subject_speed(prospect.subject, prospect.judgement, load).figures
    if figures.ttft_ms is None or figures.itl_ms is None:
        return None
    return Latency(figures.ttft_ms / 1000, figures.itl_ms / 1000, None, STREAM_TOKENS)


def _through_tunnel(client: ApiClient, pod: PodPort, workload: WorkloadPlan, target: Target) -> tuple[CheckResult, ...]:
    started = time.perf_counter()
    with forwarded(pod_stream(client, pod)) as tunnel:
        url = tunnel.url.replace("http", workload.service.scheme, 1)
        report = verify_server(replace(target, base_url=url, through_tunnel=True), workload.name)
    if not tunnel.errors:
        return report.checks
    return (
        _result("port-forward", "; ".join(dict.fromkeys(tunnel.errors)), started, failed=True),
        *report.checks,
    )


def _reason(error: Exception) -> str:
    if isinstance(error, ApiException):
        return f"the Kubernetes API answered {error.status} {error.reason}"
    return describe(error)


def _result(name: str, detail: str, started: float, *, failed: bool) -> CheckResult:
    return CheckResult(name, "fail" if failed else "pass", detail, time.perf_counter() - started)
