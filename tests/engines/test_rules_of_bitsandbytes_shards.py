"""Weights that bitsandbytes quantises while they load, over several GPUs: what it cuts and what it cannot."""

import pytest

from l4serve.engines.traits import ModelTraits
from tests.engines.rule_cases import QWEN, errors, like

HYBRID = like(QWEN, architecture="Qwen3_5ForConditionalGeneration")
COPIES, LINEAR = "vllm-bitsandbytes-copies-of-kv-heads", "vllm-bitsandbytes-split-linear-attention"


@pytest.mark.parametrize(
    ("version", "model", "tp", "method", "rule"),
    [
        ("0.8.2", like(QWEN, num_attention_heads=16, num_key_value_heads=2), 4, "bitsandbytes", COPIES),
        ("0.8.2", like(QWEN, num_attention_heads=16, num_key_value_heads=2), 2, "bitsandbytes", None),
        ("0.26.0", like(QWEN, num_attention_heads=16, num_key_value_heads=2), 4, "fp8", None),
        ("0.26.0", HYBRID, 2, "bitsandbytes", LINEAR),
        ("0.26.0", HYBRID, 1, "bitsandbytes", None),
        ("0.26.0", QWEN, 2, "bitsandbytes", None),
    ],
)
def test_shards_of_bitsandbytes(version: str, model: ModelTraits, tp: int, method: str, rule: str | None) -> None:
    found = errors("vllm", version, model, tp=tp, quantization=method)
    assert found & {COPIES, LINEAR} == ({rule} if rule else set())
