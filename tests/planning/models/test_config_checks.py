"""A config.json whose parts belong to different models is refused, and what passes gives sound figures."""

import json
import random
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from l4serve.planning.machines.gpus import find_gpu
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.generations import MemoryModelError
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.models import catalogue
from l4serve.planning.models.hf_config import shape_from_config
from l4serve.planning.models.hf_values import ModelConfigError
from tests.each_case import each

ROOT = Path(__file__).parents[3]
DENSE: Mapping[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 2048,
    "num_hidden_layers": 16,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "intermediate_size": 8192,
    "vocab_size": 128256,
    "max_position_embeddings": 131072,
    "rope_scaling": {"rope_type": "llama3", "factor": 32.0, "original_max_position_embeddings": 8192},
}
LATENT = {
    **DENSE,
    "architectures": ["DeepseekV3ForCausalLM"],
    "model_type": "deepseek_v3",
    "kv_lora_rank": 512,
    "q_lora_rank": 1536,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
    "n_routed_experts": 256,
    "num_experts_per_tok": 8,
    "moe_intermediate_size": 768,
    "n_group": 8,
    "topk_group": 4,
    "rope_scaling": None,
}
TOWER = {"model_type": "qwen3_vl", "depth": 24, "hidden_size": 1024, "num_heads": 16, "intermediate_size": 4096}
SEEING = {
    "architectures": ["Qwen3VLForConditionalGeneration"],
    "model_type": "qwen3_vl",
    "text_config": {
        **DENSE,
        "model_type": "qwen3_vl_text",
        "head_dim": 128,
        "num_attention_heads": 16,
        "rope_scaling": {"rope_type": "default", "mrope_section": [24, 20, 20]},
    },
    "vision_config": {
        **TOWER, "patch_size": 16, "image_size": 448, "out_hidden_size": 2048, "deepstack_visual_indexes": [5, 11, 17],
    },
}  # fmt: skip
MAMBA = {
    **DENSE,
    "architectures": ["BambaForCausalLM"],
    "model_type": "bamba",
    "mamba_n_heads": 64,
    "mamba_d_head": 64,
    "mamba_expand": 2,
    "mamba_n_groups": 1,
    "mamba_d_state": 128,
    "mamba_d_conv": 4,
    "mamba_chunk_size": 256,
    "attn_layer_indices": [3, 9],
    "rope_scaling": None,
}
HEARING = {
    "architectures": ["WhisperForConditionalGeneration"],
    "model_type": "whisper",
    "d_model": 1280,
    "decoder_layers": 4,
    "decoder_attention_heads": 20,
    "encoder_attention_heads": 20,
    "encoder_layers": 32,
    "encoder_ffn_dim": 5120,
    "decoder_ffn_dim": 5120,
    "num_mel_bins": 128,
    "max_source_positions": 1500,
    "max_target_positions": 448,
    "vocab_size": 51866,
}
SOUND = {"dense": DENSE, "latent": LATENT, "seeing": SEEING, "mamba": MAMBA, "hearing": HEARING}


def within(config: Mapping[str, Any], part: str, **changes: Any) -> dict[str, Any]:
    return {**config, part: {**config[part], **changes}}


