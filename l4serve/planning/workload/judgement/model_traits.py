"""What the engine's rules look at in a model, from its shape."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

from l4serve.engines.traits import ModelTraits
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.models.model_shape import LayerKind, ModelShape
from l4serve.planning.models.named_classes import named_class


@lru_cache(maxsize=1024)
def model_traits(shape: ModelShape | None, model_id: str) -> ModelTraits:
    """What the engine's rules look at in a model; of an unknown one its id and the class by it."""
    if shape is None:
        return ModelTraits(id=model_id, architecture=named_class(model_id))
    state = shape.linear_state if shape.is_mamba and shape.linear_state and not shape.linear_state.step_rank else None
    return ModelTraits(
        id=model_id,
        architecture=shape.architecture,
        num_attention_heads=shape.num_attention_heads,
        num_key_value_heads=shape.num_key_value_heads,
        state_heads=state.num_value_heads if state and state.num_key_heads else None,
        state_groups=state.num_key_heads if state and state.num_key_heads else None,
        purpose=shape.purpose,
        latent_attention=shape.mla is not None,
        head_dim=shape.head_dim,
        hidden_size=shape.hidden_size,
        vocab_size=shape.vocab_size,
        max_position_embeddings=shape.max_position_embeddings if shape.attends else None,
        dtype=shape.torch_dtype,
        quantization_method=shape.quantization.method if shape.quantization else None,
        quantization_group=shape.quantization.group_size if shape.quantization else None,
        quantization_bits=shape.quantization.bits if shape.quantization else None,
        quantization_floats=shape.quantization.floats if shape.quantization else None,
        quantization_symmetric=shape.quantization.symmetric if shape.quantization else None,
        quantization_activation_bits=shape.quantization.activation_bits if shape.quantization else None,
        intermediate_size=shape.intermediate_size,
        expert_intermediate_size=shape.moe.expert_intermediate_size if shape.moe else None,
        windowed=set(shape.layer_kinds) == {LayerKind.SLIDING},
        cache_groups=_cache_groups(shape),
        shared_intermediate_size=shape.moe.shared_intermediate_size if shape.moe else None,
    )


def _cache_groups(shape: ModelShape) -> Literal["states", "windows"] | None:
    """What a model's layers keep beside whole contexts; chunks are left out, as releases differ in their blocks."""
    kinds = set(shape.layer_kinds)
    if kinds & {LayerKind.LINEAR, LayerKind.BOTH}:
        return "states"
    return "windows" if {LayerKind.FULL, LayerKind.SLIDING} <= kinds and not shape.sees_chunks else None


def draft_vocab_size(speculative: Mapping[str, Any] | None) -> int | None:
    """Tokens that the draft of an engine's speculative object knows; None where it names no model of the catalogue."""
    name = (speculative or {}).get("model")
    draft = find_model(str(name)) if name else None
    return draft.vocab_size if draft else None
