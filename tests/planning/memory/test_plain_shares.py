"""Modules that a checkpoint's list leaves out keep the plain dtype, as the engine's method reads the list."""

from dataclasses import replace
from typing import Any

import pytest

from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.plain_shares import plain_shares, wide_shares
from l4serve.planning.memory.quantizations import kv_element_bytes
from l4serve.planning.memory.rank_parameters import rank_parameters
from l4serve.planning.memory.weights import checkpoint_bytes, weight_bytes
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.models.hf_config import shape_from_config
from l4serve.planning.models.hf_values import ModelConfigError
from l4serve.planning.models.model_shape import ModelShape

DENSE: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 1024,
    "num_hidden_layers": 12,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "head_dim": 128,
    "intermediate_size": 4096,
    "vocab_size": 32000,
    "max_position_embeddings": 4096,
    "torch_dtype": "bfloat16",
}
EXPERTS = {
    **DENSE,
    "architectures": ["Qwen3MoeForCausalLM"],
    "num_experts": 8,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 512,
}
NVFP4 = {"quant_method": "modelopt", "quant_algo": "NVFP4", "group_size": 16}
PACKED = {
    "quant_method": "compressed-tensors",
    "config_groups": {"a": {"weights": {"num_bits": 4, "type": "int", "group_size": 128, "symmetric": True}}},
}
FLOAT_CACHE = {"num_bits": 8, "type": "float", "strategy": "tensor", "dynamic": False, "symmetric": True}
AWQ = {"quant_method": "awq", "bits": 4, "group_size": 128}
FP8 = {"quant_method": "fp8", "weight_block_size": [128, 128]}
BNB = {"quant_method": "bitsandbytes", "load_in_4bit": True}


def shape(config: dict[str, Any], method: dict[str, Any], key: str, *names: object) -> ModelShape:
    listed = {**config, "quantization_config": {**method, key: list(names)}}
    return shape_from_config(listed, model_id="acme/model", source="made up")


def each_layer(*modules: str, layers: int = 12, root: str = "model.") -> list[str]:
    return [f"{root}layers.{layer}.{module}" for layer in range(layers) for module in modules]


@pytest.mark.parametrize(
    ("method", "key", "names"),
    [
        (NVFP4, "ignore", ["lm_head", "*self_attn*"]),
        (NVFP4, "ignore", ["lm_head", "self_attn"]),
        (NVFP4, "exclude_modules", [f"model.layers.{layer}.self_attn*" for layer in range(12)]),
        (NVFP4, "ignore", each_layer(*(f"self_attn.{side}_proj" for side in "qkvo"))),
        (PACKED, "ignore", ["lm_head", "re:.*self_attn.*"]),
        (AWQ, "modules_to_not_convert", ["self_attn"]),
        (FP8, "modules_to_not_convert", each_layer(*(f"self_attn.{side}_proj" for side in "qkvo"))),
        (FP8, "ignored_layers", each_layer("self_attn.qkv_proj", "self_attn.o_proj")),
        (BNB, "llm_int8_skip_modules", ["lm_head", *each_layer("self_attn")]),
    ],
)
def test_attention_that_is_left_out_is_plain(method: dict[str, Any], key: str, names: list[str]) -> None:
    assert plain_shares(shape(DENSE, method, key, *names)) == {"attention": 1.0}


@pytest.mark.parametrize(
    ("method", "key", "names"),
    [
        (PACKED, "ignore", ["lm_head", "self_attn"]),
        (FP8, "modules_to_not_convert", ["self_attn", "gate", "e_score_correction_bias"]),
        (NVFP4, "ignore", ["lm_head", "model.visual*"]),
        (AWQ, "modules_to_not_convert", ["visual"]),
    ],
)
def test_a_name_that_the_method_reads_otherwise_leaves_nothing_out(
    method: dict[str, Any], key: str, names: list[str]
) -> None:
    assert plain_shares(shape(DENSE, method, key, *names)) == {}


def test_single_layers_and_matrices_count_by_their_size() -> None:
    some = shape(DENSE, NVFP4, "ignore", "model.layers.3.mlp*", "model.layers.5.self_attn.o_proj")
    assert plain_shares(some) == {"dense_mlp": pytest.approx(1 / 12), "attention": pytest.approx(1024 / 2560 / 12)}


