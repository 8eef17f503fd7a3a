"""Autoscaling and dashboards read the metrics that the contract in force names, and nodes hold every pod."""

import re
from dataclasses import replace
from typing import Any

import pytest

from l4serve.config.keys.autoscaling import Autoscaling
from l4serve.config.refusals.problems import ConfigError
from l4serve.engines.releases.contract import Contract, contract_versions, load_contract
from l4serve.engines.releases.profile import engine_kinds
from l4serve.planning.stack.dashboard_definition import chart_metrics, dashboard_definition
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.workload.pods.start import StartPlan
from l4serve.planning.workload.scaling import autoscaling_notes, following_start, plan_autoscaling
from tests import factories
from tests.each_case import each
from tests.planning.stack.field_edits import STANDARD
from tests.planning.stack.test_every_field import laid_over, planned

W = "workloads.qwen"
CONTRACTS = [load_contract(engine, version) for engine in engine_kinds() for version in contract_versions(engine)]
EACH = each(CONTRACTS, lambda contract: contract.name)


def plan(**edits: Any) -> StackPlan:
    return planned(laid_over(STANDARD, {key.replace("__", "."): value for key, value in edits.items()}))


def scaled(contract: Contract, **fields: Any) -> Any:
    return plan_autoscaling("workloads.x.autoscaling", Autoscaling(maxReplicas=2, **fields), contract)


@EACH
def test_every_role_reads_a_gauge_that_the_release_shows(contract: Contract) -> None:
    for role, metric in contract.autoscaling_metrics.items():
        scaling = scaled(contract, metric=role, target=0.5)
        assert contract.metrics[metric] == "gauge"
        assert metric in contract.always_metrics
        assert scaling.metric == f"prometheus.googleapis.com|{metric}|gauge"


def test_a_renamed_metric_is_read_by_the_name_of_its_release() -> None:
    new = load_contract("vllm", "0.26.0")
    old = replace(
        new, autoscaling_metrics={"cache": "vllm:gpu_cache_usage_perc"}, metrics={"vllm:gpu_cache_usage_perc": "gauge"}
    )
    assert "vllm:gpu_cache_usage_perc" not in new.metrics
    assert scaled(new, metric="cache").metric == "prometheus.googleapis.com|vllm:kv_cache_usage_perc|gauge"
    assert scaled(old, metric="cache").metric == "prometheus.googleapis.com|vllm:gpu_cache_usage_perc|gauge"


@pytest.mark.parametrize(
    ("version", "metric"),
    [("0.10.0", "vllm:time_per_output_token_seconds"), ("0.26.0", "vllm:inter_token_latency_seconds")],
)
def test_a_renamed_histogram_is_charted_by_the_name_of_its_release(version: str, metric: str) -> None:
    stack = plan(**{f"{W}.engine.version": version, "monitoring.dashboard": True})
    assert stack.dashboard is not None
    assert f"{metric}_bucket{{" in str(stack.dashboard)


def test_a_role_without_a_metric_is_refused_with_those_that_have_one() -> None:
    with pytest.raises(ConfigError) as refused:
        scaled(load_contract("tgi", "3.3.7"), metric="cache")
    (problem,) = refused.value.problems
    assert problem.path == "workloads.x.autoscaling.metric"
    assert problem.remedy == "use one of: queue, running"


@pytest.mark.parametrize(
    ("fields", "target"),
    [
        ({}, "5"),
        ({"metric": "cache"}, "800m"),
        ({"metric": "running", "target": 24}, "24"),
        ({"target": 2.5}, "2500m"),
    ],
)
def test_targets_are_quantities(fields: dict[str, Any], target: str) -> None:
    assert scaled(load_contract("vllm", "0.26.0"), **fields).target == target


