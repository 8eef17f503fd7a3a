"""Checkpoints whose ids name a known model and a format."""

import pytest

from l4serve.planning.memory.rank_parameters import rank_parameters
from l4serve.planning.models.catalogue import find_model
from tests.each_case import each


@each(
    [
        ("RedHatAI/Qwen3-8B-FP8-dynamic", 8, 8.2),
        ("RedHatAI/Meta-Llama-3.1-70B-Instruct-quantized.w4a16", 4, 70.6),
        ("neuralmagic/Qwen2.5-7B-Instruct-quantized.w8a8", 8, 7.6),
        ("RedHatAI/Qwen3-8B-NVFP4", 4, 8.2),
        ("RedHatAI/Llama-3.3-70B-Instruct-NVFP4A16", 4, 70.6),
        ("nvidia/Llama-3.1-8B-Instruct-FP8", 8, 8.03),
        ("nvidia/Llama-3.3-70B-Instruct-FP4", 4, 70.6),
        ("unsloth/Meta-Llama-3.1-8B-Instruct-bnb-4bit", 4, 8.03),
        ("TheBloke/Mistral-7B-Instruct-v0.3-GPTQ", 4, 7.25),
        ("RedHatAI/gemma-3-27b-it-FP8-dynamic", 8, 27.4),
        ("RedHatAI/Qwen3-30B-A3B-Instruct-2507-FP8-dynamic", 8, 30.5),
        ("cpatonn/Qwen3-VL-30B-A3B-Instruct-AWQ-4bit", 4, 31.1),
        ("me/Qwen3-8B-AWQ", 4, 8.2),
        ("me/Qwen2.5-VL-7B-Instruct-w4a16", 4, 8.29),
        ("unsloth/gemma-3-12b-it-bnb-4bit", 4, 12.2),
        ("cyankiwi/Devstral-Small-2-24B-Instruct-2512-AWQ-4bit", 4, 24.0),
        ("me/Ministral-3-14B-Instruct-2512-AWQ", 4, 13.9),
    ],
    lambda case: case[0],
)
def test_an_id_of_a_model_and_a_format_has_both(case: tuple[str, int, float]) -> None:
    model = find_model(case[0])
    assert model is not None
    assert model.quantization is not None
    assert (model.id, model.quantization.bits, model.gated) == (case[0], case[1], False)
    assert rank_parameters(model).total / 1e9 == pytest.approx(case[2], rel=0.01)


@each(
    [
        "me/Qwen3-30B-A3B-Instruct-2507-AWQ",
        "Qwen/Qwen3-8B-bnb-4bit",
        "me/Qwen3-8B-AWQ-4bit",
        "RedHatAI/None-8B-FP8-dynamic",
        "unsloth/Qwen3-8B-unsloth-bnb-4bit",
    ],
    str,
)
def test_other_ids_with_a_format_are_not_known(model_id: str) -> None:
    assert find_model(model_id) is None
