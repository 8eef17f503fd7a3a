"""Whom a stack's alerts reach, as its cluster has it; the doctor reads no Secret for that."""

from typing import Any

import pytest
from kubernetes.client import ApiClient, Configuration

from l4serve.verification.doctor_alerts import alert_findings
from l4serve.verification.doctor_finding import Finding
from tests import factories
from tests.verification.google_stand_in import google

SECRET = "/api/v1/namespaces/gmp-public/secrets/alertmanager"
OPERATOR = "/apis/monitoring.googleapis.com/v1/namespaces/gmp-public/operatorconfigs/config"


def found(documents: dict[str, Any], alerts: dict[str, Any] | None = None) -> list[Finding]:
    plan = factories.planned(factories.serving(monitoring={"alerts": {} if alerts is None else alerts}))
    with google(documents) as apis:
        configuration = Configuration()
        configuration.host = apis.roots["compute"].removesuffix("/compute")
        with ApiClient(configuration) as client:
            return list(alert_findings(plan, client))


def test_without_the_secret_nobody_is_told() -> None:
    (finding,) = found({OPERATOR: {"managedAlertmanager": {}}})
    assert finding.verdict == "bad"
    assert finding.remedy.startswith("kubectl -n gmp-public create secret generic alertmanager --from-file=")


@pytest.mark.parametrize(
    "documents",
    [
        {SECRET: {"metadata": {"name": "alertmanager"}}},
        {OPERATOR: {"managedAlertmanager": {"configSecret": {"name": "mine", "key": "a.yaml"}}}},
        {OPERATOR: {"rules": {"alerting": {"alertmanagers": [{"name": "alertmanager", "namespace": "mon"}]}}}},
    ],
    ids=["secret", "secret of another name", "alertmanager of one's own"],
)
def test_whoever_is_named_is_told(documents: dict[str, Any]) -> None:
    assert [each.verdict for each in found(documents)] == ["ok"]


def test_policies_need_no_alertmanager() -> None:
    assert found({}, {"via": "policies"}) == []


def test_a_cluster_that_does_not_answer_is_no_fault_of_the_stack() -> None:
    plan = factories.planned(factories.serving(monitoring={"alerts": {}}))
    configuration = Configuration()
    configuration.host, configuration.retries = "http://127.0.0.1:9", False
    with ApiClient(configuration) as client:
        (finding,) = alert_findings(plan, client)
    assert finding.verdict == "unknown"
