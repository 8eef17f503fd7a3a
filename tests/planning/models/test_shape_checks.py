"""A config.json whose figures cannot all be true of one model is refused, and no figure of a verdict is negative."""

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from l4serve.planning.machines.gpus import find_gpu
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.generations import MemoryModelError
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.models.hf_config import shape_from_config
from l4serve.planning.models.hf_values import ModelConfigError
from tests.each_case import each

BASE: Mapping[str, Any] = {
    "architectures": ["Qwen3MoeForCausalLM"],
    "hidden_size": 2048,
    "num_hidden_layers": 16,
    "num_attention_heads": 32,
    "num_key_value_heads": 4,
    "head_dim": 128,
    "intermediate_size": 6144,
    "vocab_size": 151936,
    "max_position_embeddings": 40960,
    "num_experts": 8,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 768,
}
GPTQ = {"quant_method": "gptq", "group_size": 128}
VISION = {"hidden_size": 1024, "depth": 24, "intermediate_size": 4096, "patch_size": 14, "image_size": 448}

CONTRADICTIONS: Mapping[str, Mapping[str, Any]] = {
    "dense-layers": {"first_k_dense_replace": 1000},
    "experts-per-token": {"num_experts_per_tok": 9},
    "kv-heads-above": {"num_key_value_heads": 64},
    "kv-heads-uneven": {"num_key_value_heads": 5},
    "kv-heads-zero": {"num_key_value_heads": 0},
    "shared-layers": {"num_kv_shared_layers": 16},
    "bits-zero": {"quantization_config": {**GPTQ, "bits": 0}},
    "bits-negative": {"quantization_config": {**GPTQ, "bits": -4}},
    "bits-between": {"quantization_config": {**GPTQ, "bits": 3.5}},
    "blocks-empty": {"quantization_config": {"quant_method": "fp8", "weight_block_size": [0, 0]}},
    "bits-many": {"quantization_config": {**GPTQ, "bits": 4000}},
    "bits-nan": {"quantization_config": {**GPTQ, "bits": float("nan")}},
    "group-negative": {"quantization_config": {**GPTQ, "bits": 4, "group_size": -7}},
    "group-infinite": {"quantization_config": {**GPTQ, "bits": 4, "group_size": float("inf")}},
    "inputs-infinite": {
        "quantization_config": {
            "quant_method": "compressed-tensors",
            "config_groups": {"g": {"weights": {"num_bits": 8}, "input_activations": {"num_bits": float("inf")}}},
        }
    },
    "wide": {"hidden_size": 10**9},
    "vocabulary": {"vocab_size": 10**12},
    "positions": {"max_position_embeddings": 10**15},
    "many-parameters": {"hidden_size": 2**20, "intermediate_size": 2**20, "num_hidden_layers": 1000},
    "rope-infinite": {"rope_scaling": {"rope_type": "linear", "factor": float("inf")}},
    "rope-nan": {"rope_scaling": {"rope_type": "linear", "factor": float("nan")}},
    "rope-negative": {"rope_scaling": {"rope_type": "yarn", "factor": -4, "original_max_position_embeddings": 4096}},
    "rope-large": {"rope_scaling": {"rope_type": "linear", "factor": 1e300}},
    "rope-length-infinite": {
        "rope_scaling": {"rope_type": "yarn", "factor": 2, "original_max_position_embeddings": float("inf")}
    },
    "rope-base-infinite": {"rope_theta": float("inf")},
    "rope-base-nan": {"rope_parameters": {"rope_type": "default", "rope_theta": float("nan")}},
    "positions-infinite": {"max_position_embeddings": float("inf")},
    "window-infinite": {"sliding_window": float("inf")},
    "sparse-step-zero": {"decoder_sparse_step": 0},
    "sparse-step-negative": {"decoder_sparse_step": -1},
    "plain-layer-negative": {"mlp_only_layers": [3, -1]},
    "plain-layer-beyond": {"mlp_only_layers": [16]},
    "plain-layers-no-list": {"mlp_only_layers": 3},
    "window-missing": {"layer_types": ["sliding_attention"] * 16},
    "window-negative": {"layer_types": ["sliding_attention"] * 16, "sliding_window": -5},
    "linear-without-state": {"layer_types": ["linear_attention"] * 16},
    "mixed-list": {"intermediate_size": [6144, "x"]},
    "vision-patch": {"vision_config": {**VISION, "patch_size": -1}},
    "vision-wide": {"vision_config": {**VISION, "hidden_size": 10**12}},
    "text-layers": {"num_hidden_layers": "16"},
    "boolean": {"num_attention_heads": True},
    "no-architecture": {"architectures": [None] * 0},
}


@each(CONTRADICTIONS, str)
def test_a_contradiction_is_refused(name: str) -> None:
    with pytest.raises(ModelConfigError) as refused:
        shape_from_config({**BASE, **CONTRADICTIONS[name]}, model_id="a/b", source="test")
    assert len(str(refused.value)) < 400


def test_the_base_is_sound() -> None:
    sparse = {"decoder_sparse_step": 1, "mlp_only_layers": [0, 15]}
    shape_from_config({**BASE, **sparse, "rope_theta": 1e6, "vision_config": VISION}, model_id="a/b", source="test")


ODD: tuple[Any, ...] = (
    -1,
    0,
    1,
    2**31,
    2**63,
    10**30,
    -0.5,
    0.1,
    1e308,
    float("inf"),
    float("nan"),
    "",
    "x",
    None,
    True,
    [],
    {},
    [1, 2],
    [[]],
)


@each([*BASE, "rope_scaling", "quantization_config", "layer_types", "sliding_window"], str)
def test_odd_values_end_in_a_refusal_or_in_sound_figures(key: str) -> None:
    gpu = find_gpu("nvidia-l4")
    assert gpu is not None
    for value in ODD:
        for options in (
            ServingOptions(engine="vllm", engine_version="0.26.0"),
            ServingOptions(engine="tgi", engine_version="3.3.7"),
        ):
            try:
                facts = shape_from_config({**BASE, key: value}, model_id="a/b", source="test")
                fit = estimate(facts, gpu, options)
            except (ModelConfigError, MemoryModelError):
                continue
            figures = {field.name: getattr(fit, field.name) for field in fields(fit)}
            wrong = {
                name: figure
                for name, figure in figures.items()
                if isinstance(figure, int | float) and not 0 <= figure < 1e12
            }
            assert not wrong, (key, value, wrong)


def test_every_published_config_is_sound() -> None:
    folder = Path(__file__).parents[3] / "l4serve" / "planning" / "memory" / "data" / "configs"
    for file in folder.glob("*.json"):
        if file.name != "sources.json":
            shape_from_config(json.loads(file.read_text("utf-8")), model_id=file.stem, source="test")
