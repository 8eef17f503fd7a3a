"""Towers that a file describes in words of its class: what they weigh, and what their largest item takes."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.estimators.cases import Case, measured_cases
from l4serve.planning.machines.gpus import find_gpu
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.generations import vllm_generation
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.rank_parameters import rank_parameters
from l4serve.planning.memory.towers import largest_item_tokens, whole_item
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.models.hf_config import shape_from_config
from l4serve.planning.models.hf_values import ModelConfigError
from l4serve.planning.models.model_shape import ModelShape

CONFIGS = Path(__file__).parents[3] / "l4serve/planning/memory/data/configs"
CASES = {case.id: case for case in measured_cases() if case.id[0] == "r"}
MOLMO2 = "molmo2-4b"


def config(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CONFIGS / f"{name}.json").read_text())
    return found


def shape(name: str, **changed: Any) -> ModelShape:
    return shape_from_config(config(name) | changed, model_id=name, source="test")


def serving(version: str = "0.26.0", **asked: Any) -> ServingOptions:
    return ServingOptions(engine="vllm", engine_version=version, **asked)


def on_l4(model: ModelShape, **asked: Any) -> Fit:
    gpu = find_gpu("nvidia-l4")
    assert gpu is not None
    return estimate(model, gpu, serving(**asked))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_start_is_met_to_a_twentieth_and_its_uncertainty(case: Case) -> None:
    fit, kept = estimate(case.model, case.gpu, case.options), case.parts["kv_cache_gib"]
    assert fit.weights_gib == pytest.approx(case.parts["weights_gib"], rel=0.01)
    assert fit.kv_room_gib == pytest.approx(kept, rel=0.05)
    assert abs(fit.kv_room_gib - kept) <= fit.uncertainty_gib < 0.75
    assert fit.fits


@pytest.mark.parametrize(
    ("name", "millions", "hearing"),
    [
        ("phi-4-multimodal", 877, 466),
        ("kimi-vl-a3b-12l", 447, 0),
        ("deepseek-vl2-tiny", 444, 0),
        ("molmo-7b-d", 404, 0),
        ("molmo2-4b", 441, 0),
        ("ovis2-2b", 680, 0),
        ("ovis2.5-2b", 849, 0),
        ("ultravox-v0.5-8b", 687, 687),
        ("granite-speech-4.0-1b", 475, 475),
    ],
)
def test_towers_count_with_what_leads_into_the_decoder(name: str, millions: float, hearing: float) -> None:
    model = shape(name)
    assert model.extra_parameters / 1e6 == pytest.approx(millions, rel=0.02)
    assert model.audio_parameters / 1e6 == pytest.approx(hearing, rel=0.01)


def test_molmo_states_the_width_of_gate_and_value_together() -> None:
    assert shape("molmo-7b-d").intermediate_size == config("molmo-7b-d")["intermediate_size"] // 2


@pytest.mark.parametrize(
    ("length", "limits", "tokens"), [(8192, {}, 98 * 83), (4096, {}, 49 * 83), (36864, {}, 384 * 83)]
)
def test_a_video_of_molmo2_fills_the_context_with_whole_frames(
    length: int, limits: dict[str, int], tokens: int
) -> None:
    asked, generation = serving(multimodal_limits=limits), vllm_generation("0.26.0")
    assert largest_item_tokens(shape(MOLMO2), asked, length, generation) == tokens
    pictures = serving(multimodal_limits={"video": 0})
    assert largest_item_tokens(shape(MOLMO2), pictures, length, generation) == 1414


def test_a_video_of_molmo2_must_be_held_by_one_step() -> None:
    asked, generation = serving(max_num_batched_tokens=2048), vllm_generation("0.26.0")
    assert whole_item(shape(MOLMO2), asked, 256, 8192, generation) == 98 * 83
    fit = on_l4(shape(MOLMO2), max_model_len=8192, max_num_batched_tokens=2048)
    assert not fit.fits
    assert on_l4(shape(MOLMO2), max_model_len=8192, max_num_batched_tokens=8192).fits


def test_a_vocabulary_of_pictures_takes_a_share_of_every_word() -> None:
    small = config("ovis2.5-2b") | {"visual_vocab_size": 16384}
    fits = [
        on_l4(model, max_model_len=8192, v2_model_runner=False)
        for model in (shape("ovis2.5-2b"), shape_from_config(small, model_id="m", source="test"))
    ]
    assert fits[0].activation_gib == pytest.approx(1.97, abs=0.03)
    assert fits[1].activation_gib < fits[0].activation_gib / 2


def test_sounds_of_ultravox_are_encoded_one_after_the_other() -> None:
    one, two = (
        on_l4(shape("ultravox-v0.5-1b"), max_model_len=8192, max_num_batched_tokens=n, v2_model_runner=False)
        for n in (2048, 8192)
    )
    assert 0.03 < two.activation_gib - one.activation_gib < 0.15


def test_a_class_that_sees_is_uncertain_where_its_tower_cannot_be_read() -> None:
    text = {key: value for key, value in config("kimi-vl-a3b-12l").items() if key != "vision_config"}
    model = shape_from_config(text, model_id="m", source="test")
    assert model.extra_parameters == 0
    assert on_l4(model, max_model_len=8192).uncertainty_gib > 3
    assert on_l4(model, max_model_len=8192, language_model_only=True).uncertainty_gib < 0.3
    assert (
        on_l4(model, max_model_len=8192, multimodal_limits={"image": 0, "video": 0, "audio": 0}).uncertainty_gib < 0.3
    )
    assert on_l4(shape("qwen2.5-7b"), max_model_len=8192).uncertainty_gib < 0.3


@pytest.mark.parametrize("wrong", [{"vit_config": 7}, {"adapter_config": "wide"}, {"vit_config": {"hidden_size": -1}}])
def test_a_tower_that_is_none_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ModelConfigError):
        shape(MOLMO2, **wrong)


@pytest.mark.parametrize(
    ("model_id", "billions"),
    [
        ("microsoft/Phi-4-multimodal-instruct", 4.70),
        ("moonshotai/Kimi-VL-A3B-Thinking", 16.41),
        ("deepseek-ai/deepseek-vl2-tiny", 3.37),
        ("allenai/Molmo-7B-D-0924", 8.02),
        ("allenai/Molmo2-4B", 4.85),
        ("AIDC-AI/Ovis2.5-2B", 2.57),
        ("fixie-ai/ultravox-v0_5-llama-3_1-8b", 8.72),
        ("ibm-granite/granite-4.0-1b-speech", 2.31),
    ],
)
def test_models_are_judged_by_their_ids(model_id: str, billions: float) -> None:
    model = find_model(model_id)
    assert model is not None and model.vision is not None and model.is_seen
    assert rank_parameters(model).total / 1e9 == pytest.approx(billions, abs=0.01)
    assert on_l4(model, max_model_len=4096, v2_model_runner=False).uncertainty_gib < 0.6