def test_experts_and_routers_are_told_apart() -> None:
    assert plain_shares(shape(EXPERTS, NVFP4, "ignore", "*mlp.gate")) == {}
    some = shape(EXPERTS, NVFP4, "ignore", *each_layer("mlp.experts.0.up_proj", layers=3))
    assert plain_shares(some) == {"experts": pytest.approx(1 / 4)}


def test_bytes_follow_the_shares() -> None:
    whole, some = (shape(DENSE, NVFP4, "ignore", "lm_head", *more) for more in ((), ("*self_attn*",)))
    widened = rank_parameters(whole).attention * (2 - 4.5 / 8)
    assert checkpoint_bytes(some) - checkpoint_bytes(whole) == pytest.approx(widened, rel=1e-6)
    options = ServingOptions(engine="vllm", engine_version="0.26.0")
    assert weight_bytes(some, options) - weight_bytes(whole, options) == pytest.approx(widened, rel=1e-6)


@pytest.mark.parametrize("names", [["re:("], [3], ["a"] * 50_001])
def test_a_list_that_cannot_be_read_is_refused_by_its_key(names: list[object]) -> None:
    with pytest.raises(ModelConfigError, match="quantization_config"):
        shape(DENSE, PACKED, "ignore", *names)


BESIDE = {
    **EXPERTS,
    "architectures": ["Gemma4ForCausalLM"],
    "enable_moe_block": True,
    "tie_word_embeddings": True,
}


@pytest.mark.parametrize(
    ("modules", "plain"),
    [
        (("mlp*", "self_attn*", "router*"), {"attention", "dense_mlp"}),
        (("moe.experts*",), {"experts"}),
        (("experts*",), {"experts"}),
        (("mlp.shared_expert*",), set()),
    ],
)
def test_the_experts_of_gemma_4_lie_beside_its_mlp(modules: tuple[str, ...], plain: set[str]) -> None:
    """Before, an MLP that is left plain made the experts plain too: 52 GB of a checkpoint of 19."""
    listed = each_layer(*modules, root="model.language_model.")
    assert set(plain_shares(shape(BESIDE, NVFP4, "ignore", *listed))) == plain
    qwen = plain_shares(shape(EXPERTS, NVFP4, "ignore", *each_layer("mlp*")))
    assert "experts" in qwen


def test_layers_with_formats_of_their_own_count_each_by_its_width() -> None:
    """https://github.com/NVIDIA/TensorRT-Model-Optimizer: attention in FP8, the MLP in NVFP4, one projection plain."""
    formats = {f"self_attn.{side}_proj": "FP8" for side in "qkv"} | {
        f"mlp.{side}_proj": "W4A16_NVFP4" for side in ("gate", "up", "down")
    }
    layers = {f"model.layers.{n}.{name}": {"quant_algo": algo} for n in range(12) for name, algo in formats.items()}
    mixed = {"quant_method": "modelopt", "quant_algo": "MIXED_PRECISION", "quantized_layers": layers}
    some = shape(DENSE, mixed, "ignore", "mtp*")
    assert some.quantization is not None
    assert (some.quantization.method, some.quantization.bits) == ("modelopt_mixed", 4)
    assert len(some.quantization.modules) == 6
    assert plain_shares(some) == {"attention": pytest.approx(1024 / 2560)}
    assert wide_shares(some) == {"attention": pytest.approx(1536 / 2560)}
    parameters, ends = rank_parameters(some), 2 * (rank_parameters(some).total - rank_parameters(some).attention)
    ends -= 2 * parameters.dense_mlp
    told = ends + parameters.attention * (2 * 0.4 + 0.6) + parameters.dense_mlp * 4.5 / 8
    assert checkpoint_bytes(some) == pytest.approx(told, rel=1e-6)


@pytest.mark.parametrize("layers", [["a"], {"a": "FP8"}])
def test_formats_that_are_none_are_told(layers: object) -> None:
    with pytest.raises(ModelConfigError, match="quantized_layers"):
        shape(DENSE, {"quant_method": "modelopt", "quantized_layers": layers}, "ignore")


