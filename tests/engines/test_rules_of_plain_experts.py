"""The plain kernels of AWQ and GPTQ take no experts in the releases that gave them none, asked for or left."""

import pytest

from l4serve.engines.traits import GpuTraits
from tests.engines.rule_cases import A100, L4, QWEN, T4, errors, like

AWQ = like(
    QWEN,
    architecture="Qwen3MoeForCausalLM",
    num_attention_heads=32,
    hidden_size=2048,
    dtype="float16",
    expert_intermediate_size=768,
    quantization_method="awq",
    quantization_bits=4.0,
    quantization_group=128,
)
GPTQ = like(AWQ, quantization_method="gptq", quantization_symmetric=True)
BY_AWQ, BY_GPTQ, NO_MARLIN = (
    "vllm-experts-by-plain-awq",
    "vllm-experts-by-plain-gptq",
    "vllm-awq-experts-without-marlin",
)


@pytest.mark.parametrize("gpu", [L4, A100])
@pytest.mark.parametrize(
    ("version", "of_awq", "of_gptq"),
    [("0.8.5.post1", True, True), ("0.9.1", True, True), ("0.9.2", False, True), ("0.10.1", False, False)],
)
def test_a_method_that_is_asked_for(version: str, gpu: GpuTraits, *, of_awq: bool, of_gptq: bool) -> None:
    assert (BY_AWQ in errors("vllm", version, AWQ, gpu=gpu, quantization="awq")) is of_awq
    assert (BY_GPTQ in errors("vllm", version, GPTQ, gpu=gpu, quantization="gptq")) is of_gptq
    for model in (AWQ, GPTQ):
        for settings in ({}, {"quantization": "moe_wna16"}):
            assert not {BY_AWQ, BY_GPTQ, NO_MARLIN} & errors("vllm", version, model, gpu=gpu, **settings)


@pytest.mark.parametrize(
    ("version", "told"),
    [("0.8.4", BY_AWQ), ("0.9.1", BY_AWQ), ("0.9.2", NO_MARLIN), ("0.13.0", NO_MARLIN), ("0.14.0", None)],
)
def test_a_card_without_marlin(version: str, told: str | None) -> None:
    rules = {BY_AWQ, NO_MARLIN}
    assert rules & errors("vllm", version, AWQ, gpu=T4) == {told} - {None}
    assert rules & errors("vllm", version, AWQ, gpu=T4, quantization="awq") == {told} - {None}
    assert not rules & errors("vllm", version, AWQ, gpu=T4, quantization="moe_wna16")
    assert (BY_GPTQ in errors("vllm", version, GPTQ, gpu=T4)) is (version in {"0.8.4", "0.9.1", "0.9.2"})


def test_parts_too_small_for_marlin_go_to_the_other_kernel() -> None:
    assert NO_MARLIN in errors("vllm", "0.13.0", AWQ, gpu=T4, tp=2)
    assert NO_MARLIN not in errors("vllm", "0.13.0", AWQ, gpu=T4, tp=4)


@pytest.mark.parametrize("model", [AWQ, GPTQ])
def test_other_models_have_a_class_or_layers_of_their_own(model: object) -> None:
    method = model.quantization_method  # type: ignore[attr-defined]
    for kept in ({"architecture": "MixtralForCausalLM"}, {"expert_intermediate_size": None}):
        told = errors("vllm", "0.9.1", like(model, **kept), gpu=T4, quantization=method)  # type: ignore[arg-type]
        assert not {BY_AWQ, BY_GPTQ} & told


@pytest.mark.parametrize("gpu", [L4, A100])
@pytest.mark.parametrize(("version", "refused"), [("0.8.5", True), ("0.8.5.post1", True), ("0.9.0", False)])
def test_one_release_ends_where_marlin_multiplies_gptq_experts(version: str, gpu: GpuTraits, *, refused: bool) -> None:
    rule = "vllm-gptq-experts-by-marlin"
    for asked in ({}, {"quantization": "gptq_marlin"}):
        assert (rule in errors("vllm", version, GPTQ, gpu=gpu, **asked)) is refused
        assert rule not in errors("vllm", version, AWQ, gpu=gpu)
    assert rule not in errors("vllm", version, GPTQ, gpu=gpu, quantization="moe_wna16")
    assert rule not in errors("vllm", version, GPTQ, gpu=T4)
