"""What the guide's checklist once denied though it gains: settings that stand in the way, and figures that cancel."""

from typing import Any

import pytest

from l4serve.advising.checklist import Item, checklist
from tests import factories
from tests.advising.test_offered_edits import offered, trial_of
from tests.stack_cases import ROOT

QWEN = {"model": {"id": "Qwen/Qwen2.5-7B-Instruct"}, "engine": {"kind": "vllm", "version": "0.26.0"}}


def items(location: str = "us-central1-a", **workload: Any) -> dict[str, Item]:
    plan = factories.planned(
        {
            "cluster": {"mode": "standard", "name": "c", "location": location},
            "nodePools": {"l4": {"machineType": "g2-standard-8", "minNodes": 1, "maxNodes": 4}},
            "workloads": {"w": {**QWEN, **workload}},
        }
    )
    return {item.id: item for item in checklist(plan.workloads[0])}


@pytest.mark.parametrize("item", ["latency-quantization", "throughput-batching", "cost-quantization"])
def test_a_cache_that_the_release_refuses_beside_8_bit_weights_becomes_a_plain_one(item: str) -> None:
    found = offered(trial_of(ROOT / "Pulumi.guide.yaml"))["vllm-7b-kvcache", item]
    assert found.status == "gains"
    assert found.edit == {"engine.quantization": "fp8", "engine.kvCacheDtype": "auto"}
    assert "no fp8_e5m2 cache is taken beside 8-bit weights" in found.text


def test_a_cache_that_is_taken_beside_8_bit_weights_stays() -> None:
    found = items(engine={"kind": "vllm", "version": "0.26.0", "kvCacheDtype": "fp8"})["latency-quantization"]
    assert found.edit == {"engine.quantization": "fp8"}
    assert "plain" not in found.text


def test_an_autoscaler_of_one_pod_may_make_two() -> None:
    found = items(autoscaling={"maxReplicas": 1, "metric": "queue"})["throughput-replicas"]
    assert (found.status, found.edit, found.gain) == ("gains", {"autoscaling.maxReplicas": 2}, 1.0)
    assert items(autoscaling={"maxReplicas": 2, "metric": "queue"})["throughput-replicas"].status == "applied"


def test_the_price_cancels_where_cards_and_machine_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    priced = items()
    monkeypatch.setattr("l4serve.planning.workload.judgement.speed_question.Priced.usd_per_hour", None)
    unpriced = items()
    for item in ("cost-quantization", "cost-model"):
        assert unpriced[item].status == "gains"
        assert unpriced[item].gain == pytest.approx(priced[item].gain)
