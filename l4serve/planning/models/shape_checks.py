"""Whether a model's shape holds together: figures of a config.json that cannot all be true of one model."""

from __future__ import annotations

from collections.abc import Iterator

from l4serve.planning.models.model_shape import LayerKind, ModelShape, QuantizationFacts

_MOST_BITS = 32
_MOST_OF_A_GROUP = 2**20
_MOST_TIMES_WIDER = 16
"""Of all heads together than the model; published ones are up to three times as wide."""
_MOST_OF_A_STATE = 2**30
"""Elements of the state of one layer; the largest published one has a thousandth."""
_MOST_OF_A_KERNEL = 64
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
    yield from _inner_faults(model)
    if model.quantization is not None:
        yield from quantization_faults(model.quantization)
    if _parameters(model) > _MOST_PARAMETERS:
        yield f"it comes to more than {_MOST_PARAMETERS:.0e} parameters"


def quantization_faults(stored: QuantizationFacts) -> Iterator[str]:
    """Widths and groups that no quantised weight has."""
    bits, group, inputs = stored.bits, stored.group_size, stored.activation_bits
    if not 0 < bits <= _MOST_BITS or bits % 1:
        yield f"weights of {bits:g} bits"
    if inputs is not None and not 0 < inputs <= _MOST_BITS:
        yield f"inputs of {inputs} bits"
    if group == 0 or not -1 <= group <= _MOST_OF_A_GROUP:
        yield f"groups of {group} weights"


def _inner_faults(model: ModelShape) -> Iterator[str]:
    """Widths inside a layer that no model has beside the others."""
    widest = max(model.head_dim, model.full_head_dim or 0) * model.num_attention_heads
    if model.attends and model.mla is None and widest > _MOST_TIMES_WIDER * model.hidden_size:
        yield f"{model.num_attention_heads} heads are {widest} wide in a model of {model.hidden_size}"
    mla, state = model.mla, model.linear_state
    if mla is not None:
        for name, rank in (("kv_lora_rank", mla.kv_lora_rank), ("q_lora_rank", mla.q_lora_rank or 0)):
            if rank > model.hidden_size:
                yield f"`{name}` {rank} compresses nothing: hidden_size is {model.hidden_size}"
        if mla.qk_rope_head_dim % 2:
            yield f"`qk_rope_head_dim` {mla.qk_rope_head_dim} is not even: elements are rotated in pairs"
        if max(mla.qk_nope_head_dim, mla.qk_rope_head_dim, mla.v_head_dim) > _MOST_TIMES_WIDER * model.hidden_size:
            yield f"heads of latent attention are wider than {_MOST_TIMES_WIDER} times {model.hidden_size}"
    if state is not None:
        if state.num_key_heads and state.num_value_heads % state.num_key_heads:
            yield f"{state.num_value_heads} heads of the state do not divide by {state.num_key_heads} groups"
        if state.num_value_heads * state.value_head_dim * state.key_head_dim > _MOST_OF_A_STATE:
            yield f"the state of a layer has more than {_MOST_OF_A_STATE} elements"
        if state.conv_kernel > _MOST_OF_A_KERNEL:
            yield f"a convolution over {state.conv_kernel} tokens"


def _parameters(model: ModelShape) -> int:
    """Parameters to the order of magnitude: attention and feed-forward matrices, experts, vocabulary, vision."""
    attention = 4 * model.hidden_size * model.num_attention_heads * model.head_dim
    dense = 3 * model.hidden_size * model.intermediate_size
    moe = model.moe
    experts = 3 * model.hidden_size * (moe.num_experts * moe.expert_intermediate_size) if moe else 0
    shared = 3 * model.hidden_size * moe.shared_intermediate_size if moe else 0
    each_layer = attention + max(dense, experts + shared)
    return model.num_hidden_layers * each_layer + 2 * model.vocab_size * model.hidden_size + model.extra_parameters