def test_the_pools_hold_as_many_pods_as_the_autoscaler_may_make() -> None:
    stack = plan(**{f"{W}.autoscaling": {"minReplicas": 2, "maxReplicas": 3}})
    (workload,), (pool,) = stack.workloads, stack.placement
    assert workload.scale.replicas == 2
    assert sum(node["qwen"] for node in pool.nodes) == 3
    assert (workload.scale.rollout.max_surge, workload.scale.rollout.max_unavailable) == (0, 1), (
        "the fourth node is not there"
    )
    assert workload.scale.rollout.pods_disruptable == 1


def test_one_pod_that_may_become_more_has_a_disruption_budget() -> None:
    (workload,) = plan(**{f"{W}.autoscaling": {"maxReplicas": 2}}).workloads
    assert (workload.scale.replicas, workload.scale.rollout.pods_disruptable) == (1, 1)


@pytest.mark.parametrize(
    ("edits", "scraped"),
    [
        ({}, False),
        ({f"{W}.autoscaling": {"maxReplicas": 2}}, True),
        ({"monitoring.dashboard": True}, True),
        ({"monitoring.podMonitoring": True}, True),
        ({f"{W}.autoscaling": {"maxReplicas": 2}, "monitoring.podMonitoring": False}, False),
    ],
)
def test_pods_are_scraped_where_something_reads_the_metrics(edits: dict[str, Any], scraped: bool) -> None:
    (workload,) = plan(**edits).workloads
    assert workload.service.pod_monitoring is scraped


@EACH
def test_every_charted_metric_is_shown_by_the_release(contract: Contract) -> None:
    charts = chart_metrics(contract)
    assert set(charts.values()) <= contract.always_metrics
    assert {"Requests waiting", "Requests running", "Inter-token latency (s)"} <= set(charts)
    assert ("Time to first token (s)" in charts) == (contract.engine == "vllm")


def test_each_query_names_series_that_the_metric_has() -> None:
    engines = {"v": {"kind": "vllm", "maxModelLen": 4096}, "t": {"kind": "tgi", "version": "3.3.7"}}
    workloads = {
        name: {"engine": engine, "model": {"id": "Qwen/Qwen2.5-1.5B-Instruct"}} for name, engine in engines.items()
    }
    stack = plan(workloads=workloads)
    definition = dashboard_definition("s", cluster="llm", namespace=stack.namespace, workloads=stack.workloads)
    contracts = {w.name: load_contract(*w.engine.contract.name.split("-", 1)) for w in stack.workloads}
    queries = re.findall(r"'prometheusQuery': '([^']+)'", str(definition))
    assert len(queries) == 2 + 2 + 1 + 2 + 4 + 2
    for query in queries:
        found = re.search(r'([a-z_:]+)\{cluster="llm", namespace="llm-serving", job="(\w)"\}', query)
        assert found, query
        series, types = found[1], contracts[found[2]].metrics
        name = re.sub("_(bucket|sum)$", "", series)
        assert (types[name] == "histogram") == (name != series), query
        assert ("rate(" in query) == (types[name] != "gauge"), query


def test_no_two_charts_overlap() -> None:
    dashboard = plan(**{"monitoring.dashboard": True}).dashboard
    assert dashboard is not None
    tiles = dashboard["mosaicLayout"]["tiles"]
    assert len({(tile["xPos"], tile["yPos"]) for tile in tiles}) == len(tiles) == 6
    assert all(tile["xPos"] % tile["width"] == 0 and tile["yPos"] % tile["height"] == 0 for tile in tiles)
    assert all(tile["xPos"] + tile["width"] <= dashboard["mosaicLayout"]["columns"] for tile in tiles)


def test_the_note_names_the_role_that_the_adapter_needs() -> None:
    note = scaled(load_contract("vllm", "0.26.0")).note
    assert "roles/monitoring.viewer" in note
    assert "ns/custom-metrics/sa/custom-metrics-stackdriver-adapter" in note


