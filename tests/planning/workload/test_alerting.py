"""Alerts from the metrics of each release, with thresholds from the objectives, each with a section of the runbook."""

import re
from typing import Any

import pytest

from l4serve.config.refusals.problems import ConfigError
from l4serve.engines.releases.contract import contract_versions, load_contract
from l4serve.engines.releases.profile import engine_kinds
from l4serve.planning.workload.alerting import AlertPlan, AlertsPlan, sections
from tests import factories
from tests.stack_cases import ROOT

RELEASES = [(kind, version) for kind in engine_kinds() for version in contract_versions(kind)[::6]]
NOT_IN_THE_REFERENCE = {"tgi_request_failure"}
"""Which TGI counts in every release, and lists in none of its references from 2.3 on (router/src/infer/mod.rs)."""
TGI = {"kind": "tgi", "version": "3.3.7", "maxModelLen": None, "maxTotalTokens": 4096}


def alerts(config: Any = None, *, engine: dict[str, Any] | None = None, **fields: Any) -> AlertsPlan:
    chat = factories.workload(engine=engine, **fields)
    plan = factories.planned(factories.serving({"chat": chat}, monitoring={"alerts": config or {}}))
    found = plan.workloads[0].alerts
    assert found is not None
    assert plan.workloads[0].service.pod_monitoring
    return found


def by_name(plan: AlertsPlan) -> dict[str, AlertPlan]:
    return {alert.name: alert for alert in plan.rules}


@pytest.mark.parametrize(("kind", "version"), RELEASES)
def test_every_alert_reads_metrics_that_the_release_shows(kind: str, version: str) -> None:
    lengths = {"maxModelLen": None, "maxTotalTokens": 4096} if kind == "tgi" else {}
    contract = load_contract(kind, version)
    rules = alerts(engine={"kind": kind, "version": version, **lengths}).rules
    assert {rule.runbook.partition("#")[2] for rule in rules} >= {"inter-token", "queue", "restarts", "idle"}
    for rule in rules:
        for metric in re.findall(r"(?:vllm:|tgi_)\w+", rule.expr):
            assert {re.sub(r"_(bucket|count)$", "", metric), metric} & {*contract.metrics, *NOT_IN_THE_REFERENCE}
        assert rule.expr.count("(") == rule.expr.count(")")
        assert 'job="chat"' in rule.expr
        assert "{window}" not in rule.expr


def test_a_burn_rate_is_its_factor_times_the_budget_over_two_windows() -> None:
    found = by_name(alerts({"objectives": {"within": 0.95, "firstTokenSeconds": 1}}))
    fast = found["first-token-fast-burn"]
    assert fast.expr.count("> 0.72") == 2
    assert fast.expr.count("[1h]") == fast.expr.count("[5m]") == 2
    assert 'le=~"1(.0)?"' in fast.expr
    assert (fast.severity, fast.hold) == ("critical", "2m")
    assert found["errors-slow-burn"].expr.endswith("> 0.06")


def test_a_promise_that_the_release_counts_nothing_of_is_told_or_refused() -> None:
    def told(**fields: Any) -> list[str]:
        chat = factories.workload(**fields)
        plan = factories.planned(factories.serving({"chat": chat}, monitoring={"alerts": {}}))
        return [note.text for note in plan.notes if note.id == "promise-without-metric"]

    note, *causes = told(engine=TGI)
    assert [cause.partition("no alert tells when ")[2] for cause in causes] == [
        "the KV cache is full: tgi-3.3.7 shows no metric of it",
        "requests are preempted: tgi-3.3.7 shows no metric of it",
    ]
    assert note.endswith("first tokens come later than 2.5 s: tgi-3.3.7 counts none of them")
    assert told() == []
    assert told(engine=TGI, objectives={"queue": 3}) == [note, *causes], "it keeps the stack's promise of first tokens"
    with pytest.raises(ConfigError, match=r"chat\.objectives\.firstTokenSeconds: tgi-3\.3\.7 shows no metric of it"):
        told(engine=TGI, objectives={"firstTokenSeconds": 1})


def test_thresholds_follow_the_workload_before_the_stack_key_by_key() -> None:
    objectives = {"queue": 17, "interTokenSeconds": 0.3}
    found = by_name(alerts({"objectives": {"queue": 3, "firstTokenSeconds": 1}}, objectives=objectives))
    assert 'le=~"1(.0)?"' in found["first-token-fast-burn"].expr
    assert found["queue"].expr.endswith("> 17")
    assert 'le=~"0.3"' in found["inter-token-fast-burn"].expr


@pytest.mark.parametrize(
    ("config", "fields", "path"),
    [
        ({"objectives": {"firstTokenSeconds": 2}}, {}, "monitoring.alerts.objectives.firstTokenSeconds"),
        ({}, {"objectives": {"interTokenSeconds": 0.11}}, "workloads.chat.objectives.interTokenSeconds"),
    ],
)
def test_a_promise_between_the_engines_bounds_is_refused(config: Any, fields: dict[str, Any], path: str) -> None:
    with pytest.raises(ValueError, match=rf"{path}.*nobody can tell"):
        alerts(config, **fields)


