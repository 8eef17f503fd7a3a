"""Llama 3.2 Vision's cross-attention, whose quantised weights vLLM before 0.8.4 leaves unprocessed."""

import pytest

from tests.engines.rule_cases import QWEN, errors, like

VISION = like(QWEN, architecture="MllamaForConditionalGeneration")
STORED = like(VISION, quantization_method="compressed-tensors", quantization_bits=8, quantization_floats=True)
RULE = "vllm-quantised-cross-attention"


@pytest.mark.parametrize(("version", "told"), [("0.8.0", True), ("0.8.3", True), ("0.8.4", False), ("0.10.2", False)])
def test_quantised_it_stops_at_its_first_step(version: str, *, told: bool) -> None:
    assert (RULE in errors("vllm", version, STORED)) is told
    assert (RULE in errors("vllm", version, VISION, quantization="fp8")) is told


def test_in_16_bits_and_by_bitsandbytes_it_does_not() -> None:
    assert RULE not in errors("vllm", "0.8.3", VISION)
    assert RULE not in errors("vllm", "0.8.3", VISION, quantization="bitsandbytes")
    assert RULE not in errors("vllm", "0.8.3", like(STORED, architecture=QWEN.architecture))