BROKEN: Mapping[str, Mapping[str, Any]] = {
    "speech under a decoder": {**DENSE, "model_type": "whisper"},
    "encoder under a decoder": {**DENSE, "model_type": "bert"},
    "state space under a decoder": {**DENSE, "model_type": "mamba2"},
    "tower under a decoder": {**DENSE, "model_type": "siglip_vision_model"},
    "decoder under an encoder": {**DENSE, "architectures": ["BertModel"], "rope_scaling": None},
    "decoder under speech": {**HEARING, "model_type": "llama"},
    "another class altogether": {**DENSE, "architectures": ["T5ForConditionalGeneration"]},
    "type of another kind of value": {**DENSE, "model_type": ["llama"]},
    "encoder as the text part": within(SEEING, "text_config", model_type="xlm-roberta"),
    "decoder as the tower": within(SEEING, "vision_config", model_type="gpt2"),
    "tower as the audio part": {**SEEING, "audio_config": {"model_type": "clip", "hidden_size": 1024}},
    "heads of the decoder": {**DENSE, "num_attention_heads": 24, "num_key_value_heads": 8},
    "wide heads": {**DENSE, "head_dim": 2**16},
    "heads of the tower": within(SEEING, "vision_config", num_heads=7),
    "no heads of the tower": within(SEEING, "vision_config", num_heads=0),
    "more heads than width": within(SEEING, "vision_config", num_heads=2048),
    "negative heads": within(SEEING, "vision_config", num_heads=-16),
    "heads of audio": {**SEEING, "audio_config": {"d_model": 1280, "encoder_attention_heads": 19, "encoder_layers": 3}},
    "heads of the encoder": {**HEARING, "encoder_attention_heads": 3},
    "patches beyond the picture": within(SEEING, "vision_config", patch_size=900),
    "deepstack beyond the tower": within(SEEING, "vision_config", deepstack_visual_indexes=[5, 24]),
    "vectors of another width": within(SEEING, "vision_config", out_hidden_size=4096),
    "groups of experts": {**LATENT, "n_group": 7},
    "chosen groups": {**LATENT, "topk_group": 9},
    "experts of the chosen groups": {**LATENT, "n_group": 128, "topk_group": 2},
    "rank above the width": {**LATENT, "kv_lora_rank": 4096},
    "rank of queries": {**LATENT, "q_lora_rank": 2**19},
    "odd rotation": {**LATENT, "qk_rope_head_dim": 63},
    "wide latent heads": {**LATENT, "v_head_dim": 2**20},
    "channels of the state": {**MAMBA, "mamba_n_heads": 63},
    "groups of the state": {**MAMBA, "mamba_n_groups": 5},
    "size of the state": {**MAMBA, "mamba_d_state": 2**20},
    "kernel of the state": {**MAMBA, "mamba_d_conv": 2**19},
    "factor within the stated length": {**DENSE, "rope_scaling": {"rope_type": "llama3", "factor": -8}},
    "length before scaling": {
        **DENSE, "rope_scaling": {"rope_type": "llama3", "factor": 8, "original_max_position_embeddings": 0},
    },
    "share that rotates": {**DENSE, "partial_rotary_factor": 7},
    "sections": within(SEEING, "text_config", rope_scaling={"rope_type": "default", "mrope_section": [99, 1, 1]}),
    "sections of text": within(SEEING, "text_config", rope_scaling={"rope_type": "default", "mrope_section": "x"}),
}  # fmt: skip


@each(SOUND, str)
def test_files_that_belong_together_pass(name: str) -> None:
    shape_from_config(SOUND[name], model_id="a/b", source="test")


@each(BROKEN, str)
def test_what_belongs_to_no_one_model_is_refused(name: str) -> None:
    with pytest.raises(ModelConfigError) as refused:
        shape_from_config(BROKEN[name], model_id="a/b", source="test")
    assert len(str(refused.value)) < 400


def test_every_model_of_the_catalogue_and_of_the_benchmarks_passes() -> None:
    data = Path(catalogue.__file__).parent / "data" / "catalogue.json"
    listed = [model["config"] for model in json.loads(data.read_text(encoding="utf-8"))["models"]]
    files = [*ROOT.glob("benchmarks/field_cases/configs/*.json")]
    read = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    assert len(listed) > 100
    assert read
    for config in (*listed, *read):
        shape_from_config(config, model_id="a/b", source="test")


MOST_GIB = 10**7
VALUES: tuple[Any, ...] = (
    0,
    1,
    2,
    3,
    7,
    63,
    64,
    100,
    1000,
    4097,
    2**16,
    2**20,
    2**32,
    -1,
    0.5,
    1e9,
    "x",
    None,
    True,
    [],
    [1, 2],
    {},
)


def changed(config: Any, rng: random.Random) -> Any:
    """A copy with one value, wherever it stands, changed."""
    copied = json.loads(json.dumps(config))
    at = copied
    while True:
        key = rng.choice([*at])
        if not isinstance(at[key], dict) or not at[key]:
            break
        at = at[key]
    at[key] = rng.choice(VALUES)
    return copied


@pytest.mark.parametrize("name", SOUND)
def test_no_figure_of_a_generated_file_is_negative_or_absurd(name: str) -> None:
    rng, gpu = random.Random(name), find_gpu("nvidia-l4")
    assert gpu is not None
    judged = 0
    for _ in range(250):
        config = changed(SOUND[name], rng)
        if rng.random() < 0.4:
            config = changed(config, rng)
        options = ServingOptions(engine="vllm", engine_version=rng.choice(("0.33.0", "0.26.0", "0.10.0")))
        try:
            fit = estimate(shape_from_config(config, model_id="a/b", source="test"), gpu, options)
        except (ModelConfigError, MemoryModelError):
            continue
        judged += 1
        for field in fields(fit):
            value = getattr(fit, field.name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                assert value >= 0, (field.name, value, config)
                if field.name.endswith("_gib"):
                    assert abs(value) < MOST_GIB, (field.name, value, config)
    assert judged > 20
