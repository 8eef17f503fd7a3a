"""Parameters that one GPU rank loads, by part of the model."""

from __future__ import annotations

from functools import lru_cache
from math import ceil

from l4serve.config.frozen import frozen
from l4serve.planning.models.model_shape import LayerKind, ModelShape

VOCABULARY_PADDING = 64


@frozen()
class RankParameters:
    """Parameters of one rank by part, over all layers."""

    embedding: int
    lm_head: int
    attention: int
    dense_mlp: int
    experts: int
    vision: int
    replicated: int

    @property
    def total(self) -> int:
        layers = self.attention + self.dense_mlp + self.experts + self.replicated
        return self.embedding + self.lm_head + layers + self.vision


def rank_kv_heads(heads: int, tensor_parallel: int) -> int:
    """KV heads on one rank; with fewer heads than ranks each rank holds a copy of one."""
    return max(1, ceil(heads / tensor_parallel))


def tower_shards(model: ModelShape, tensor_parallel: int) -> int:
    """Ranks that towers are split over: one where each rank has the whole of them."""
    return 1 if model.vision is not None and model.vision.copied else tensor_parallel


@lru_cache(maxsize=1024)
def rank_parameters(model: ModelShape, tensor_parallel: int = 1) -> RankParameters:
    """Parameters of one of `tensor_parallel` ranks.

    Linear layers, embedding and head divide by the rank count (the vocabulary rounded up to 64); KV heads divide until
    one is left; norms and expert routers are copied to every rank.
    """
    tp = tensor_parallel
    vocabulary = ceil(model.vocab_size / VOCABULARY_PADDING) * VOCABULARY_PADDING
    embedding = vocabulary * model.hidden_size // tp
    per_layer = model.num_hidden_layers * model.per_layer_width
    return RankParameters(
        embedding=embedding + per_layer * model.per_layer_vocab_size // tp,
        lm_head=0 if model.tie_word_embeddings else embedding,
        attention=_attention(model, tp),
        dense_mlp=_dense_mlp(model, tp),
        experts=_experts(model, tp),
        vision=model.extra_parameters // tower_shards(model, tp),
        replicated=_replicated(model),
    )


def _attention(model: ModelShape, tp: int) -> int:
    if model.mla is not None:
        return model.num_hidden_layers * _mla_layer(model, tp)
    full, sliding, linear = (model.count_layers(kind) for kind in (LayerKind.FULL, LayerKind.SLIDING, LayerKind.LINEAR))
    total = sliding * _attention_layer(model, tp, model.head_dim, model.num_key_value_heads, values=True)
    heads = model.full_key_value_heads or model.num_key_value_heads
    values = not (model.full_keys_are_values and model.full_head_dim)
    total += full * _attention_layer(model, tp, model.full_head_dim or model.head_dim, heads, values=values)
    return total + linear * _linear_layer(model, tp) + model.encoder_parameters // tp


def _attention_layer(model: ModelShape, tp: int, head_dim: int, kv_heads: int, *, values: bool) -> int:
    queries = ceil(model.num_attention_heads / tp) * head_dim
    keys = rank_kv_heads(kv_heads, tp) * head_dim
    projected = queries * (2 if model.attention_output_gate else 1) + keys * (2 if values else 1)
    bias = projected if model.attention_bias else 0
    return model.hidden_size * (projected + queries) + bias


def _mla_layer(model: ModelShape, tp: int) -> int:
    mla = model.mla
    assert mla is not None
    heads = ceil(model.num_attention_heads / tp)
    query_width = heads * (mla.qk_nope_head_dim + mla.qk_rope_head_dim)
    queries = model.hidden_size * query_width
    if mla.q_lora_rank:
        queries = model.hidden_size * mla.q_lora_rank + mla.q_lora_rank * query_width
    compressed = model.hidden_size * (mla.kv_lora_rank + mla.qk_rope_head_dim)
    expanded = mla.kv_lora_rank * heads * (mla.qk_nope_head_dim + mla.v_head_dim)
    return queries + compressed + expanded + heads * mla.v_head_dim * model.hidden_size


def _linear_layer(model: ModelShape, tp: int) -> int:
    state = model.linear_state
    if state is None:
        return 0
    keys = state.num_key_heads * state.key_head_dim
    values = state.num_value_heads * state.value_head_dim
    inputs = model.hidden_size * (2 * keys + 2 * values + state.gates * state.num_value_heads)
    steps = 0
    if state.step_rank:  # Mamba 1: time step and state are projected from the values; its decay is float32
        steps = values * (2 * (state.step_rank + state.key_head_dim) + 2 * state.key_head_dim)
    return (inputs + steps + (2 * keys + values) * state.conv_kernel + values * model.hidden_size) // tp


def _dense_mlp(model: ModelShape, tp: int) -> int:
    matrices = 3 if model.gated_mlp else 2
    if model.moe is None:
        layers, shared = model.num_hidden_layers, 0
    else:
        layers = model.moe.num_dense_layers
        shared = (model.num_hidden_layers - layers) * model.moe.shared_intermediate_size
    layers = layers if model.mlp_layers is None else model.mlp_layers
    widths = layers * model.intermediate_size if model.mlp_widths is None else model.mlp_widths
    return matrices * model.hidden_size * (widths + shared) // tp


def _experts(model: ModelShape, tp: int) -> int:
    moe = model.moe
    if moe is None:
        return 0
    each = (3 if model.gated_mlp else 2) * model.expert_inputs * moe.expert_intermediate_size
    if moe.expert_bias:
        each += 2 * moe.expert_intermediate_size + model.expert_inputs
    return (model.num_hidden_layers - moe.num_dense_layers) * moe.num_experts * each // tp


def _replicated(model: ModelShape) -> int:
    norms = (2 * model.num_hidden_layers + 1) * model.hidden_size
    routers = 0
    if model.moe is not None:
        beside = model.moe.num_experts + 2 * (model.moe.latent_size or 0)
        routers = (model.num_hidden_layers - model.moe.num_dense_layers) * beside * model.hidden_size
    # A vector of each layer's own is projected from the hidden state, gated and projected back.
    own = 3 * model.num_hidden_layers * model.per_layer_width * model.hidden_size
    return norms + routers + own
