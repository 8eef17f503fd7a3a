"""Whether a model's shape holds together: figures of a config.json that cannot all be true of one model."""

from __future__ import annotations

from collections.abc import Iterator

from l4serve.planning.models.model_shape import LayerKind, ModelShape

_MOST_BITS = 32
_MOST_OF_A_GROUP = 2**20
_MOST_PARAMETERS = 10**14
"""A hundred times the largest published model."""


def shape_fault(model: ModelShape) -> str | None:
    """The first contradiction in a model's shape; None where there is none."""
    return next(_faults(model), None)


def _faults(model: ModelShape) -> Iterator[str]:
    layers, heads, kv_heads = model.num_hidden_layers, model.num_attention_heads, model.num_key_value_heads
    if kv_heads > heads or heads % kv_heads:
        yield f"{heads} attention heads cannot share {kv_heads} key and value heads evenly"
    if model.full_key_value_heads and (model.full_key_value_heads > heads or heads % model.full_key_value_heads):
        yield f"{heads} attention heads cannot share {model.full_key_value_heads} global key and value heads evenly"
    if model.kv_shared_layers >= layers:
        yield f"{model.kv_shared_layers} of {layers} layers share the cache of an earlier one"
    if LayerKind.SLIDING in model.layer_kinds and model.sliding_window is None:
        yield "layers slide over a window whose length is not a positive number"
    if LayerKind.LINEAR in model.layer_kinds and model.linear_state is None:
        yield "layers have linear attention whose state is not described"
    if model.moe is not None:
        if model.moe.num_experts_per_tok > model.moe.num_experts:
            yield f"{model.moe.num_experts_per_tok} experts per token of {model.moe.num_experts}"
        if model.moe.num_dense_layers > layers:
            yield f"{model.moe.num_dense_layers} dense layers of {layers}"
    if model.quantization is not None:
        bits, group = model.quantization.bits, model.quantization.group_size
        if not 0 < bits <= _MOST_BITS or bits % 1:
            yield f"weights of {bits:g} bits"
        if group == 0 or not -1 <= group <= _MOST_OF_A_GROUP:
            yield f"groups of {model.quantization.group_size} weights"
    if _parameters(model) > _MOST_PARAMETERS:
        yield f"it comes to more than {_MOST_PARAMETERS:.0e} parameters"


def _parameters(model: ModelShape) -> int:
    """Parameters to the order of magnitude: attention and feed-forward matrices, experts, vocabulary, vision."""
    attention = 4 * model.hidden_size * model.num_attention_heads * model.head_dim
    dense = 3 * model.hidden_size * model.intermediate_size
    moe = model.moe
    experts = 3 * model.hidden_size * (moe.num_experts * moe.expert_intermediate_size) if moe else 0
    shared = 3 * model.hidden_size * moe.shared_intermediate_size if moe else 0
    each_layer = attention + max(dense, experts + shared)
    return model.num_hidden_layers * each_layer + 2 * model.vocab_size * model.hidden_size + model.extra_parameters
