"""Llama 4: three layers of four keep the chunk of 8,192 tokens that a token is in, in blocks of their own or not."""

from dataclasses import replace
from typing import Any

import pytest

from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.models.hf_config import shape_from_config
from l4serve.planning.models.model_shape import LayerKind
from tests.planning.memory.fits import fit_on

TEXT = {
    "hidden_size": 512,
    "num_hidden_layers": 8,
    "num_attention_heads": 4,
    "vocab_size": 1000,
    "intermediate_size": 256,
    "intermediate_size_mlp": 1024,
    "num_local_experts": 4,
    "attention_chunk_size": 64,
}


def fit(version: str, **changes: Any) -> Fit:
    asked = ServingOptions(engine="vllm", engine_version=version, tensor_parallel_size=8, max_model_len=1_000_000)
    return fit_on("nvidia-h100-80gb", "meta-llama/Llama-4-Scout-17B-16E-Instruct", replace(asked, **changes))


@pytest.mark.parametrize(
    ("version", "grouped"), [("0.9.2", False), ("0.10.0", True), ("0.13.0", False), ("0.14.0", True)]
)
def test_a_release_gives_chunks_blocks_of_their_own(version: str, *, grouped: bool) -> None:
    """Eight H100 were published to serve a million tokens on 0.8.3, where every layer keeps them all."""
    tokens = fit(version).kv_cache_tokens
    assert (tokens > 4_000_000) if grouped else (1_000_000 < tokens < 2_000_000)


def test_an_eagle_head_takes_them_away() -> None:
    alone, drafted = fit("0.19.0"), fit("0.19.0", speculative_method="eagle3")
    assert drafted.kv_cache_tokens < alone.kv_cache_tokens / 2


@pytest.mark.parametrize(
    ("keys", "full"),
    [
        ({}, (3, 7)),
        ({"no_rope_layers": []}, (3, 7)),
        ({"no_rope_layers": [1, 0, 1, 1, 1, 1, 1, 1]}, (1,)),
        ({"layer_types": ["chunked_attention"] * 7 + ["full_attention"]}, (7,)),
    ],
)
def test_the_layers_that_see_everything_are_those_that_rotate_nothing(keys: Any, full: tuple[int, ...]) -> None:
    config = {"architectures": ["Llama4ForCausalLM"], **TEXT, **keys}
    shape = shape_from_config(config, model_id="me/mine", source="test")
    assert tuple(i for i, kind in enumerate(shape.layer_kinds) if kind is LayerKind.FULL) == full
    assert shape.sees_chunks
    assert shape.sliding_window == 65


@pytest.mark.parametrize(("every", "dense"), [(1, 0), (2, 4)])
def test_layers_between_those_with_experts_are_dense_and_wider(every: int, dense: int) -> None:
    config = {"architectures": ["Llama4ForCausalLM"], **TEXT, "interleave_moe_layer_step": every}
    shape = shape_from_config(config, model_id="me/mine", source="test")
    assert shape.moe is not None
    assert (shape.moe.num_dense_layers, shape.intermediate_size) == (dense, 1024)
    assert (shape.moe.expert_intermediate_size, shape.moe.shared_intermediate_size) == (256, 256)
