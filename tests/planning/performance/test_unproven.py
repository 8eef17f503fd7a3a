"""Cases that no point supports: a wider bound and a note, or no figures."""

from typing import Any

import pytest

from l4serve.engines.rules import rules
from l4serve.planning.memory.options import GraphOptions, LoraOptions
from l4serve.planning.performance.kernel_rates import kernel_rates
from l4serve.planning.performance.load import Load
from l4serve.planning.performance.prefixes import OFTEN
from l4serve.planning.performance.speed import Speed, speed_of, step_clock
from l4serve.planning.performance.unproven import SEEN, telling_rules, unproven_cases
from tests import factories
from tests.planning.performance.engines import served

CHAT = Load(input_tokens=512, output_tokens=128, clients=1)
H100 = {"gpu": "nvidia-h100-80gb"}
SMALL = "Qwen/Qwen2.5-0.5B-Instruct"


def speed(model: str = SMALL, **options: Any) -> Speed:
    return speed_of(served(model, **options), CHAT)


def planned(engine: dict[str, Any] | None = None, **workload: Any) -> Speed:
    stack = factories.serving({"w": factories.workload(SMALL, engine=engine, **workload)})
    return factories.planned(stack).workloads[0].prospect.one_user.speed


def test_each_case_is_found_by_a_setting_or_by_a_rule_of_a_contract() -> None:
    known = {rule.id for rule in rules()}
    assert telling_rules() <= known
    assert {name for name, case in unproven_cases().items() if case.rule is None} == set(SEEN)


@pytest.mark.parametrize(
    ("model", "options", "said"),
    [
        ("Qwen/Qwen3-30B-A3B-GPTQ-Int4", H100, "mixture of experts"),
        ("deepseek-ai/DeepSeek-V2-Lite", H100, "latent attention"),
        (SMALL, {"lora": LoraOptions()}, "name an adapter each"),
    ],
)
def test_what_no_point_supports_has_a_wider_bound_and_says_so(model: str, options: dict[str, Any], said: str) -> None:
    plain = speed("Qwen/Qwen2.5-7B-Instruct", **{k: v for k, v in options.items() if k == "gpu"})
    found = speed(model, **options)
    assert any(said in told for told in found.assumed), found
    assert found.bound.token.more >= plain.bound.token.more + 0.15
    assert found.bound.rate.less > plain.bound.rate.less
    assert plain.assumed == (OFTEN,)


def test_adapters_take_time_by_their_number_and_rank() -> None:
    """Measured on an H100 with Qwen2.5 7B: 6.0 ms a token without, 7.7 with one adapter of rank 16 under eight clients,
    8.3 with one of rank 64, 8.9 with four of rank 16, 10.1 with four of rank 64."""
    kinds = (1, 16), (1, 64), (4, 16), (4, 64)
    asked = (None, *(LoraOptions(max_loras=count, max_lora_rank=rank) for count, rank in kinds))
    engines = (served("Qwen/Qwen2.5-7B-Instruct", lora=lora, **H100) for lora in asked)
    found = [1000 * step_clock(engine, kernel_rates()).decoding(8, 576) for engine in engines]
    assert [round(itl - found[0], 1) for itl in found[1:]] == pytest.approx([1.3, 1.9, 2.5, 3.7], abs=0.7)
    assert found == sorted(found)


def test_adapters_of_an_old_engine_may_make_half_the_tokens() -> None:
    old, new = (speed(lora=LoraOptions(), engine_version=version) for version in ("0.7.3", "0.26.0"))
    assert old.figures.output_tokens_per_second is not None
    assert old.low.output_tokens_per_second == pytest.approx(old.figures.output_tokens_per_second / 2)
    assert new.bound.rate.less < 0.5


def test_graphs_that_leave_attention_out_take_the_host_s_time_for_each_layer() -> None:
    """Measured on an H100: 12.6 ms a token of Qwen2.5 7B in place of 6.0."""
    model = "Qwen/Qwen2.5-7B-Instruct"
    full, without = (speed(model, graphs=GraphOptions(piecewise=left), **H100) for left in (False, True))
    assert without.figures.itl_ms == pytest.approx(12.6 / 6.0 * full.figures.itl_ms, rel=0.1)
    assert without.low.itl_ms < 8.4 < 19.6 < without.high.itl_ms


