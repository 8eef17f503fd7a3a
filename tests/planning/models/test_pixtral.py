"""Pixtral's tower: which models have it, what it weighs, and the mask over all of its patches."""

from typing import Any

import pytest

from l4serve.planning.memory.constants import fitted_constants
from l4serve.planning.memory.towers import tower_peak_bytes
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.models.hf_config import shape_from_config
from l4serve.planning.models.model_shape import ModelShape

TEXT = {
    "hidden_size": 5120,
    "intermediate_size": 14336,
    "num_hidden_layers": 10,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "vocab_size": 131072,
    "max_position_embeddings": 131072,
}
TOWER = {"hidden_size": 1024, "image_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "patch_size": 16}


def shape(architecture: str, tower: dict[str, Any], **config: Any) -> ModelShape:
    given = {"architectures": [architecture], "text_config": TEXT, "vision_config": tower, **config}
    return shape_from_config(given, model_id="org/model", source="test")


def test_a_llava_has_it_where_its_own_file_says_so() -> None:
    pixtral = shape("LlavaForConditionalGeneration", {**TOWER, "model_type": "pixtral"})
    clip = shape("LlavaForConditionalGeneration", {**TOWER, "model_type": "clip_vision_model"})
    assert pixtral.vision is not None and clip.vision is not None
    assert (pixtral.vision.tokens_per_item, pixtral.vision.masked_patches) == (64 * 65, 64 * 64)
    assert clip.vision.masked_patches == 0


@pytest.mark.parametrize(
    "model", ["mistralai/Mistral-Small-3.1-24B-Instruct-2503", "mistralai/Ministral-3-3B-Instruct-2512-BF16"]
)
def test_mistral_3_always_has_it_and_merges_four_patches(model: str) -> None:
    found = find_model(model)
    assert found is not None and found.vision is not None
    assert (found.vision.tokens_per_item, found.vision.masked_patches) == (55 * 56, 110 * 110)


@pytest.mark.parametrize(
    ("architecture", "tower", "measured_mb"),
    [
        ("Mistral3ForConditionalGeneration", {**TOWER, "image_size": 1540, "patch_size": 14}, 885.0),
        ("LlavaForConditionalGeneration", {**TOWER, "model_type": "pixtral"}, 872.5),
    ],
)
def test_it_weighs_what_a_card_had_of_it(architecture: str, tower: dict[str, Any], measured_mb: float) -> None:
    assert shape(architecture, tower).extra_parameters * 2 / 1e6 == pytest.approx(measured_mb, rel=0.01)


def test_the_mask_grows_with_the_square_of_the_pictures_of_a_batch() -> None:
    model = shape("Mistral3ForConditionalGeneration", {**TOWER, "image_size": 1540, "patch_size": 14})
    one, two, four = (tower_peak_bytes(model, n, 3080, 1, 2, fitted_constants())[0] for n in (1, 2, 4))
    assert one / 1e6 == pytest.approx(855.7, rel=0.01)
    assert two / 1e6 == pytest.approx(2105, rel=0.01)
    assert four > 2 * two
    assert tower_peak_bytes(model, 2, 3080, 2, 2, fitted_constants())[0] < two