@pytest.mark.parametrize(
    ("version", "takes"),
    [("1.35.1-gke.1396000", True), ("1.36", True), ("1.35.0", False), ("1.34", False), (None, False)],
)
def test_gke_hands_metrics_on_from_a_version_on(version: str | None, takes: bool) -> None:
    edits = {f"{W}.autoscaling": {"maxReplicas": 2, "metricsFrom": "gke"}, "cluster.minVersion": version}
    if takes:
        scaling = planned(laid_over(STANDARD, edits)).workloads[0].scale.autoscaling
        assert scaling is not None
        assert scaling.metric == "autoscaling.gke.io|qwen|queue"
    else:
        with pytest.raises(ValueError, match=r"set cluster.minVersion: 1\.35\.1"):
            planned(laid_over(STANDARD, edits))


def test_gke_reads_plain_http_alone() -> None:
    edits = {
        f"{W}.autoscaling": {"maxReplicas": 2, "metricsFrom": "gke"},
        "cluster.minVersion": "1.36",
        f"{W}.service.tls": {"secret": "kept"},
    }
    with pytest.raises(ValueError, match=r"autoscaling\.metricsFrom: GKE reads metrics only over plain HTTP"):
        planned(laid_over(STANDARD, edits))


def test_a_cluster_gets_the_profile_that_its_workloads_need() -> None:
    edits = {f"{W}.autoscaling": {"maxReplicas": 2, "metricsFrom": "gke"}, "cluster.minVersion": "1.36"}
    native, plain = planned(laid_over(STANDARD, edits)).cluster.managed, planned(STANDARD).cluster.managed
    assert native is not None and plain is not None
    assert (native.hpa_profile, plain.hpa_profile) == ("PERFORMANCE", None)


@pytest.mark.parametrize("channel", ["RAPID", "STABLE"])
def test_another_release_channel_may_hand_nothing_on(channel: str) -> None:
    edits = {f"{W}.autoscaling": {"maxReplicas": 2, "metricsFrom": "gke"}, "cluster.minVersion": "1.36"}
    plan = planned(laid_over(STANDARD, {**edits, "cluster.releaseChannel": channel}))
    told = [note.text for note in plan.notes if note.id == "autoscaler-channel"]
    assert len(told) == (channel == "STABLE")
    assert all("the cluster of qwen follows STABLE" in text for text in told)


def test_pods_are_kept_for_as_long_as_a_new_one_takes_to_serve() -> None:
    def scaling(**fields: Any) -> tuple[Any, Any]:
        chat = factories.workload(nodePool="l4", autoscaling={"maxReplicas": 2, **fields})
        found = factories.planned(factories.serving({"chat": chat})).workloads[0]
        return found.scale.autoscaling.scale_down_stabilization_seconds, found.lifecycle.start.total

    (unset, start), (stated, _) = scaling(), scaling(scaleDownStabilizationSeconds=60)
    assert start > 300
    assert start <= unset < start + 60
    assert stated == 60


def test_a_start_that_is_not_predicted_or_short_leaves_kubernetes_default() -> None:
    scaling = scaled(load_contract("vllm", "0.26.0"))
    assert following_start(scaling, start_of(node=10)) == scaling
    assert following_start(scaling, start_of(node=10_000)).scale_down_stabilization_seconds == 3600
    assert following_start(scaling, replace(start_of(node=500), weights=None)) == scaling


def start_of(node: int) -> StartPlan:
    return StartPlan(node=node, image=10, weights=10, load=10, compile=10, graphs=10, server=10, budget=1800)


def test_the_lag_is_told_where_pods_may_come() -> None:
    scaling, start = scaled(load_contract("vllm", "0.26.0")), start_of(node=500)
    assert "serves about 590 s after" in list(autoscaling_notes(scaling, start))[1]
    assert len(list(autoscaling_notes(replace(scaling, max_replicas=1), start))) == 1
    assert len(list(autoscaling_notes(scaling, replace(start, load=None)))) == 1
