"""Towers that cut pictures into tiles: what they weigh, and the largest item that a profile encodes."""

import pytest

from l4serve.planning.machines.gpus import find_gpu
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.rank_parameters import rank_parameters
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.models.model_shape import ModelShape

MLLAMA = "meta-llama/Llama-3.2-11B-Vision-Instruct"


def facts(model_id: str) -> ModelShape:
    model = find_model(model_id)
    assert model is not None and model.vision is not None, model_id
    return model


@pytest.mark.parametrize(
    ("model_id", "billions"),
    [
        ("OpenGVLab/InternVL3-1B", 0.938),
        ("OpenGVLab/InternVL3-2B", 2.09),
        ("OpenGVLab/InternVL3-8B", 7.94),
        ("OpenGVLab/InternVL3-14B", 15.12),
        ("openbmb/MiniCPM-V-2_6", 8.10),
        ("openbmb/MiniCPM-V-4_5", 8.70),
        (MLLAMA, 10.67),
        ("zai-org/GLM-4.1V-9B-Thinking", 10.29),
    ],
)
def test_parameters_are_those_of_the_models_cards(model_id: str, billions: float) -> None:
    assert rank_parameters(facts(model_id)).total / 1e9 == pytest.approx(billions, rel=0.001)


@pytest.mark.parametrize(
    ("model_id", "tokens", "patches", "is_measured"),
    [
        ("OpenGVLab/InternVL3-8B", 13 * 256, 4, True),
        ("openbmb/MiniCPM-V-2_6", 16 * 64, 16, True),
        (MLLAMA, 4 * 1601, 1, False),
    ],
)
def test_the_largest_item_is_all_tiles(model_id: str, tokens: int, patches: int, *, is_measured: bool) -> None:
    tower = facts(model_id).vision
    assert tower is not None
    assert (tower.tokens_per_item, tower.patches_per_token, tower.is_measured) == (tokens, patches, is_measured)


def peak(model_id: str, seqs: int) -> float:
    options = ServingOptions(
        engine="vllm", engine_version="0.8.5", max_model_len=8192, max_num_seqs=seqs, enforce_eager=True
    )
    gpu = find_gpu("nvidia-a100-80gb")
    assert gpu is not None
    return estimate(facts(model_id), gpu, options).activation_gib


def test_llama_3_2_vision_is_profiled_with_a_picture_for_each_sequence() -> None:
    """vLLM's own example starts it with 2 sequences on an L40 of 48 GB, and says that 256 may not fit."""
    assert peak(MLLAMA, 2) < 2 < peak(MLLAMA, 16) < 4
    assert peak(MLLAMA, 256) > 40
    assert peak("OpenGVLab/InternVL3-8B", 256) == pytest.approx(peak("OpenGVLab/InternVL3-8B", 16), abs=0.3)
