"""Attention by Triton on a card of 64 KiB of shared memory a block: which heads it holds a tile of."""

import pytest

from l4serve.engines.traits import GpuTraits, ModelTraits
from tests.engines.rule_cases import A100, GEMMA, QWEN, T4, errors, like

FLOAT32, WIDE = "vllm-float32-heads-beyond-shared-memory", "vllm-heads-of-512-before-ampere"
GEMMA_3 = like(GEMMA, architecture="Gemma3ForCausalLM")
GEMMA_4 = like(GEMMA, architecture="Gemma4ForConditionalGeneration")


@pytest.mark.parametrize(
    ("version", "model", "gpu", "dtype", "rule"),
    [
        ("0.17.0", GEMMA_3, T4, "float32", FLOAT32),
        ("0.17.0", GEMMA_3, T4, "auto", FLOAT32),
        ("0.17.0", GEMMA_3, A100, "float32", None),
        ("0.17.0", GEMMA, T4, "float16", None),
        ("0.17.0", QWEN, T4, "float32", None),
        ("0.10.2", GEMMA_3, T4, "float32", None),
        ("0.26.0", GEMMA_4, T4, "float16", WIDE),
        ("0.26.0", GEMMA_4, A100, "float16", None),
    ],
)
def test_a_tile_of_heads(version: str, model: ModelTraits, gpu: GpuTraits, dtype: str, rule: str | None) -> None:
    found = errors("vllm", version, model, gpu=gpu, dtype=dtype)
    assert found & {FLOAT32, WIDE} == ({rule} if rule else set())


def test_no_remedy_is_what_does_not_fit() -> None:
    assert "vllm-float32-before-ampere" not in errors("vllm", "0.17.0", GEMMA_3, gpu=T4)
    assert "vllm-float32-before-ampere" in errors("vllm", "0.10.2", GEMMA_3, gpu=T4)