def test_an_engine_of_other_bounds_is_held_by_its_quantile() -> None:
    found = by_name(alerts({"objectives": {"interTokenSeconds": 0.123}}, engine=TGI))
    assert found["inter-token"].expr.startswith("histogram_quantile(0.95,")
    assert found["inter-token"].expr.endswith("> 0.123")
    assert "first-token-fast-burn" not in found


def test_each_alert_has_a_section_of_the_runbook() -> None:
    text = (ROOT / "docs" / "runbook.md").read_text("utf-8")
    assert set(re.findall(r"^## (.+)$", text, re.M)) == set(sections())
    assert {rule.runbook.partition("#")[2] for rule in alerts(replicas=2).rules} == set(sections())


@pytest.mark.parametrize(
    ("monitoring", "fix"),
    [
        ({"alerts": {}, "podMonitoring": False}, "remove monitoring.podMonitoring: false"),
        ({"alerts": {"notificationChannels": ["projects/p/notificationChannels/1"]}}, "set via: policies"),
    ],
)
def test_alerts_that_reach_nobody_are_refused(monitoring: dict[str, Any], fix: str) -> None:
    with pytest.raises(ValueError, match=fix):
        factories.planned(factories.serving(monitoring=monitoring))


def test_a_workload_that_runs_nothing_has_no_alerts_that_could_wake_somebody() -> None:
    values = factories.serving({"chat": factories.workload(replicas=0)}, monitoring={"alerts": {}})
    plan = factories.planned(values)
    assert plan.workloads[0].alerts is None
    assert [note for note in plan.notes if note.id in ("promise-without-metric", "runbook-without-address")] == []


def test_pods_that_are_missing_are_told_after_twice_the_time_of_an_update() -> None:
    tight = by_name(alerts(replicas=3, nodePool="l4"))["missing"]
    assert tight.expr == 'count(up{cluster="llm", namespace="llm-serving", job="chat"} == 1) < 3'
    assert tight.severity == "warning"
    assert "missing" not in by_name(alerts())
    scaled = by_name(alerts(autoscaling={"minReplicas": 2, "maxReplicas": 3}))["missing"]
    assert scaled.expr.endswith("< 2")


@pytest.mark.parametrize(("nodes", "in_turn"), [(3, 3), (4, 1)])
def test_an_update_without_a_spare_gpu_takes_pods_in_turn_and_tells_nobody(nodes: int, in_turn: int) -> None:
    pools = {"l4": {"machineType": "g2-standard-8", "maxNodes": nodes}}
    values = factories.serving({"chat": factories.workload(replicas=3)}, monitoring={"alerts": {}}, pools=pools)
    plan = factories.planned(values).workloads[0]
    assert plan.alerts is not None and plan.lifecycle.start.total is not None
    minutes = int(by_name(plan.alerts)["missing"].hold.removesuffix("m"))
    assert minutes * 60 >= max(600, 2 * plan.lifecycle.start.total * in_turn)
    assert minutes * 60 < max(600, 2 * plan.lifecycle.start.total * in_turn) + 60


@pytest.mark.parametrize(("nodes", "waits"), [(1, True), (2, False)])
def test_an_update_that_takes_the_one_pod_away_calls_nobody(nodes: int, waits: bool) -> None:
    pools = {"l4": {"machineType": "g2-standard-8", "maxNodes": nodes}}
    values = factories.serving({"chat": factories.workload()}, monitoring={"alerts": {}}, pools=pools)
    plan = factories.planned(values).workloads[0]
    assert plan.alerts is not None and plan.lifecycle.start.total is not None
    hold = int(by_name(plan.alerts)["not-serving"].hold.removesuffix("m"))
    assert hold * 60 >= 2 * plan.lifecycle.start.total if waits else hold == 10


def test_what_clients_do_wrong_uses_up_no_budget_of_errors() -> None:
    share = by_name(alerts(engine=TGI))["errors-fast-burn"].expr
    assert "tgi_request_failure{" in share and 'err!~"validation|template|dropped"' in share
    assert "tgi_request_success" not in share


@pytest.mark.parametrize("runbook", ["not a url", "docs/runbook.md", "ftp://x/y", ""])
def test_a_runbook_that_is_no_address_is_refused(runbook: str) -> None:
    with pytest.raises(ValueError, match=r"monitoring\.alerts\.runbook"):
        alerts({"runbook": runbook})


def test_a_runbook_with_a_section_of_its_own_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"write it as https://wiki\.example\.com/llm\n?$"):
        alerts({"runbook": "https://wiki.example.com/llm#top"})
    (queue,) = [rule for rule in alerts({"runbook": "https://wiki.example.com/llm"}).rules if rule.name == "queue"]
    assert queue.runbook == "https://wiki.example.com/llm#queue"


def test_a_runbook_without_an_address_is_told() -> None:
    def told(config: dict[str, Any]) -> list[str]:
        plan = factories.planned(factories.serving(monitoring={"alerts": config}))
        return [note.path for note in plan.notes if note.id == "runbook-without-address"]

    assert told({}) == ["workloads.qwen"]
    assert told({"runbook": "https://wiki.example.com/r"}) == []


def test_no_alerts_unless_asked() -> None:
    assert factories.planned(factories.serving()).workloads[0].alerts is None
