"""Parts of a model that only some have, out of its config.json: experts, latent attention, linear attention."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

from l4serve.config.frozen import frozen
from l4serve.planning.models.hf_values import Config, flag, integer, optional, refuse_value, word
from l4serve.planning.models.model_shape import LinearStateFacts, MlaFacts, MoeFacts
from l4serve.planning.models.state_space import StateSpaceLayers

_SHARED_WIDTHS = (
    "shared_expert_intermediate_size",
    "moe_shared_expert_intermediate_size",
    "shared_intermediate_size",
    "share_expert_dim",
)
COUNTS_OF_EXPERTS = ("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts")
"""How many experts a layer has: `moe_num_experts` in ERNIE 4.5 and Step 3.5."""
EXPERTS_OF_A_TOKEN = ("num_experts_per_tok", "experts_per_token", "top_k_experts", "moe_k", "moe_top_k")
_MOST_OF_A_FACTOR = 2**10


@frozen()
class AttendedEncoder:
    """An encoder that a decoder attends to: its parameters with those of that attention, and its positions."""

    parameters: int
    positions: int


NO_ENCODER = AttendedEncoder(0, 0)


def attended_encoder(text: Config, hidden: int, layers: int, model_id: str) -> AttendedEncoder:
    """The encoder of Whisper: two convolutions over the spectrum, positions of its own, attention and two matrices."""
    positions = integer(text, model_id, "max_source_positions")
    attention = 4 * hidden * hidden + 3 * hidden
    width = integer(text, model_id, "encoder_ffn_dim")
    each = attention + 2 * hidden * width + width + hidden
    convolved = 3 * hidden * (integer(text, model_id, "num_mel_bins") + hidden)
    held = hidden * (positions + integer(text, model_id, "max_target_positions"))
    encoded = integer(text, model_id, "encoder_layers") * each
    return AttendedEncoder(encoded + layers * attention + convolved + held, positions)


def adjusted_width(text: Config, width: int, defaults: Mapping[str, Any] | None, model_id: str) -> int:
    """The MLP's width that a class makes of the stated one: two thirds of it, a factor of them, rounded up.

    `defaults` are those of its keys (`Lfm2MLP` of vLLM's lfm2.py); None of a class that takes the width as it stands.
    """
    if defaults is None:
        return width
    if not flag(text, model_id, "block_auto_adjust_ff_dim", default=bool(defaults["block_auto_adjust_ff_dim"])):
        return width
    factor = text.get("block_ffn_dim_multiplier")
    factor = 1 if factor is None else factor
    if isinstance(factor, bool) or not isinstance(factor, int | float) or not 0 < factor < _MOST_OF_A_FACTOR:
        refuse_value(model_id, "block_ffn_dim_multiplier", factor, "a number above 0")
    step = optional(text, model_id, "block_multiple_of") or defaults["block_multiple_of"]
    return int(step) * ceil(int(factor * int(2 * width / 3)) / step)


def mixture(
    text: Config, traits: Mapping[str, Any], layers: int, mamba: StateSpaceLayers | None, model_id: str
) -> MoeFacts | None:
    experts = optional(text, model_id, *COUNTS_OF_EXPERTS)
    if not experts:
        return None
    width = optional(text, model_id, "moe_intermediate_size", "expert_intermediate_size") or integer(
        text, model_id, "intermediate_size"
    )
    sharing = optional(text, model_id, "n_shared_experts", "moe_num_shared_experts") or traits.get("sharedExperts", 0)
    shared = optional(text, model_id, *_SHARED_WIDTHS) or width * sharing
    dense = optional(text, model_id, "first_k_dense_replace", "num_dense_layers", "moe_layer_start_index") or 0
    if every := optional(text, model_id, "interleave_moe_layer_step"):
        dense = layers - layers // every
    if mamba is not None and mamba.expert_layers is not None:
        dense = layers - mamba.expert_layers
    return MoeFacts(
        num_experts=experts,
        num_experts_per_tok=optional(text, model_id, *EXPERTS_OF_A_TOKEN) or 1,
        expert_intermediate_size=width,
        shared_intermediate_size=shared or _dense_beside_experts(text, model_id),
        num_dense_layers=dense,
        expert_bias=bool(traits.get("expertBias", False)),
        latent_size=optional(text, model_id, "moe_latent_size"),
    )


def _dense_beside_experts(text: Config, model_id: str) -> int:
    """Gemma 4 runs its dense MLP beside the experts in every layer."""
    if not text.get("enable_moe_block"):
        return 0
    return optional(text, model_id, "intermediate_size") or 0


def latent_attention(text: Config, model_id: str) -> MlaFacts | None:
    rank = optional(text, model_id, "kv_lora_rank")
    if not rank:
        return None
    return MlaFacts(
        kv_lora_rank=rank,
        q_lora_rank=optional(text, model_id, "q_lora_rank"),
        qk_nope_head_dim=integer(text, model_id, "qk_nope_head_dim"),
        qk_rope_head_dim=integer(text, model_id, "qk_rope_head_dim"),
        v_head_dim=integer(text, model_id, "v_head_dim"),
    )


def linear_state(text: Config, traits: Mapping[str, Any], model_id: str) -> LinearStateFacts | None:
    if not text.get("linear_num_value_heads"):
        return None
    return LinearStateFacts(
        num_key_heads=integer(text, model_id, "linear_num_key_heads"),
        num_value_heads=integer(text, model_id, "linear_num_value_heads"),
        key_head_dim=integer(text, model_id, "linear_key_head_dim"),
        value_head_dim=integer(text, model_id, "linear_value_head_dim"),
        conv_kernel=integer(text, model_id, "linear_conv_kernel_dim"),
        state_dtype=word(text, model_id, "mamba_ssm_dtype") or traits.get("stateDtype"),
    )
