"""Alerts from the metrics of each release, with thresholds from the objectives, each with a section of the runbook."""

import re
from typing import Any

import pytest

from l4serve.config.problems import ConfigError
from l4serve.engines.contract import contract_versions, load_contract
from l4serve.engines.profile import engine_kinds
from l4serve.planning.workload.alerting import AlertPlan, AlertsPlan, sections
from tests import factories
from tests.stack_cases import ROOT

RELEASES = [(kind, version) for kind in engine_kinds() for version in contract_versions(kind)[::6]]
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
    assert {rule.runbook.partition("#")[2] for rule in rules} >= {"inter-token", "errors", "queue", "restarts"}
    for rule in rules:
        for metric in re.findall(r"(?:vllm:|tgi_)\w+", rule.expr):
            assert re.sub(r"_(bucket|count)$", "", metric) in contract.metrics or metric in contract.metrics
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

    (note,) = told(engine=TGI)
    assert note.endswith("first tokens come later than 2.5 s: tgi-3.3.7 counts none of them")
    assert told() == told(engine=TGI, objectives={"queue": 3}) == []
    with pytest.raises(ConfigError, match=r"chat\.objectives\.firstTokenSeconds: tgi-3\.3\.7 shows no metric of it"):
        told(engine=TGI, objectives={"firstTokenSeconds": 1})


def test_thresholds_follow_the_workload_before_the_stack() -> None:
    objectives = {"queue": 17, "interTokenSeconds": 0.3}
    found = by_name(alerts({"objectives": {"queue": 3}}, objectives=objectives))
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
    assert {rule.runbook.partition("#")[2] for rule in alerts().rules} == set(sections())


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


def test_no_alerts_unless_asked() -> None:
    assert factories.planned(factories.serving()).workloads[0].alerts is None
