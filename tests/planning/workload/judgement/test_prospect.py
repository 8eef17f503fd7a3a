"""The speed that a plan shows of each workload: at the lengths that the workload expects, for one user and for all."""

from typing import Any

import pytest

from l4serve.planning.performance.load import Load, spread_as_asked
from l4serve.planning.stack.plan_json import stack_json
from l4serve.planning.workload.judgement.prospect import Prospect
from l4serve.planning.workload.judgement.speed_question import subject_speed
from tests import factories


def prospect(**workload: Any) -> Prospect:
    return factories.planned(serving(**workload)).workloads[0].prospect


def serving(**workload: Any) -> dict[str, Any]:
    engine = {"kind": "vllm", "version": "0.26.0", "maxModelLen": 4096, **workload.pop("engine", {})}
    return {
        "cluster": {"mode": "standard", "name": "c", "location": "us-central1-a"},
        "nodePools": {"l4": {"machineType": "g2-standard-8", "minNodes": 1, "maxNodes": 1}},
        "workloads": {"w": {"model": {"id": "Qwen/Qwen2.5-1.5B-Instruct"}, "engine": engine, **workload}},
    }


def test_one_user_is_quicker_and_a_full_batch_is_cheaper() -> None:
    found = prospect()
    one, full = found.one_user, found.full_batch
    assert one.speed.figures.itl_ms < full.speed.figures.itl_ms
    costs = [p.usd_per_million(p.speed.figures.output_tokens_per_second) for p in (one, full)]
    assert costs[0] > costs[1] > 0


def test_the_lengths_are_the_workload_s_own() -> None:
    usual, long = prospect(), prospect(load={"inputTokens": 2048})
    assert (usual.load.input_tokens, usual.load.output_tokens) == (512, 256)
    assert long.one_user.speed.figures.ttft_ms > 2 * usual.one_user.speed.figures.ttft_ms


def test_as_many_users_as_the_cache_and_the_limit_hold() -> None:
    assert prospect(engine={"maxNumSeqs": 8}).places == 8
    few = prospect(load={"inputTokens": 3000, "outputTokens": 1000}).places
    assert 8 < few < prospect().places


def test_a_full_batch_of_a_crowd_is_the_load_of_an_estimate() -> None:
    """An estimate of so many clients has lengths that vary, on whatever engine."""
    found = prospect(engine={"maxNumSeqs": 400}, load={"inputTokens": 64, "outputTokens": 64})
    assert found.places == 400
    load = spread_as_asked(Load(input_tokens=64, output_tokens=64, clients=400), None)
    assert load.crowd > 0
    assert found.load_of(400) == load
    assert found.full_batch.speed.figures == subject_speed(found.subject, found.judgement, load).figures
    assert any("crowd" in said for said in found.full_batch.speed.assumed)


def test_the_price_is_that_of_the_pod_s_node() -> None:
    found = prospect().one_user
    assert found.price is not None
    assert found.usd_per_hour == found.price.usd_per_hour


@pytest.mark.parametrize(
    ("model", "engine", "reason"),
    [
        (
            "Qwen/Qwen2.5-7B-Instruct-AWQ",
            {"version": "0.10.0", "quantization": "awq"},
            "nobody measured the AWQ kernel",
        ),
        ("Qwen/Qwen2.5-7B-Instruct-AWQ", {"version": "0.10.0", "quantization": "awq_marlin"}, None),
        ("Qwen/Qwen2.5-7B-Instruct-AWQ", {"version": "0.10.0"}, None),
        ("Qwen/Qwen2.5-7B-Instruct-AWQ", {"version": "0.26.0", "quantization": "awq"}, None),
        ("Qwen/Qwen2.5-1.5B-Instruct", {"version": "0.10.0", "kvCacheDtype": "fp8"}, None),
        ("Qwen/Qwen2.5-1.5B-Instruct", {"version": "0.26.0", "kvCacheDtype": "fp8"}, None),
    ],
)
def test_what_a_rule_calls_slower_and_nobody_measured_is_not_judged(
    model: str, engine: dict[str, str], reason: str | None
) -> None:
    speed = prospect(model={"id": model}, engine=engine).one_user.speed
    assert speed.judged == (reason is None)
    assert reason is None or reason in speed.not_judged[0]


def test_the_json_has_both_loads_with_the_keys_of_an_estimate() -> None:
    speed = stack_json(factories.planned(serving()))["workloads"]["w"]["speed"]
    assert speed["load"] == {"inputTokens": 512, "outputTokens": 256}
    for load in ("oneUser", "fullBatch"):
        assert {"concurrency", "ttftMs", "itlMs", "outputTokensPerSecond", "usdPerMillionOutputTokens"} <= set(
            speed[load]
        )
