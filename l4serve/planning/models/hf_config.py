"""Reads a Hugging Face config.json into ModelShape, and says which key is at fault when it cannot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from math import ceil
from typing import Any, TypeVar

from l4serve.config.secrecy.secret_shapes import excerpt
from l4serve.planning.models.architecture_traits import traits_of, unmodelled_keys
from l4serve.planning.models.config_checks import config_faults
from l4serve.planning.models.hf_blocks import blocks_of
from l4serve.planning.models.hf_layers import layer_kinds, window_of
from l4serve.planning.models.hf_parts import (
    NO_ENCODER,
    adjusted_width,
    attended_encoder,
    latent_attention,
    linear_state,
    mixture,
)
from l4serve.planning.models.hf_quantization import quantization_from_config
from l4serve.planning.models.hf_towers import tower_facts, tower_parameters
from l4serve.planning.models.hf_values import (
    DTYPES,
    HEAD_WIDTHS,
    LAYERS,
    POSITIONS,
    WITHOUT,
    Config,
    ModelConfigError,
    dtype_fault,
    flag,
    integer,
    mapping,
    optional,
    refuse_fault,
    refuse_value,
    word,
)
from l4serve.planning.models.model_shape import LayerKind, ModelShape, QuantizationFacts
from l4serve.planning.models.rope import ROPE_KEYS, scaled_context, table_stretch
from l4serve.planning.models.shape_checks import shape_fault
from l4serve.planning.models.state_space import StateSpaceError, StateSpaceLayers, state_space_layers

Number = TypeVar("Number", int, float)

_LONGEST_NAME = 200

_MLP_WIDTHS = ("intermediate_size", "ffn_hidden_size", "n_inner", "decoder_ffn_dim")
_STATE_SPACE_KEYS = ("hybrid_override_pattern", "mamba_n_heads", "mamba_d_state", "ssm_state_size", "state_size")


def shape_from_config(config: Mapping[str, object], *, model_id: str, source: str) -> ModelShape:
    """The facts that a config.json states, with its architecture's defaults filled in.

    Raises ModelConfigError when a key that memory depends on is absent or is not a positive number.
    """
    architecture = _architecture(config, model_id)
    config = mapping(config, model_id, "thinker_config") or config  # Qwen-Omni has one that speaks beside it
    text = _text_config(config, model_id)
    _modelled(text, model_id)
    traits = traits_of(architecture)
    hidden = integer(text, model_id, "hidden_size", "n_embd", "d_model")
    layers = integer(text, model_id, *traits.get("layers", ()), *LAYERS)
    mamba = _state_space(text, traits, layers, model_id)
    heads, head_dim = _heads(text, mamba, hidden, model_id)
    blocks = blocks_of(text, hidden, layers, model_id)
    keeping = mamba if mamba and mamba.keeps_states else None
    kinds = keeping.kinds if keeping else blocks.kinds if blocks else layer_kinds(text, traits, layers, model_id)
    sharing = optional(text, model_id, "num_kv_shared_layers") or 0
    width, wide_layers = (max(blocks.widths), None) if blocks else _mlp(text, traits, hidden, layers, sharing, model_id)
    seeing, hearing = tower_parameters(config, traits, hidden, model_id)
    encoder = attended_encoder(text, hidden, layers, model_id) if traits.get("attendsToEncoder") else NO_ENCODER
    facts = ModelShape(
        id=model_id,
        architecture=architecture,
        num_hidden_layers=layers,
        hidden_size=hidden,
        num_attention_heads=heads,
        num_key_value_heads=heads // blocks.group if blocks else _key_value_heads(text, heads, model_id),
        head_dim=head_dim,
        vocab_size=integer(text, model_id, "vocab_size"),
        intermediate_size=width,
        tie_word_embeddings=_tied(config, text, bool(traits["tied"]), model_id),
        max_position_embeddings=_context(text, architecture, model_id),
        torch_dtype=_dtype(config, text, model_id),
        source=source,
        gated_mlp=bool(traits["gatedMlp"]),
        attention_bias=flag(text, model_id, "attention_bias", default=bool(traits.get("attentionBias", False))),
        attention_output_gate=flag(text, model_id, "attn_output_gate"),
        layer_kinds=kinds,
        sliding_window=window_of(text, kinds, model_id),
        sees_chunks=LayerKind.SLIDING in kinds and bool(text.get("attention_chunk_size")),
        full_head_dim=optional(text, model_id, "global_head_dim"),
        full_key_value_heads=optional(text, model_id, "num_global_key_value_heads"),
        full_keys_are_values=flag(text, model_id, "attention_k_eq_v"),
        kv_shared_layers=sharing,
        rope_caches=int(traits.get("ropeCaches", 1)),
        rope_stretch=_rope(table_stretch, text, architecture, traits.get("ropeStretch", 1), model_id),
        moe=mixture(text, traits, layers, mamba, model_id),
        mla=latent_attention(text, model_id),
        linear_state=keeping.state if keeping else linear_state(text, traits, model_id),
        mlp_layers=wide_layers or (mamba.mlp_layers if mamba else None),
        mlp_widths=sum(blocks.widths) if blocks else None,
        encoder_parameters=encoder.parameters,
        encoder_positions=encoder.positions,
        extra_parameters=seeing + hearing,
        audio_parameters=hearing,
        per_layer_width=optional(text, model_id, "hidden_size_per_layer_input") or 0,
        per_layer_vocab_size=optional(text, model_id, "vocab_size_per_layer_input") or 0,
        vision=tower_facts(config, traits, model_id),
        is_encoder=bool(traits.get("encoder", False)),
        purpose="score" if _labels(config) == 1 and "SequenceClassification" in architecture else None,
        quantization=_quantization(config, text, model_id),
    )
    _refuse_contradictions(config, text, facts)
    return facts


def _refuse_contradictions(config: Config, text: Config, facts: ModelShape) -> None:
    """Raises ModelConfigError with the first contradiction of a file."""
    if fault := _fault(config, text, facts):
        raise ModelConfigError(f"{facts.id}: config.json contradicts itself: {fault}; give it as the repository has it")


def _fault(config: Config, text: Config, facts: ModelShape) -> str | None:
    """The first contradiction of a file: in the shape that it gives, or between its parts."""
    try:
        return shape_fault(facts) or next(config_faults(config, text, facts), None)
    except ValueError as error:
        if isinstance(error, ModelConfigError):
            raise
        return str(error)


def _modelled(text: Config, model_id: str) -> None:
    """Raises ModelConfigError for a key that changes the model's size and is not read."""
    for key, effect in unmodelled_keys().items():
        if text.get(key):
            raise ModelConfigError(f"{model_id}: `{key}` {effect}, which is not modelled; {WITHOUT}")


