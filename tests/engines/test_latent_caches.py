"""Compressed keys and values (MLA): which caches the backends of a release know by name."""

import pytest

from l4serve.engines.traits import GpuTraits
from tests.engines.rule_cases import H100, L4, QWEN, errors, like

LATENT = like(QWEN, architecture="DeepseekV3ForCausalLM", latent_attention=True)


@pytest.mark.parametrize(
    ("version", "gpu", "refused"),
    [("0.14.0", H100, True), ("0.12.0", L4, True), ("0.15.0", H100, False), ("0.17.1", L4, False)],
)
def test_a_cache_of_bfloat16_had_no_name_there(version: str, gpu: GpuTraits, refused: bool) -> None:
    rule = "vllm-named-16-bit-cache-of-latent-attention"
    found = errors("vllm", version, LATENT, gpu=gpu, trustRemoteCode=True, kvCacheDtype="bfloat16")
    assert (rule in found) is refused
    assert rule not in errors("vllm", version, LATENT, gpu=gpu, trustRemoteCode=True)
