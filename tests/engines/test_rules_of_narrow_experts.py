"""Formats of 4 bits whose kernels few cards have: NVFP4 on workstation Blackwell, W4A8, experts by bitsandbytes."""

import pytest

from l4serve.engines.traits import GpuTraits, ModelTraits
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.workload.judgement.model_traits import model_traits
from tests.engines.rule_cases import A100, H100, L4, QWEN, RTX_PRO, T4, errors, like

B200 = GpuTraits("NVIDIA B200", (10, 0))
FP4 = like(QWEN, quantization_method="modelopt_fp4", quantization_bits=4.0)
PACKED_FP4 = like(QWEN, quantization_method="compressed-tensors", quantization_bits=4.0, quantization_floats=True)
W4A8 = like(
    QWEN,
    quantization_method="compressed-tensors",
    quantization_bits=4.0,
    quantization_floats=False,
    quantization_activation_bits=8,
)
W4A16 = like(W4A8, quantization_activation_bits=None)


def experts(model: ModelTraits) -> ModelTraits:
    return like(model, architecture="Qwen3MoeForCausalLM", expert_intermediate_size=768)


def of(rules: set[str], word: str) -> bool:
    return any(word in rule for rule in rules)


@pytest.mark.parametrize("model", [FP4, PACKED_FP4, ModelTraits(id="nvidia/Qwen3-30B-A3B-NVFP4")])
@pytest.mark.parametrize(
    ("version", "refused"), [("0.10.1", True), ("0.10.2", True), ("0.11.2", True), ("0.12.0", False)]
)
def test_experts_in_nvfp4_need_a_kernel_of_their_card(model: ModelTraits, version: str, *, refused: bool) -> None:
    asked = experts(model) if model.described else model
    assert of(errors("vllm", version, asked, gpu=RTX_PRO), "workstation-blackwell") is refused
    assert not of(errors("vllm", version, asked, gpu=B200), "workstation-blackwell")


@pytest.mark.parametrize(("version", "refused"), [("0.9.2", True), ("0.10.1.1", True), ("0.10.2", False)])
def test_other_layers_in_nvfp4_have_one_sooner(version: str, *, refused: bool) -> None:
    assert of(errors("vllm", version, FP4, gpu=RTX_PRO), "workstation-blackwell") is refused


@pytest.mark.parametrize("gpu", [A100, L4, RTX_PRO, T4])
@pytest.mark.parametrize("version", ["0.8.5", "0.13.0", "0.33.0"])
def test_inputs_of_8_bits_for_weights_of_4_need_hopper(gpu: GpuTraits, version: str) -> None:
    for model in (W4A8, experts(W4A8), ModelTraits(id="czhu-cohere/Qwen3-30B-A3B-quantized.w4a8")):
        assert "vllm-w4a8-without-kernel" in errors("vllm", version, model, gpu=gpu)
    assert not of(errors("vllm", version, W4A16, gpu=gpu), "w4a8")


@pytest.mark.parametrize(
    ("version", "dense", "mixed"), [("0.10.1", True, True), ("0.10.2", False, True), ("0.13.0", False, False)]
)
def test_on_hopper_layers_and_experts_have_their_kernel_from_a_release_on(
    version: str, *, dense: bool, mixed: bool
) -> None:
    assert of(errors("vllm", version, W4A8, gpu=H100), "w4a8") is dense
    assert of(errors("vllm", version, experts(W4A8), gpu=H100), "w4a8") is mixed


@pytest.mark.parametrize("model_id", ["unsloth/gpt-oss-20b-unsloth-bnb-4bit", "unsloth/gpt-oss-120b-bnb-4bit"])
def test_no_release_loads_gpt_oss_by_bitsandbytes(model_id: str) -> None:
    for version, gpu in (("0.10.1", T4), ("0.11.0", L4), ("0.26.0", T4)):
        assert "vllm-gpt-oss-by-bitsandbytes" in errors("vllm", version, model_traits(None, model_id), gpu=gpu)
    assert not errors("vllm", "0.26.0", model_traits(None, "acme/gpt-oss-20b-tuned"))


@pytest.mark.parametrize(
    "model_id",
    ["Qwen/Qwen3-VL-30B-A3B-Instruct", "Qwen/Qwen3.5-35B-A3B", "meta-llama/Llama-4-Scout-17B-16E-Instruct"],
)
def test_bitsandbytes_packs_no_experts_that_lie_in_one_tensor(model_id: str) -> None:
    rule = "vllm-experts-in-one-tensor-by-bitsandbytes"
    model = model_traits(find_model(model_id), model_id)
    for version in ("0.17.0", "0.26.0"):
        assert rule in errors("vllm", version, model, gpu=A100, quantization="bitsandbytes")
        assert rule not in errors("vllm", version, model, gpu=A100)
        apart = model_traits(find_model("Qwen/Qwen3-30B-A3B"), "Qwen/Qwen3-30B-A3B")
        assert rule not in errors("vllm", version, apart, gpu=A100, quantization="bitsandbytes")