def _labels(config: Config) -> int | None:
    """Classes of a classifier, or None where the file has none; one class is a score."""
    labels = config.get("id2label")
    counted = config.get("num_labels")
    return len(labels) if isinstance(labels, Mapping) else counted if type(counted) is int else None


def _context(text: Config, architecture: str, model_id: str) -> int:
    stated = optional(text, model_id, *POSITIONS) or 2048
    for key in ROPE_KEYS:
        mapping(text, model_id, key)
    return _rope(scaled_context, text, architecture, stated, model_id)


def _rope(
    reads: Callable[[Config, str, Any], Number], text: Config, architecture: str, default: Any, model_id: str
) -> Number:
    """What `reads` makes of the rotary scaling, in our words where it cannot."""
    try:
        return reads(text, architecture, default)
    except ValueError as error:
        what = f"the rotary scaling in config.json cannot be read: {error}"
        raise ModelConfigError(f"{model_id}: {what}; take the file from the model's repository") from None


def _tied(config: Config, text: Config, default: bool, model_id: str) -> bool:
    return flag(
        text, model_id, "tie_word_embeddings", default=flag(config, model_id, "tie_word_embeddings", default=default)
    )


def _dtype(config: Config, text: Config, model_id: str) -> str:
    found = ((key, word(source, model_id, key)) for key in DTYPES for source in (text, config))
    key, named = next(((key, named) for key, named in found if named), ("", "bfloat16"))
    refuse_fault(model_id, dtype_fault(key, named))
    return named


