"""Mamba layers and attended encoders against what vLLM 0.26.0 allocated for them (benchmarks/gpu/records.jsonl)."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from benchmarks.estimators.cases import MEMORY, all_cases, measured_cases
from benchmarks.estimators.fitting import cross_validate
from benchmarks.estimators.metrics import summarise
from l4serve.planning.machines.gpus import find_gpu
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.generations import MemoryModelError
from l4serve.planning.memory.kv_cache import KvLayout, kv_layout
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.weights import weight_bytes
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.models.hf_config import shape_from_config
from l4serve.planning.models.hf_values import ModelConfigError
from l4serve.planning.models.model_shape import LayerKind, ModelShape
from l4serve.planning.values.quantity import GIB
from tests.each_case import each

RECORDS = Path(__file__).parents[3] / "benchmarks/gpu/records.jsonl"
MODELS = (
    "granite-4.0-h-1b", "mamba2-2.7b", "falcon-mamba-7b", "nemotron-h-56b-22l", "falcon-h1-0.5b", "jamba-8l",
    "nemotron-3-nano-19l",
)  # fmt: skip
WHISPER = "whisper-large-v3"


@cache
def config(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((MEMORY / "configs" / f"{name}.json").read_text("utf-8"))
    return found


def shape(name: str, **changes: Any) -> ModelShape:
    return shape_from_config({**config(name), **changes}, model_id=name, source="test")


def options(version: str = "0.26.0", **fields: Any) -> ServingOptions:
    return ServingOptions(engine="vllm", engine_version=version, **{"max_model_len": 8192, **fields})


def records() -> dict[str, dict[str, Any]]:
    lines = map(json.loads, RECORDS.read_text("utf-8").splitlines())
    return {line["point"]["id"]: line for line in lines if line["point"]["model"] in (*MODELS, WHISPER)}


SIZED = {name: record for name, record in records().items() if record.get("gpu_blocks")}


def layout(record: dict[str, Any]) -> KvLayout:
    point = record["point"]
    settings = {key: point[key] for key in ("mamba_ssm_cache_dtype", "enable_prefix_caching") if key in point}
    asked = options(max_model_len=point["max_model_len"], **settings)
    return kv_layout(
        shape(point["model"]),
        asked,
        grouped=True,
        in_flight_tokens=2048,
        batched_tokens=2048,
        prefix_states="all" if asked.enable_prefix_caching else None,
    )


@each(SIZED, str)
def test_the_cache_is_cut_into_the_blocks_that_the_engine_made(name: str) -> None:
    record, made = SIZED[name], layout(SIZED[name])
    assert record["kv_cache_bytes"] // made.block_bytes == record["gpu_blocks"]
    if made.full_groups:
        assert made.full_block == record["block_size"]


def test_enough_starts_are_held() -> None:
    assert len(SIZED) >= 16
    assert {record["point"]["model"] for record in SIZED.values()} == {*MODELS[:6], WHISPER}


@each([*MODELS, WHISPER], str)
def test_weights_are_those_that_were_loaded(name: str) -> None:
    loaded = next(r["weights_bytes"] for r in records().values() if r["point"]["model"] == name)
    assert weight_bytes(shape(name), options()) == pytest.approx(loaded, rel=0.035)


def test_starts_are_met_within_the_goal() -> None:
    cases = tuple(case for case in measured_cases() if case.origin == "measured-state")
    found = summarise(cases, cross_validate(cases, all_cases()))
    assert found.answered == len(cases) >= 16
    assert found.median is not None and found.median <= 0.005
    assert found.p90 is not None and found.p90 <= 0.02
    assert not found.false_fits
    assert not found.false_refusals


def test_a_state_of_four_bytes_leaves_fewer_sequences_whatever_the_context() -> None:
    gpu = find_gpu("nvidia-l4")
    assert gpu is not None
    held = [
        estimate(shape("mamba2-2.7b"), gpu, options(mamba_ssm_cache_dtype=dtype, max_model_len=length)).max_concurrency
        for dtype, length in (("float16", 8192), ("float32", 8192), ("float32", 65536))
    ]
    assert held[0] > 1.9 * held[1]
    assert held[1] == held[2]


def test_layers_of_a_pattern_have_one_part_each() -> None:
    model = shape("nemotron-3-nano-19l")
    assert [model.count_layers(kind) for kind in (LayerKind.LINEAR, LayerKind.FULL, LayerKind.NONE)] == [9, 2, 8]
    assert model.mlp_layers == 0
    assert model.moe is not None
    assert model.num_hidden_layers - model.moe.num_dense_layers == 8
    assert model.linear_state is not None and model.linear_state.state_dtype == "float32"


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("nemotron-h-56b-22l", {"hybrid_override_pattern": "M-"}),
        ("nemotron-h-56b-22l", {"hybrid_override_pattern": "X" * 22}),
        ("granite-4.0-h-1b", {"layer_types": ["mamba", "other"] * 20}),
        ("granite-4.0-h-1b", {"mamba_d_state": None}),
        ("falcon-mamba-7b", {"time_step_rank": "auto"}),
        ("granite-4.0-h-1b", {"architectures": ["Zamba2ForCausalLM"]}),
    ],
)
def test_layers_that_cannot_be_told_are_not_judged(name: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ModelConfigError):
        shape(name, **changes)


def test_states_that_an_old_engine_kept_elsewhere_are_not_judged() -> None:
    gpu = find_gpu("nvidia-l4")
    assert gpu is not None
    with pytest.raises(MemoryModelError, match="V0"):
        estimate(shape("mamba2-2.7b"), gpu, options("0.9.2"))


def test_no_position_is_too_far_for_a_model_that_never_looks_back() -> None:
    assert not shape("falcon-mamba-7b").attends
    assert shape("granite-4.0-h-1b").attends


LFM2 = find_model("LiquidAI/LFM2-1.2B")


def test_a_short_convolution_keeps_its_last_tokens_and_nothing_else() -> None:
    """`short_conv_state_shape` of vLLM 0.26.0: two tokens of 2,048 channels in each of ten layers."""
    assert LFM2 is not None and LFM2.is_mamba
    found = kv_layout(LFM2, options(), grouped=True, in_flight_tokens=2048)
    token = 2 * 8 * 64 * 2  # keys and values of one layer
    assert (LFM2.count_layers(LayerKind.FULL), LFM2.count_layers(LayerKind.LINEAR)) == (6, 10)
    assert (found.full_block, found.state_blocks) == (16, 2)
    assert found.block_bytes == 6 * 16 * token > 6 * 2 * 2048 * 2
    spread = kv_layout(LFM2, options(num_speculative_tokens=30), grouped=True, in_flight_tokens=2048)
    assert spread.full_block == 64  # 32 tokens of 4 KiB no longer lie in sixteen of 2 KiB


@pytest.mark.parametrize(
    ("changes", "width"),
    [
        ({}, 8192),
        ({"block_ff_dim": 10752, "block_auto_adjust_ff_dim": False}, 10752),
        ({"intermediate_size": 6656}, 4608),
        ({"block_multiple_of": 1000}, 9000),
        ({"block_ffn_dim_multiplier": 1.3}, 10752),
    ],
)
def test_a_convolutional_model_takes_two_thirds_of_a_width(changes: dict[str, Any], width: int) -> None:
    """`Lfm2MLP` of vLLM 0.26.0."""
    assert convolutional(**changes).intermediate_size == width


def test_layers_that_attend_may_be_listed_alone() -> None:
    listed = convolutional(layer_types=None, full_attn_idxs=[2, 5, 8, 10, 12, 14])
    assert LFM2 is not None and listed.layer_kinds == LFM2.layer_kinds
    with pytest.raises(ModelConfigError, match="layer_types"):
        convolutional(layer_types=None)
    with pytest.raises(ModelConfigError, match="block_ffn_dim_multiplier"):
        convolutional(block_ffn_dim_multiplier="wide")


def convolutional(**changes: Any) -> ModelShape:
    types = ["full_attention" if layer in (2, 5, 8, 10, 12, 14) else "conv" for layer in range(16)]
    facts = {
        "architectures": ["Lfm2ForCausalLM"], "model_type": "lfm2", "hidden_size": 2048, "intermediate_size": 12288,
        "num_hidden_layers": 16, "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 65536,
        "conv_L_cache": 3, "max_position_embeddings": 128000, "layer_types": types,
    }  # fmt: skip
    return shape_from_config({**facts, **changes}, model_id="lfm2", source="test")


def test_each_sequence_keeps_what_it_hears() -> None:
    made = layout(records()["u00-whisper-large-v3"])
    assert made.blocks_for(448) == 448 // 16 + 2048 // 16
    assert weight_bytes(shape(WHISPER), options()) / GIB == pytest.approx(2.93, abs=0.05)
