"""Layers that attend and keep a state side by side (Falcon-H1), and Mamba 1 beside attention and experts (Jamba).

Their state's shape, groups and pages are those of vLLM 0.26.0 (model_executor/models/falcon_h1.py and jamba.py,
v1/core/kv_cache_utils.py); their parameters are what their authors publish.
"""

from typing import Any

import pytest

from l4serve.planning.memory.kv_cache import kv_layout
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.rank_parameters import rank_parameters
from l4serve.planning.models.hf_config import shape_from_config
from l4serve.planning.models.hf_values import ModelConfigError
from l4serve.planning.models.model_shape import LayerKind, ModelShape

FALCON: dict[str, Any] = {
    "architectures": ["FalconH1ForCausalLM"],
    "hidden_size": 1024,
    "intermediate_size": 2048,
    "num_hidden_layers": 36,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "head_dim": 64,
    "vocab_size": 32784,
    "max_position_embeddings": 16384,
    "mamba_n_heads": 24,
    "mamba_d_head": 64,
    "mamba_d_state": 128,
    "mamba_n_groups": 1,
    "mamba_d_conv": 4,
    "mamba_chunk_size": 128,
    "tie_word_embeddings": False,
}
JAMBA: dict[str, Any] = {
    "architectures": ["JambaForCausalLM"],
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 65536,
    "max_position_embeddings": 262144,
    "mamba_d_conv": 4,
    "mamba_d_state": 16,
    "mamba_dt_rank": 256,
    "mamba_expand": 2,
    "attn_layer_period": 8,
    "attn_layer_offset": 4,
    "expert_layer_period": 2,
    "expert_layer_offset": 1,
    "num_experts": 16,
    "num_experts_per_tok": 2,
    "tie_word_embeddings": False,
}


def shape(config: dict[str, Any], **changes: Any) -> ModelShape:
    return shape_from_config({**config, **changes}, model_id="m", source="test")


@pytest.mark.parametrize(("config", "billions"), [(FALCON, 0.521), (JAMBA, 51.6)])
def test_parameters_are_those_that_are_published(config: dict[str, Any], billions: float) -> None:
    assert rank_parameters(shape(config)).total / 1e9 == pytest.approx(billions, rel=0.005)


def test_a_layer_that_attends_and_keeps_a_state_is_of_both_kinds() -> None:
    model = shape(FALCON)
    assert model.attends
    assert [model.count_layers(kind) for kind in (LayerKind.FULL, LayerKind.LINEAR, LayerKind.NONE)] == [36, 36, 0]


def test_a_period_says_which_layers_attend_and_which_have_experts() -> None:
    model = shape(JAMBA)
    assert [index for index, kind in enumerate(model.layer_kinds) if kind is LayerKind.FULL] == [4, 12, 20, 28]
    assert model.moe is not None
    assert model.moe.num_dense_layers == model.mlp_layers == 16


@pytest.mark.parametrize("period", [0, 4, None, "8"])
def test_a_period_that_holds_no_layer_is_not_judged(period: object) -> None:
    with pytest.raises(ModelConfigError, match="attn_layer_period"):
        shape(JAMBA, attn_layer_period=period)


@pytest.mark.parametrize(
    ("config", "state", "token", "layers"),
    [
        # (1536 + 2 x 128) x 3 of convolution and 24 x 64 x 128 of state; keys and values of 2 heads of 64
        (FALCON, 2 * (1792 * 3 + 24 * 64 * 128), 2 * 2 * 2 * 64, 36),
        # 8192 x 3 of convolution and 8192 x 16 of state; keys and values of 8 heads of 128
        (JAMBA, 2 * (8192 * 3 + 8192 * 16), 2 * 2 * 8 * 128, 4),
    ],
)
def test_attention_blocks_grow_to_the_page_of_a_state(
    config: dict[str, Any], state: int, token: int, layers: int
) -> None:
    options = ServingOptions(engine="vllm", engine_version="0.26.0", max_model_len=8192)
    made = kv_layout(shape(config), options, grouped=True, in_flight_tokens=2048, batched_tokens=2048)
    assert made.full_block % 16 == 0
    assert 0 <= made.full_block * token - state < 16 * token
    assert made.block_bytes == layers * made.full_block * token
    assert made.full_groups == 1
    assert made.state_blocks == (1 if config is FALCON else 7)
