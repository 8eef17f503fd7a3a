"""Attention to a chosen few of compressed keys (DeepSeek V3.2, GLM-5) has kernels for the newest cards alone."""

import pytest

from l4serve.engines.traits import GpuTraits
from tests.engines.rule_cases import A100, H100, L4, QWEN, RTX_PRO, errors, like

BEFORE_HOPPER = "vllm-sparse-attention-of-latents"
WORKSTATION = "vllm-sparse-attention-of-latents-on-workstations"


@pytest.mark.parametrize("architecture", ["DeepseekV32ForCausalLM", "GlmMoeDsaForCausalLM"])
@pytest.mark.parametrize(
    ("version", "gpu", "rule"),
    [
        ("0.19.1", L4, BEFORE_HOPPER),
        ("0.33.0", A100, BEFORE_HOPPER),
        ("0.19.1", H100, None),
        ("0.23.0", RTX_PRO, WORKSTATION),
        ("0.26.0", RTX_PRO, None),
    ],
)
def test_sparse_attention_needs_a_card_with_its_kernels(
    architecture: str, version: str, gpu: GpuTraits, rule: str | None
) -> None:
    model = like(QWEN, architecture=architecture, latent_attention=True)
    assert errors("vllm", version, model, gpu=gpu) & {BEFORE_HOPPER, WORKSTATION} == ({rule} if rule else set())


def test_the_same_model_without_the_choice_is_served() -> None:
    model = like(QWEN, architecture="DeepseekV3ForCausalLM", latent_attention=True)
    assert errors("vllm", "0.19.1", model, gpu=L4) == set()
