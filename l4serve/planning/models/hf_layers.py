"""Reads from a config.json which layers keep all of a sequence, a window of it or a state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from l4serve.config.secrecy.secret_shapes import excerpt
from l4serve.planning.models.hf_values import (
    MOST_LAYERS,
    MOST_OF_A_LENGTH,
    WITHOUT,
    Config,
    ModelConfigError,
    largest,
    optional,
    refuse_value,
)
from l4serve.planning.models.model_shape import LayerKind

FULL_ATTENTION_INTERVAL = 4
"""Where a file with linear attention has no other, as Qwen3-Next's and Qwen3.5's own classes fill in."""

NO_ROPE_INTERVAL = 4
"""Llama 4 rotates no positions in every so many layers where its file lists none (transformers' Llama4TextConfig)."""
_KIND_OF_LAYER_TYPE = {
    "full_attention": LayerKind.FULL,
    "attention": LayerKind.FULL,
    "sliding_attention": LayerKind.SLIDING,
    "chunked_attention": LayerKind.SLIDING,
    "linear_attention": LayerKind.LINEAR,
}


def layer_kinds(text: Config, traits: Mapping[str, Any], layers: int, model_id: str) -> tuple[LayerKind, ...]:
    types = text.get("layer_types")
    if isinstance(types, (list, tuple)):
        return _kinds_of_types(types, text, layers, model_id)
    if types is not None:
        refuse_value(model_id, "layer_types", types, "a list")
    if text.get("linear_num_value_heads"):
        interval = optional(text, model_id, "full_attention_interval") or FULL_ATTENTION_INTERVAL
        return tuple(LayerKind.LINEAR if (i + 1) % interval else LayerKind.FULL for i in range(layers))
    if optional(text, model_id, "attention_chunk_size"):
        return _rotated(text, layers)
    if not text.get("sliding_window") or text.get("use_sliding_window") is False:
        return ()
    if traits.get("slidesAll"):
        return (LayerKind.SLIDING,) * layers
    every = text.get("sliding_window_pattern") or text.get("_sliding_window_pattern") or traits.get("slidingPattern")
    if type(every) is not int or not 0 < every <= MOST_LAYERS:
        return ()
    return tuple(LayerKind.SLIDING if (i + 1) % every else LayerKind.FULL for i in range(layers))


def _rotated(text: Config, layers: int) -> tuple[LayerKind, ...]:
    """Llama 4: a layer that rotates positions sees the chunk that a token is in, one that does not sees everything."""
    listed = text.get("no_rope_layers")
    if not isinstance(listed, list | tuple) or len(listed) != layers:
        listed = [(i + 1) % NO_ROPE_INTERVAL for i in range(layers)]
    return tuple(LayerKind.SLIDING if rotated else LayerKind.FULL for rotated in listed)


def _kinds_of_types(
    types: list[object] | tuple[object, ...], text: Config, layers: int, model_id: str
) -> tuple[LayerKind, ...]:
    unknown = sorted({excerpt(t, 40) for t in types} - _KIND_OF_LAYER_TYPE.keys())[:5]
    if unknown or len(types) != layers:
        what = f"layer types {', '.join(unknown)}" if unknown else f"{len(types)} layer types for {layers} layers"
        raise ModelConfigError(f"{model_id}: `layer_types` has {what}; {WITHOUT}")
    kinds = tuple(_KIND_OF_LAYER_TYPE[str(t)] for t in types)
    if text.get("use_sliding_window") is False:
        kinds = tuple(LayerKind.FULL if k is LayerKind.SLIDING else k for k in kinds)
    return () if set(kinds) == {LayerKind.FULL} else kinds


def window_of(text: Config, kinds: tuple[LayerKind, ...], model_id: str) -> int | None:
    if LayerKind.SLIDING in kinds and (chunk := optional(text, model_id, "attention_chunk_size")):
        return chunk + 1
    window = largest("sliding_window", text.get("sliding_window"))
    if isinstance(window, str | float | Mapping) or window is True:
        refuse_value(model_id, "sliding_window", window, "a whole number")
    return window if LayerKind.SLIDING in kinds and type(window) is int and 0 < window <= MOST_OF_A_LENGTH else None