def test_an_old_engine_s_fp8_cache_is_judged_with_a_wider_bound() -> None:
    old, new = (planned({"version": version, "kvCacheDtype": "fp8"}) for version in ("0.10.0", "0.26.0"))
    assert old.judged
    assert any("V0 engine" in told for told in old.assumed)
    assert old.bound.token.more > new.bound.token.more


@pytest.mark.parametrize(
    ("engine", "workload"),
    [
        ({"compilationConfig": {"cudagraph_mode": "NONE"}}, {}),
        ({"compilationConfig": {"max_cudagraph_capture_size": 0}}, {}),
        ({"compilationConfig": {"mode": "NONE"}}, {}),
        ({}, {"extraArgs": ["-cc.cudagraph_mode=NONE"]}),
        ({}, {"extraArgs": ["-O0"]}),
        ({}, {"extraArgs": ["--optimization-level", "0"]}),
    ],
)
def test_graphs_that_are_off_are_eager_however_it_is_said(engine: dict[str, Any], workload: dict[str, Any]) -> None:
    eager, off = planned({"enforceEager": True}), planned(engine, **workload)
    assert off.figures.itl_ms == pytest.approx(eager.figures.itl_ms)
    assert off.bound == eager.bound
    assert off.figures.itl_ms != planned().figures.itl_ms


@pytest.mark.parametrize("workload", [{"extraArgs": ["--enable-dbo"]}, {"engine": {"compilationConfig": {"mode": 1}}}])
def test_what_moves_memory_unknown_is_not_judged(workload: dict[str, Any]) -> None:
    assert planned(**workload).not_judged


@pytest.mark.parametrize(
    ("model", "options", "reason"),
    [
        (SMALL, {"dtype": "float32"}, "float32"),
        (
            "Qwen/Qwen3-30B-A3B-GPTQ-Int4",
            {**H100, "tensor_parallel_size": 2, "expert_parallel": True},
            "experts that each lie on one card",
        ),
    ],
)
def test_what_nobody_measured_is_not_judged(model: str, options: dict[str, Any], reason: str) -> None:
    found = speed(model, **options)
    assert not found.judged
    assert reason in found.not_judged[0]


def test_experts_on_one_card_are_whole_anyway() -> None:
    assert speed("Qwen/Qwen3-30B-A3B-GPTQ-Int4", **H100, expert_parallel=True).judged


def test_a_flag_spreads_experts() -> None:
    stack = factories.serving(
        {"w": {
            "model": {"id": "mistralai/Mixtral-8x7B-Instruct-v0.1"}, "gpus": 8,
            "engine": {"kind": "vllm", "version": "0.26.0", "tensorParallelSize": 8, "maxModelLen": 4096},
            "extraArgs": ["--enable-expert-parallel"], "nodePool": "big",
        }},
        pools={"big": {"machineType": "g2-standard-96", "maxNodes": 1}},
    )  # fmt: skip
    found = factories.planned(stack).workloads[0].prospect.one_user.speed
    assert "experts that each lie on one card" in found.not_judged[0]


@pytest.mark.parametrize(
    ("options", "noted"),
    [({}, True), ({"language_model_only": True}, False), ({"multimodal_limits": {"image": 0, "video": 0}}, False)],
)
def test_first_tokens_of_a_model_that_sees_are_said_to_be_of_text(options: dict[str, Any], noted: bool) -> None:
    found = speed("Qwen/Qwen2.5-VL-7B-Instruct", **options)
    assert any("of text alone" in told for told in found.assumed) == noted


def test_stated_weights_are_said_to_count_in_memory_alone() -> None:
    stated, plain = speed(weights_gib=2.0), speed()
    assert stated.figures.itl_ms == plain.figures.itl_ms
    assert any("in memory alone" in told for told in stated.assumed)
