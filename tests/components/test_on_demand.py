"""Two Deployments of one workload: pods off spot, which Service, budget and scraping take with the others."""

from typing import Any

import pytest

from components.inference_service import InferenceService, InferenceServiceArgs
from components.workload_monitoring import WorkloadMonitoring, WorkloadMonitoringArgs
from l4serve.planning.workload.workload_plan import WorkloadPlan
from tests import factories
from tests.components.recorder import Recorded, record

SCALED = {"minReplicas": 3, "maxReplicas": 6}


def planned(**fields: Any) -> WorkloadPlan:
    pools = {"s": {"machineType": "g2-standard-8", "spot": True, "maxNodes": 8}, "d": {"machineType": "g2-standard-8"}}
    classes = {"l4": {"priorities": [{"nodePool": "s"}, {"nodePool": "d"}]}}
    newest = {**factories.ZONAL, "minVersion": "1.35.1-gke.1396000"}
    chat = factories.workload(computeClass="l4", **fields)
    values = factories.serving({"chat": chat}, pools=pools, computeClasses=classes, cluster=newest)
    return factories.planned(values).workloads[0]


def registered(plan: WorkloadPlan) -> dict[str, Recorded]:
    def program() -> None:
        InferenceService(plan.name, InferenceServiceArgs(plan=plan))
        WorkloadMonitoring(plan.name, WorkloadMonitoringArgs(plan=plan, deployment_name="chat"))

    return {r.name: r for r in record(program)}


def test_the_kept_pods_have_a_deployment_of_their_own() -> None:
    made = registered(planned(autoscaling=SCALED, minOnDemand=1))
    main, kept = (made[name].inputs["spec"] for name in ("llm-serving/chat-deployment", "llm-serving/chat-on-demand"))
    assert (main["replicas"], kept["replicas"]) == (2, 1)
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    term = kept["template"]["spec"]["affinity"]["nodeAffinity"][required]["nodeSelectorTerms"][0]
    assert term["matchExpressions"] == [{"key": "cloud.google.com/gke-spot", "operator": "DoesNotExist"}]
    (rather,) = main["template"]["spec"]["affinity"]["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert rather["preference"]["matchExpressions"] == [{"key": "cloud.google.com/gke-spot", "operator": "Exists"}]


def test_the_kept_pods_go_before_those_that_may_lie_anywhere() -> None:
    made = registered(planned(replicas=2, minOnDemand=1))
    main, kept = (
        made[name].inputs["spec"]["template"]["spec"]
        for name in ("llm-serving/chat-deployment", "llm-serving/chat-on-demand")
    )
    priority = made["llm-serving/chat-on-demand-priority"].inputs
    assert kept["priorityClassName"] == priority["metadata"]["name"] == "llm-serving.chat-on-demand"
    assert priority["value"] > 0 and "priorityClassName" not in main


def test_an_update_changes_the_kept_pods_first_and_the_others_after_them() -> None:
    made = registered(planned(replicas=2, minOnDemand=1))
    kept = made["llm-serving/chat-on-demand"].urn
    assert (
        kept in made["llm-serving/chat-deployment"].dependencies
        and kept in made["llm-serving/chat-service"].dependencies
    )


@pytest.mark.parametrize("engine", [{"kind": "vllm", "version": "0.26.0"}, {"kind": "vllm", "version": "0.10.2"}])
def test_kept_pods_have_the_time_that_no_spot_node_gives(engine: dict[str, str]) -> None:
    plan = planned(replicas=3, minOnDemand=1, engine={**engine, "maxModelLen": 4096})
    made = registered(plan)
    spot, kept = (
        made[name].inputs["spec"]["template"]["spec"]
        for name in ("llm-serving/chat-deployment", "llm-serving/chat-on-demand")
    )
    alone = planned_alone(engine)
    assert kept["terminationGracePeriodSeconds"] == alone.lifecycle.grace_seconds
    left = [pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"] for pod in (spot, kept)]
    assert left == [plan.lifecycle.leave_seconds, alone.lifecycle.leave_seconds]
    assert left[0] < left[1]


def planned_alone(engine: dict[str, str]) -> WorkloadPlan:
    """The same on a pool without spot."""
    values = factories.serving({"chat": factories.workload(nodePool="l4", engine={**engine, "maxModelLen": 4096})})
    return factories.planned(values).workloads[0]


def test_no_deployment_selects_the_others_pods_and_the_service_selects_all() -> None:
    made = registered(planned(autoscaling=SCALED, minOnDemand=1))
    pods = {
        n: made[n].inputs["spec"]["template"]["metadata"]["labels"]
        for n in ("llm-serving/chat-deployment", "llm-serving/chat-on-demand")
    }
    for name in pods:
        selector = made[name].inputs["spec"]["selector"]["matchLabels"].items()
        assert [other for other, labels in pods.items() if selector <= labels.items()] == [name]
    shared = (
        made["llm-serving/chat-service"].inputs["spec"]["selector"],
        made["llm-serving/chat-budget"].inputs["spec"]["selector"]["matchLabels"],
        made["llm-serving/chat-pods"].inputs["spec"]["selector"]["matchLabels"],
    )
    assert all(selector.items() <= labels.items() for selector in shared for labels in pods.values())


def test_the_autoscaler_scales_the_others() -> None:
    spec = registered(planned(autoscaling=SCALED, minOnDemand=1))["llm-serving/chat-autoscaler"].inputs["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 5)


def test_without_kept_pods_nothing_changes() -> None:
    made = registered(planned(autoscaling=SCALED))
    assert {name for name in made if "on-demand" in name} == set()
    assert "affinity" not in made["llm-serving/chat-deployment"].inputs["spec"]["template"]["spec"]
    assert made["llm-serving/chat-service"].inputs["spec"]["selector"] == {"app.kubernetes.io/instance": "chat"}


def test_gke_hands_the_metric_to_the_autoscaler_under_the_objects_name() -> None:
    made = registered(planned(autoscaling={**SCALED, "metricsFrom": "gke"}))
    (metric,) = made["llm-serving/chat-metric"].inputs["spec"]["metrics"]
    (container,) = metric["pod"]["containers"]
    gauge = {"name": "queue", "prometheusMetricName": "vllm:num_requests_waiting"}
    assert container == {"endpoint": {"path": "/metrics", "port": 8000}, "metrics": [{"gauge": gauge}]}
    (read,) = made["llm-serving/chat-autoscaler"].inputs["spec"]["metrics"]
    assert read["pods"]["metric"]["name"] == "autoscaling.gke.io|chat|queue"
