"""Compressed keys and values (MLA): which caches and cards the backends of a release serve."""

import pytest

from l4serve.engines.traits import GpuTraits
from tests.engines.rule_cases import A100, H100, L4, QWEN, RTX_PRO, errors, like

LATENT = like(QWEN, architecture="DeepseekV3ForCausalLM", latent_attention=True)
SPARSE = like(QWEN, architecture="DeepseekV32ForCausalLM", latent_attention=True)


@pytest.mark.parametrize(
    ("version", "gpu", "refused"),
    [("0.14.0", H100, True), ("0.12.0", L4, True), ("0.15.0", H100, False), ("0.17.1", L4, False)],
)
def test_a_cache_of_bfloat16_had_no_name_there(version: str, gpu: GpuTraits, refused: bool) -> None:
    rule = "vllm-named-16-bit-cache-of-latent-attention"
    found = errors("vllm", version, LATENT, gpu=gpu, trustRemoteCode=True, kvCacheDtype="bfloat16")
    assert (rule in found) is refused
    assert rule not in errors("vllm", version, LATENT, gpu=gpu, trustRemoteCode=True)


@pytest.mark.parametrize(
    ("version", "gpu", "refused"),
    [("0.13.0", RTX_PRO, True), ("0.22.0", A100, True), ("0.22.0", H100, False), ("0.26.0", RTX_PRO, False)],
)
def test_sparse_attention_has_kernels_for_some_cards(version: str, gpu: GpuTraits, refused: bool) -> None:
    found = errors("vllm", version, SPARSE, gpu=gpu, trustRemoteCode=True)
    assert ("vllm-sparse-latent-attention-of-other-cards" in found) is refused
