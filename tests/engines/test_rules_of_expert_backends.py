"""`--moe-backend`: refused where the release has no kernel of that name for the format or the card."""

import pytest

from l4serve.engines.traits import GpuTraits, ModelTraits
from tests.engines.rule_cases import A100, H100, L4, QWEN, errors, like

PLAIN = like(QWEN, architecture="Qwen3MoeForCausalLM", intermediate_size=6144, expert_intermediate_size=768)
FP8 = like(PLAIN, quantization_method="fp8", quantization_bits=8, quantization_group=128 * 128)
MXFP4 = like(PLAIN, architecture="GptOssForCausalLM", quantization_method="mxfp4", quantization_bits=4)
GPTQ = like(PLAIN, quantization_method="gptq", quantization_bits=4, quantization_group=128)
FORMAT, INTEGERS, CARD, NO_MXFP4, MXFP4_CARD = (
    f"vllm-experts-backend-of-{what}"
    for what in ("another-format", "no-integers", "another-card", "no-mxfp4", "mxfp4-on-another-card")
)


@pytest.mark.parametrize(
    ("version", "model", "gpu", "backend", "rule"),
    [
        ("0.26.0", PLAIN, H100, "marlin", FORMAT),
        ("0.19.1", PLAIN, H100, "deep_gemm", FORMAT),
        ("0.26.0", PLAIN, H100, "triton", None),
        ("0.26.0", QWEN, H100, "marlin", None),
        ("0.26.0", GPTQ, H100, "deep_gemm", INTEGERS),
        ("0.26.0", GPTQ, H100, "marlin", None),
        ("0.22.1", GPTQ, H100, "deep_gemm", None),
        ("0.26.0", FP8, L4, "deep_gemm", CARD),
        ("0.26.0", FP8, H100, "deep_gemm", None),
        ("0.26.0", FP8, H100, "flashinfer_trtllm", CARD),
        ("0.26.0", FP8, H100, "aiter", CARD),
        ("0.26.0", FP8, L4, "marlin", None),
        ("0.26.0", MXFP4, H100, "cutlass", NO_MXFP4),
        ("0.26.0", MXFP4, H100, "flashinfer_cutlass", None),
        ("0.26.0", MXFP4, A100, "flashinfer_cutlass", MXFP4_CARD),
        ("0.26.0", MXFP4, H100, "deep_gemm", MXFP4_CARD),
        ("0.26.0", MXFP4, L4, "triton", MXFP4_CARD),
        ("0.26.0", MXFP4, H100, "triton", None),
        ("0.26.0", MXFP4, L4, "marlin", None),
        ("0.18.0", MXFP4, H100, "cutlass", None),
    ],
)
def test_a_backend_of_experts(version: str, model: ModelTraits, gpu: GpuTraits, backend: str, rule: str | None) -> None:
    found = errors("vllm", version, model, gpu=gpu, extra_args=("--moe-backend", backend))
    assert found & {FORMAT, INTEGERS, CARD, NO_MXFP4, MXFP4_CARD} == ({rule} if rule else set())


NEMOTRON = like(PLAIN, architecture="NemotronHForCausalLM", quantization_method="modelopt_fp4", quantization_bits=4)
NEMOTRON_FP8 = like(NEMOTRON, quantization_method="modelopt", quantization_bits=8)
IN_FP4, IN_FP8 = "vllm-plain-experts-in-fp4-before-blackwell", "vllm-plain-experts-in-fp8-before-hopper"


@pytest.mark.parametrize(
    ("version", "model", "gpu", "rule"),
    [
        ("0.15.1", NEMOTRON, H100, IN_FP4),
        ("0.13.0", NEMOTRON, A100, IN_FP4),
        ("0.16.0", NEMOTRON, H100, None),
        ("0.15.1", like(NEMOTRON, architecture="Qwen3MoeForCausalLM"), H100, None),
        ("0.15.1", like(NEMOTRON, expert_intermediate_size=None), H100, None),
        ("0.15.1", NEMOTRON_FP8, L4, IN_FP8),
        ("0.15.1", NEMOTRON_FP8, H100, None),
        ("0.16.0", NEMOTRON_FP8, L4, None),
    ],
)
def test_experts_without_a_gate(version: str, model: ModelTraits, gpu: GpuTraits, rule: str | None) -> None:
    """https://github.com/vllm-project/vllm/issues/34356"""
    assert errors("vllm", version, model, gpu=gpu) & {IN_FP4, IN_FP8} == ({rule} if rule else set())