def _state_space(text: Config, traits: Mapping[str, Any], layers: int, model_id: str) -> StateSpaceLayers | None:
    """The state-space layers of a class that this reader knows; those of others hold a state of unknown shape."""
    if keys := traits.get("stateSpace"):
        try:
            return state_space_layers(text, keys, layers, partial(integer, text, model_id))
        except StateSpaceError as error:
            raise ModelConfigError(f"{model_id}: config.json: {error}; its memory is not judged") from None
    found = next((key for key in _STATE_SPACE_KEYS if text.get(key)), None)
    if found:
        raise ModelConfigError(
            f"{model_id}: `{found}` in config.json is of Mamba layers; their memory is not judged: start "
            "it once on such a card, and take the engine's own `GPU KV cache size` for its cache"
        )
    return None


def _architecture(config: Config, model_id: str) -> str:
    names = config.get("architectures")
    if not isinstance(names, (list, tuple)) or not names:
        raise ModelConfigError(
            f"{model_id}: config.json has no `architectures`; take the whole file from the model's repository"
        )
    if not isinstance(names[0], str):
        refuse_value(model_id, "architectures", names, "a list of the names of classes")
    return names[0] if len(names[0]) <= _LONGEST_NAME else excerpt(names[0], _LONGEST_NAME)


def _text_config(config: Config, model_id: str) -> Config:
    parts = [mapping(config, model_id, key) for key in ("text_config", "llm_config", "language_config")]
    return next((part for part in parts if part is not None), config)


def _heads(text: Config, mamba: StateSpaceLayers | None, hidden: int, model_id: str) -> tuple[int, int]:
    """Attention heads and their width; where no layer attends, those that split what the state holds."""
    if mamba is not None and not mamba.attends:
        return mamba.state.num_value_heads, mamba.state.value_head_dim
    heads = integer(text, model_id, "num_attention_heads", "n_head", "num_heads", "decoder_attention_heads")
    return heads, _head_dim(text, hidden, heads, model_id)


def _mlp(
    text: Config, traits: Mapping[str, Any], hidden: int, layers: int, sharing: int, model_id: str
) -> tuple[int, int | None]:
    """Width of the MLPs, and how many layers' worth of them there are where it is not one for each.

    Layers without a cache of their own (`sharing` of them) may have twice the width.
    """
    stated = optional(text, model_id, *traits.get("mlpWidth", ()), *_MLP_WIDTHS) or 4 * hidden
    stated //= traits.get("mlpShare", 1)
    usual = adjusted_width(text, stated, traits.get("adjustedMlp"), model_id)
    if sharing and text.get("use_double_wide_mlp"):
        return 2 * usual, ceil((layers + sharing) / 2)
    return usual, None


def _head_dim(text: Config, hidden: int, heads: int, model_id: str) -> int:
    width = optional(text, model_id, *HEAD_WIDTHS) or hidden // heads
    if not width:
        fault = f"config.json spreads a `hidden_size` of {hidden} over {heads} heads"
        raise ModelConfigError(f"{model_id}: {fault}; give it as the repository has it")
    return width


def _quantization(config: Config, text: Config, model_id: str) -> QuantizationFacts | None:
    keys = ("quantization_config", "compression_config")
    parts = [mapping(source, model_id, key) for key in keys for source in (text, config)]
    found = next(filter(None, parts), None)
    try:
        return quantization_from_config(found)
    except (AttributeError, IndexError, OverflowError, TypeError, ValueError) as error:
        what = f"`quantization_config` in config.json cannot be read: {error}"
        raise ModelConfigError(f"{model_id}: {what}; take the file from the model's repository") from None


def _key_value_heads(text: Config, heads: int, model_id: str) -> int:
    if text.get("multi_query") and not text.get("new_decoder_architecture"):
        return 1
    found = optional(text, model_id, "num_key_value_heads", "num_kv_heads", "n_head_kv")
    if found == 0 and heads:
        refuse_value(model_id, "num_key_value_heads", found, "a whole number from 1 on")
    return found or heads