@pytest.mark.parametrize(
    ("scheme", "version", "dtype", "size"),
    [
        ({"num_bits": 8, "type": "float", "dynamic": False}, "0.14.0", None, 1),
        ("FP8", "0.26.0", "auto", 1),
        ("FP8", "0.26.0", "bfloat16", 2),
        ("FP8", "0.13.0", None, 2),
        (None, "0.26.0", None, 2),
    ],
)
def test_a_checkpoint_may_ask_for_a_narrow_cache(scheme: object, version: str, dtype: str | None, size: int) -> None:
    some = shape(DENSE, {**NVFP4, "kv_cache_scheme": scheme}, "ignore")
    options = ServingOptions(engine="vllm", engine_version=version, kv_cache_dtype=dtype)
    assert kv_element_bytes(some, options) == size


@pytest.mark.parametrize(
    "model_id",
    [
        "nvidia/DeepSeek-V3.1-NVFP4",
        "nvidia/Gemma-4-26B-A4B-NVFP4",
        "nvidia/Gemma-4-31B-IT-NVFP4",
        "nvidia/MiniMax-M2.5-NVFP4",
        "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-NVFP4",
        "nvidia/Qwen3-235B-A22B-NVFP4",
        "nvidia/Qwen3.5-122B-A10B-NVFP4",
        "nvidia/Qwen3.5-397B-A17B-NVFP4",
        "nvidia/Llama-3.1-8B-Instruct-FP8",
    ],
)
def test_checkpoints_of_the_maker_itself_ask_for_a_narrow_cache(model_id: str) -> None:
    model = find_model(model_id)
    assert model is not None
    before, after = (ServingOptions(engine="vllm", engine_version=version) for version in ("0.13.0", "0.14.0"))
    assert (kv_element_bytes(model, before), kv_element_bytes(model, after)) == (2, 1)


@pytest.mark.parametrize(
    ("engine", "version", "dtype", "size"),
    [
        ("vllm", "0.15.0", None, 1),
        ("vllm", "0.26.0", "auto", 1),
        ("vllm", "0.26.0", "bfloat16", 2),
        ("vllm", "0.15.0", "bfloat16", 1),
        ("vllm", "0.21.0", "fp8_e5m2", 1),
        ("vllm", "0.21.0", "bfloat16", 1),
        ("vllm", "0.22.0", "bfloat16", 2),
        ("vllm", "0.14.1", "bfloat16", 2),
        ("vllm", "0.14.1", None, 2),
        ("tgi", "3.3.5", None, 2),
    ],
)
def test_compressed_tensors_may_ask_for_a_narrow_cache(engine: str, version: str, dtype: str | None, size: int) -> None:
    some = shape(DENSE, {**PACKED, "kv_cache_scheme": FLOAT_CACHE}, "ignore")
    options = ServingOptions(engine=engine, engine_version=version, kv_cache_dtype=dtype)
    assert kv_element_bytes(some, options) == size


def test_latents_of_compressed_tensors_stay_wide() -> None:
    stored = shape(DENSE, {**PACKED, "kv_cache_scheme": FLOAT_CACHE}, "ignore").quantization
    model = find_model("deepseek-ai/DeepSeek-V2-Lite")
    assert model is not None and model.mla is not None
    assert (
        kv_element_bytes(replace(model, quantization=stored), ServingOptions(engine="vllm", engine_version="0.26.0"))
        == 2
    )


@pytest.mark.parametrize(
    ("model_id", "size"),
    [
        ("nvidia/Gemma-4-31B-IT-NVFP4", 1),
        ("nvidia/MiniMax-M2.5-NVFP4", 1),
        ("nvidia/Qwen3-235B-A22B-NVFP4", 1),
        ("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-NVFP4", 1),
        ("nvidia/DeepSeek-V3.1-NVFP4", 1),
        ("nvidia/Qwen3.6-35B-A3B-NVFP4", 2),
    ],
)
def test_published_checkpoints_of_four_bits_have_the_cache_that_their_files_ask_for(model_id: str, size: int) -> None:
    """Each has one of two files that say it; where config.json has a format, vLLM reads no hf_quant_config.json."""
    model = find_model(model_id)
    assert model is not None
    assert kv_element_bytes(model, ServingOptions(engine="vllm", engine_version="0.14.0")) == size
    assert kv_element_bytes(model, ServingOptions(engine="vllm", engine_version="0.13.0")) == 2
