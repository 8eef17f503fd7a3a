"""The peak of activations in an engine's profile run."""

from __future__ import annotations

from l4serve.planning.memory.constants import Constants
from l4serve.planning.memory.rank_parameters import rank_kv_heads
from l4serve.planning.models.model_shape import ModelShape


def forward_peak_bytes(
    model: ModelShape,
    tokens: int,
    tensor_parallel: int,
    element: int,
    constants: Constants,
    context_rows: int = 0,
) -> float:
    """Bytes alive at the widest point of one decoder layer over `tokens` tokens.

    The widest point is the MLP (gate, up and their product), the attention (queries, keys, values and output) or the
    experts (each token's rows for every chosen expert), beside a few copies of the hidden state. Latent attention makes
    keys and values of `context_rows` tokens of the context at once, while experts keep their rows.
    """
    hidden = constants.hidden_buffers * model.hidden_size
    width = max(_mlp_width(model, tensor_parallel), _attention_width(model, tensor_parallel))
    widest = tokens * element * (hidden + width)
    if model.mla is None or not context_rows:
        return widest
    heads = model.num_attention_heads / tensor_parallel
    queries = heads * (model.mla.qk_nope_head_dim + model.mla.qk_rope_head_dim + model.mla.v_head_dim)
    expanded = context_rows * heads * (model.mla.qk_nope_head_dim + model.mla.v_head_dim)
    attention = element * (tokens * (hidden + queries) + expanded)
    return max(widest, attention + expert_workspace_bytes(model, tokens, tensor_parallel, element))


def compiled_peak_bytes(
    model: ModelShape, tokens: int, tensor_parallel: int, element: int, constants: Constants
) -> float:
    """Bytes alive while a compiled model is profiled for the first time: a copy of the rank's embedding table.

    A start that finds the compiled model in its cache takes less; a new pod's cache is empty.
    """
    table = model.vocab_size * model.hidden_size * element / tensor_parallel
    return table + constants.compiled_hidden_buffers * tokens * model.hidden_size * element


def sampler_peak_bytes(model: ModelShape, rows: int, tokens: int, element: int, bytes_per_logit: float) -> float:
    """Bytes alive while `rows` sequences are sampled over the whole vocabulary, beside the last hidden state."""
    return rows * model.vocab_size * bytes_per_logit + tokens * model.hidden_size * element


def expert_workspace_bytes(model: ModelShape, tokens: int, tensor_parallel: int, element: int) -> float:
    """Bytes that experts keep between layers, and so while sequences are sampled: each token's rows for its experts.

    Experts without a gate keep two rows of the wider of what they take and what they make of it (Nemotron 3 Nano and
    Super: 5,376 numbers each, as measured).
    """
    if model.moe is None:
        return 0.0
    width = model.moe.expert_intermediate_size / tensor_parallel
    row = model.expert_inputs + 2 * width if model.gated_mlp else 2 * max(model.expert_inputs, width)
    return tokens * model.moe.num_experts_per_tok * row * element


def _mlp_width(model: ModelShape, tp: int) -> float:
    copies = 3 if model.gated_mlp else 2
    if model.moe is None:
        return copies * model.intermediate_size / tp
    expert = model.moe.expert_intermediate_size / tp
    taken = model.expert_inputs
    if not model.gated_mlp:  # what workspaces keep, rows in and out, and the shared expert's beside them
        kept = 2 * max(taken, expert) + 2 * taken
        return model.moe.num_experts_per_tok * kept + model.moe.shared_intermediate_size / tp
    # Gate, up, their product and one copy; experts with biases clamp gate and up into copies first.
    widths = 6 if model.moe.expert_bias else 4
    rows = model.moe.num_experts_per_tok * (widths * expert + taken)
    return max(rows, copies * model.moe.shared_intermediate_size / tp)


def _attention_width(model: ModelShape, tp: int) -> float:
    queries = model.num_attention_heads / tp * (model.full_head_dim or model.head_dim)
    keys = rank_kv_heads(model.num_key_value_heads, tp) * model.head_dim
    return 2 * queries + 2 * keys
