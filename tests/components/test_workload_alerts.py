"""Alerts as rules of Managed Service for Prometheus, and as policies of Cloud Monitoring."""

from typing import Any

from components.workload_alerts import WorkloadAlerts, WorkloadAlertsArgs
from tests import factories
from tests.components.recorder import Recorded, record


def made(config: dict[str, Any]) -> list[Recorded]:
    plan = factories.planned(factories.serving(monitoring={"alerts": config})).workloads[0]

    def program() -> None:
        assert plan.alerts is not None
        WorkloadAlerts("qwen-alerts", WorkloadAlertsArgs(plan=plan, alerts=plan.alerts, project="my-project"))

    return [each for each in record(program) if each.custom]


def test_rules_are_one_object_with_one_group() -> None:
    (rules,) = made({})
    assert rules.type == "kubernetes:monitoring.googleapis.com/v1:Rules"
    (group,) = rules.inputs["spec"]["groups"]
    first = group["rules"][0]
    assert (first["alert"], first["for"], first["labels"]) == ("FirstTokenFastBurn", "2m", {"severity": "critical"})
    assert first["annotations"] == {
        "summary": first["annotations"]["summary"],
        "runbook": "docs/runbook.md#first-token",
    }
    (linked,) = made({"runbook": "https://wiki.example.com/r"})
    annotations = linked.inputs["spec"]["groups"][0]["rules"][0]["annotations"]
    assert annotations["runbook_url"] == "https://wiki.example.com/r#first-token"


def test_policies_are_one_for_each_alert_with_channels_and_runbook() -> None:
    channel = "projects/my-project/notificationChannels/1"
    policies = made({"via": "policies", "notificationChannels": [channel], "runbook": "https://wiki.example.com/r"})
    assert len(policies) > 10
    queue = next(each for each in policies if each.name == "qwen-alerts-queue").inputs
    (condition,) = queue["conditions"]
    query = condition["conditionPrometheusQueryLanguage"]
    assert (query["duration"], query["alertRule"]) == ("600s", "Queue")
    assert 'cluster="llm"' in query["query"]
    assert query["disableMetricValidation"] is True, "no pod has shown the metric at the first update"
    assert queue["notificationChannels"] == [channel]
    assert "https://wiki.example.com/r#queue" in queue["documentation"]["content"]
    assert queue["severity"] == "WARNING"
