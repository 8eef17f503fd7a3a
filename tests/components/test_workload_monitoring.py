"""What the program registers to scrape and to scale a workload, in an update and in a preview."""

import json
import re

import pytest

from components.inference_service import InferenceService, InferenceServiceArgs
from components.serving_dashboard import ServingDashboard, ServingDashboardArgs
from components.workload_monitoring import WorkloadMonitoring, WorkloadMonitoringArgs
from l4serve.planning.stack.stack_plan import StackPlan
from tests.components.recorder import Recorded, by_type, only, record
from tests.planning.stack.field_edits import STANDARD
from tests.planning.stack.test_every_field import laid_over, planned
from tests.stack_cases import STACKS, rendered

BOTH = pytest.mark.parametrize("preview", [False, True], ids=["update", "preview"])
POD_MONITORING = "kubernetes:monitoring.googleapis.com/v1:PodMonitoring"
AUTOSCALER = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
DASHBOARD = "gcp:monitoring/dashboard:Dashboard"
SCALED = {"workloads.qwen.autoscaling": {"maxReplicas": 3, "metric": "cache", "scaleDownStabilizationSeconds": 600}}


def stack(**edits: object) -> StackPlan:
    return planned(laid_over(STANDARD, edits))


def registered(plan: StackPlan, *, preview: bool) -> list[Recorded]:
    (workload,) = plan.workloads

    def program() -> None:
        service = InferenceService(workload.name, InferenceServiceArgs(plan=workload))
        args = WorkloadMonitoringArgs(plan=workload, deployment_name=service.deployment_name)
        WorkloadMonitoring(workload.name, args)

    return record(program, preview=preview)


@BOTH
def test_the_autoscaler_follows_the_metric_of_the_contract(preview: bool) -> None:
    resources = registered(stack(**SCALED), preview=preview)
    autoscaler = only(resources, AUTOSCALER)
    assert autoscaler.name == "llm-serving/qwen-autoscaler"
    spec = autoscaler.inputs["spec"]
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "qwen"}
    assert (spec["minReplicas"], spec["maxReplicas"]) == (1, 3)
    metric = {"name": "prometheus.googleapis.com|vllm:kv_cache_usage_perc|gauge"}
    target = {"type": "AverageValue", "averageValue": "800m"}
    assert spec["metrics"] == [{"type": "Pods", "pods": {"metric": metric, "target": target}}]
    assert spec["behavior"] == {"scaleDown": {"stabilizationWindowSeconds": 600}}


def test_gke_finds_the_pods_by_a_label_that_it_can_select_by() -> None:
    native = {"workloads.qwen.autoscaling": {"maxReplicas": 3, "metricsFrom": "gke"}, "cluster.minVersion": "1.36"}
    resources = registered(stack(**native), preview=False)
    metric = only(resources, "kubernetes:autoscaling.gke.io/v1beta1:AutoscalingMetric")
    selector = metric.inputs["spec"]["metrics"][0]["pod"]["selector"]["matchLabels"]
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", key) for key in selector)
    pods = only(resources, "kubernetes:apps/v1:Deployment").inputs["spec"]["template"]["metadata"]["labels"]
    assert selector.items() <= pods.items()
    plain = only(registered(stack(**SCALED), preview=False), "kubernetes:apps/v1:Deployment")
    assert "l4serve-scaled" not in plain.inputs["spec"]["template"]["metadata"]["labels"]


@BOTH
def test_the_number_of_pods_is_the_autoscalers_alone(preview: bool) -> None:
    deployment = only(registered(stack(**SCALED), preview=preview), "kubernetes:apps/v1:Deployment")
    assert deployment.inputs["spec"]["replicas"] == 1
    assert deployment.ignore_changes == ("spec.replicas",)
    plain = only(registered(stack(), preview=preview), "kubernetes:apps/v1:Deployment")
    assert plain.ignore_changes == ()


@BOTH
def test_the_pods_that_the_deployment_makes_are_scraped(preview: bool) -> None:
    resources = registered(stack(**SCALED), preview=preview)
    monitoring = only(resources, POD_MONITORING)
    template = only(resources, "kubernetes:apps/v1:Deployment").inputs["spec"]["template"]
    (container,) = template["spec"]["containers"]
    (endpoint,) = monitoring.inputs["spec"]["endpoints"]
    assert endpoint == {"path": "/metrics", "port": container["ports"][0]["name"], "interval": "15s"}
    selector = monitoring.inputs["spec"]["selector"]["matchLabels"]
    assert selector
    assert selector.items() <= template["metadata"]["labels"].items()
    assert monitoring.inputs["metadata"]["name"] == "qwen", "the dashboard's lines select it as the label job"


@BOTH
def test_each_part_comes_alone(preview: bool) -> None:
    scraped = registered(stack(**{"monitoring.podMonitoring": True}), preview=preview)
    assert by_type(scraped, POD_MONITORING)
    assert not by_type(scraped, AUTOSCALER)
    scaled = registered(stack(**SCALED, **{"monitoring.podMonitoring": False}), preview=preview)
    assert by_type(scaled, AUTOSCALER)
    assert not by_type(scaled, POD_MONITORING)


@BOTH
def test_the_dashboard_is_the_plans(preview: bool) -> None:
    plan = stack(**{"monitoring.dashboard": True})

    def program() -> None:
        assert plan.dashboard is not None
        ServingDashboard("dashboard", ServingDashboardArgs(definition=plan.dashboard, project=plan.dashboard_project))

    dashboard = only(record(program, preview=preview), DASHBOARD)
    assert dashboard.inputs["project"] == "my-project"
    assert json.loads(dashboard.inputs["dashboardJson"]) == plan.dashboard


@pytest.mark.slow
@pytest.mark.parametrize("name", STACKS)
def test_committed_stacks_need_no_monitoring_of_the_cluster(name: str) -> None:
    kinds = {manifest["kind"] for manifest in rendered(name).objects}
    assert not kinds & {"PodMonitoring", "HorizontalPodAutoscaler"}
    assert DASHBOARD not in {resource["type"] for resource in rendered(name).cloud}
