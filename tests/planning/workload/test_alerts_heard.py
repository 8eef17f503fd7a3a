"""Alerts that reach somebody and mean what they say: whom they tell, what a release counts, what a model does."""

from typing import Any

import pytest

from l4serve.config.refusals.problems import ConfigError
from l4serve.planning.workload.alerting import AlertPlan
from tests import factories

TGI = {"kind": "tgi", "version": "3.3.7", "maxModelLen": None, "maxTotalTokens": 4096}
CHANNEL = "projects/my-project/notificationChannels/1"
EMBEDDING = "Qwen/Qwen3-Embedding-0.6B"


def plan_of(config: Any = None, **fields: Any) -> Any:
    values = {"chat": factories.workload(**fields)}
    return factories.planned(factories.serving(values, monitoring={"alerts": config or {}}))


def rules(**fields: Any) -> dict[str, AlertPlan]:
    found = plan_of(**fields).workloads[0].alerts
    return {alert.name: alert for alert in found.rules}


def unheard(config: dict[str, Any], **fields: Any) -> list[tuple[str, str]]:
    return [(n.level, n.text) for n in plan_of(config, **fields).notes if n.id == "alerts-unheard"]


def test_rules_reach_nobody_until_the_alertmanager_knows_whom() -> None:
    ((level, text),) = unheard({"runbook": "https://wiki.example.com/r"})
    assert level == "will fail"
    assert "Secret gmp-public/alertmanager" in text and "alertmanager.yaml" in text


def test_policies_without_channels_reach_nobody() -> None:
    ((_, text),) = unheard({"via": "policies"})
    assert "notificationChannels" in text
    assert unheard({"via": "policies", "notificationChannels": [CHANNEL]}) == []
    assert unheard({}, replicas=0) == [], "there is no alert that anybody could miss"


@pytest.mark.parametrize(
    ("version", "severities"),
    [
        ("0.8.4", set()),
        ("0.8.5", {"critical", "warning"}),
        ("0.17.1", {"critical", "warning"}),
        ("0.18.0", {"warning"}),
        ("0.25.1", {"warning"}),
        ("0.26.0", {"critical", "warning"}),
    ],
)
def test_nobody_is_woken_for_what_clients_got_wrong(version: str, severities: set[str]) -> None:
    engine = {"version": version}
    found = {rule.severity for name, rule in rules(engine=engine).items() if name.startswith("errors-")}
    notes = plan_of(engine=engine).notes
    told = [note.id for note in notes]
    assert found == severities
    assert any("more than 1 % of the requests fail" in note.text for note in notes) is (not severities)
    assert ("alerts-of-clients" in told) is (severities == {"warning"})
    assert ("promise-without-metric" in told) is (not severities)


def test_a_share_of_errors_that_the_release_does_not_count_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"chat\.objectives\.errors: vllm-0\.8\.4 shows no metric of it"):
        rules(engine={"version": "0.8.4"}, objectives={"errors": 0.02})


def test_a_model_that_pools_has_the_alerts_that_can_be_raised() -> None:
    fields: dict[str, Any] = {"model": EMBEDDING, "extraArgs": ["--runner=pooling"]}
    pools = rules(**fields)
    assert {"first-token-fast-burn", "restarts", "idle"} <= set(pools)
    assert not [name for name in pools if name.startswith("inter-token")]
    assert "vllm:prompt_tokens_total" in pools["restarts"].expr
    with pytest.raises(ConfigError, match=r"objectives\.interTokenSeconds: a model that serves embed answers at once"):
        rules(**fields, objectives={"interTokenSeconds": 0.2})


def test_idle_counts_requests_that_ended_and_needs_a_pod() -> None:
    expr = rules()["idle"].expr
    labels = '{cluster="llm", namespace="llm-serving", job="chat"}'
    assert f"sum(increase(vllm:request_success_total{labels}[2h]))" in expr
    assert expr.endswith(f"count(up{labels} == 1) > 0")
    assert "sum(increase(tgi_request_success{" in rules(engine=TGI)["idle"].expr


@pytest.mark.parametrize("engine", [None, TGI])
def test_a_pod_that_nobody_asked_anything_yet_serves(engine: dict[str, Any] | None) -> None:
    """TGI shows the size of its batch only once there was one."""
    assert rules(engine=engine)["not-serving"].expr == (
        'absent(up{cluster="llm", namespace="llm-serving", job="chat"} == 1)'
    )
