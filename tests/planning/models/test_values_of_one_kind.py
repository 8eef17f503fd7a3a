"""A key of a config.json has a value of its own kind, or the file is refused by the key's name."""

import json
from pathlib import Path
from typing import Any

import pytest

from l4serve.config.refusals.problems import ConfigError
from l4serve.config.stack_file import SERVING_KEY, parse_stack
from l4serve.planning.models.architecture_traits import listed_keys
from l4serve.planning.models.hf_config import shape_from_config
from l4serve.planning.models.hf_values import ModelConfigError
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.stack.stack_planner import plan_stack
from tests.each_case import each
from tests.factories import serving, workload
from tests.planning.models.test_shape_checks import BASE, VISION

AUDIO = {"d_model": 1280, "encoder_layers": 32, "num_mel_bins": 128, "max_source_positions": 1500}
WHOLE: dict[str, Any] = {
    **BASE,
    "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 10240},
    "quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 128},
    "vision_config": VISION,
    "audio_config": AUDIO,
    "layer_types": ["full_attention"] * 16,
    "tie_word_embeddings": False,
    "attention_bias": False,
    "attn_output_gate": False,
    "torch_dtype": "bfloat16",
    "mm_tokens_per_image": 256,
    "partial_rotary_factor": 1.0,
    "sliding_window": 4096,
}


def read(config: dict[str, Any]) -> ModelShape:
    return shape_from_config(config, model_id="me/model", source="test")


OF_ONE_NUMBER = [key for key, value in WHOLE.items() if type(value) is int and key not in listed_keys()]


@each([(key, kind) for key in OF_ONE_NUMBER for kind in ("one", "two")], str)
def test_a_list_for_one_number_is_refused(case: tuple[str, str]) -> None:
    key, kind = case
    listed = [WHOLE[key]] if kind == "one" else [WHOLE[key], 9]
    with pytest.raises(ModelConfigError, match=rf"^me/model: `{key}` is \[") as refused:
        read({**WHOLE, key: listed})
    assert "must be a whole number" in str(refused.value)


@each(
    [
        "text_config",
        "quantization_config",
        "compression_config",
        "rope_scaling",
        "rope_parameters",
        "vision_config",
        "audio_config",
    ],
    str,
)
def test_what_is_no_mapping_in_place_of_one_is_refused(key: str) -> None:
    for odd in ("x", 5, True, [], [1], [{"a": 1}], ""):
        with pytest.raises(ModelConfigError, match=rf"^me/model: `{key}` is .* it must be a mapping"):
            read({**WHOLE, key: odd})


WRONG: dict[str, dict[str, Any]] = {
    "switch of text": {"tie_word_embeddings": "false"},
    "switch of a list": {"attention_bias": [False]},
    "switch of a mapping": {"attn_output_gate": {}},
    "dtype of a list": {"torch_dtype": ["bfloat16"]},
    "dtype of a mapping": {"torch_dtype": {"": "bfloat16"}},
    "classes that are none": {"architectures": [["LlamaForCausalLM"]]},
    "layer types of text": {"layer_types": "full_attention"},
    "window of text": {"sliding_window": "4096"},
    "window of a mapping": {"sliding_window": {"size": 4096}},
    "factor of a list": {"rope_scaling": {"rope_type": "yarn", "factor": [4.0]}},
    "factor of text": {"rope_scaling": {"rope_type": "linear", "factor": "4"}},
    "factor of a mapping": {"rope_scaling": {"rope_type": "yarn", "factor": {}}},
    "block of one number": {"quantization_config": {"quant_method": "fp8", "weight_block_size": 1.5}},
    "block of one side": {"quantization_config": {"quant_method": "fp8", "weight_block_size": [128]}},
    "original of text": {"rope_scaling": {"rope_type": "yarn", "factor": 4, "original_max_position_embeddings": "4k"}},
    "kind of rope of a list": {"rope_scaling": {"rope_type": ["yarn"], "factor": 4}},
    "rotary part of a list": {
        "partial_rotary_factor": [0.5],
        "rope_scaling": {"type": "mrope", "mrope_section": [16, 24, 24]},
    },
    "method of a list": {"quantization_config": {"quant_method": ["gptq"], "bits": 4}},
    "bits of a list": {"quantization_config": {"quant_method": "gptq", "bits": [4]}},
    "skipped of text": {"quantization_config": {"quant_method": "compressed-tensors", "ignore": "lm_head"}},
    "tokens of a picture below nought": {"mm_tokens_per_image": -5},
    "tower of a list": {"vision_config": {**VISION, "hidden_size": [1024, 2048]}},
    "tower of text": {"vision_config": {**VISION, "depth": "24"}},
    "tower of a mapping": {"audio_config": {**AUDIO, "d_model": {"a": 1280}}},
}


@each(WRONG, str)
def test_a_value_of_another_kind_is_refused(name: str) -> None:
    with pytest.raises(ModelConfigError, match=r"^me/model: .*(must be|cannot be read|config\.json)"):
        read({**WHOLE, **WRONG[name]})


def test_the_whole_file_is_sound() -> None:
    assert read(WHOLE).num_hidden_layers == 16


PUBLISHED: dict[str, tuple[dict[str, Any], str, int]] = {
    "google/gemma-3n-E4B-it": ({"intermediate_size": [16384] * 16, "num_experts": None}, "intermediate_size", 16384),
    "one width for all": ({"intermediate_size": [6144], "num_experts": None}, "intermediate_size", 6144),
    "tencent/Hunyuan-A13B-Instruct": ({"moe_intermediate_size": [3072] * 16}, "moe.expert_intermediate_size", 3072),
    "baidu/ERNIE-4.5-VL-28B-A3B-PT": ({"moe_intermediate_size": [1536, 512]}, "moe.expert_intermediate_size", 1536),
}


@each(PUBLISHED, str)
def test_what_published_files_list_by_layer_is_read_by_its_largest(name: str) -> None:
    written, path, figure = PUBLISHED[name]
    found: Any = read({**WHOLE, **written})
    for part in path.split("."):
        found = getattr(found, part)
    assert found == figure


def test_height_and_width_of_a_picture_are_read_like_its_side() -> None:
    pair = {**VISION, "image_size": [448, 448], "patch_size": [14, 14]}
    assert read({**WHOLE, "vision_config": pair}) == read(WHOLE)


def test_a_listed_key_takes_whole_numbers_alone() -> None:
    for odd in ([], [6144, "x"], [6144.5], [[6144]], [True]):
        with pytest.raises(ModelConfigError, match="`intermediate_size` is"):
            read({**WHOLE, "intermediate_size": odd})


def test_a_stack_is_refused_at_the_key_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({**BASE, "hidden_size": [64, 9]}), encoding="utf-8")
    model = {"id": "me/model", "config": "config.json"}
    with pytest.raises(ConfigError) as refused:
        plan_stack(parse_stack("test", {SERVING_KEY: serving({"qwen": {**workload(), "model": model}})}, base=tmp_path))
    [problem] = [found for found in refused.value.problems if found.path.endswith(".config")]
    assert problem.path == "workloads.qwen.model.config"
    assert "`hidden_size` is [64, 9] in config.json" in problem.message
    assert problem.remedy == "it must be a whole number from 0 on"
