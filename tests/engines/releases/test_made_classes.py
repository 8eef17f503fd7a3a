"""Reward models, classifiers and encoders whose class a release makes of that of the decoder."""

import pytest

from tests.engines.rule_cases import QWEN, errors, like

UNKNOWN = "vllm-unknown-model"


@pytest.mark.parametrize(
    ("version", "architecture", "served"),
    [
        ("0.9.1", "LlamaForSequenceClassification", False),
        ("0.9.2", "LlamaForSequenceClassification", True),
        ("0.10.0", "LlamaForSequenceClassification", True),
        ("0.33.0", "Gemma2ForSequenceClassification", True),
        ("0.33.0", "Qwen3VLForSequenceClassification", True),
        ("0.10.0", "Qwen3Model", False),
        ("0.10.1", "Qwen3Model", True),
        ("0.12.0", "Qwen3ForTokenClassification", False),
        ("0.13.0", "Qwen3ForTokenClassification", True),
        ("0.33.0", "AcmeForSequenceClassification", False),
        ("0.33.0", "Qwen3VLForCausalLM", False),
    ],
)
def test_a_class_that_pools_is_made_of_one_that_writes(version: str, architecture: str, *, served: bool) -> None:
    found = errors("vllm", version, like(QWEN, architecture=architecture))
    assert (UNKNOWN not in found) is served
