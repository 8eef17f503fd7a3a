"""Overrides of a config.json, held against the bounds of the file: each value by itself, for they come without one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from l4serve.config.secrecy.secret_shapes import excerpt
from l4serve.planning.models.hf_parts import COUNTS_OF_EXPERTS
from l4serve.planning.models.hf_quantization import quantization_from_config
from l4serve.planning.models.hf_values import (
    DECODER_LAYERS,
    DTYPES,
    HEAD_WIDTHS,
    LAYERS,
    POSITIONS,
    Config,
    count_fault,
    dtype_fault,
)
from l4serve.planning.models.rope import ROPE_KEYS, rope_faults, scaled_context
from l4serve.planning.models.shape_checks import quantization_faults

_PARTS = ("text_config", "llm_config", "language_config")
_QUANTIZATIONS = ("quantization_config", "compression_config")
_SIZES = (
    *(*POSITIONS, *HEAD_WIDTHS, *LAYERS, *DECODER_LAYERS, "vocab_size"),
    *("hidden_size", "n_embd", "d_model", "intermediate_size", "ffn_hidden_size", "n_inner", "decoder_ffn_dim"),
    *("num_attention_heads", "n_head", "num_heads", "decoder_attention_heads"),
    *("num_key_value_heads", "num_kv_heads", "n_head_kv", "global_head_dim", "num_global_key_value_heads"),
    *("seq_length", "model_max_length", "max_sequence_length", "max_seq_length", "seq_len"),
)
"""Sizes and lengths that are above 0 where a file has them; the last ones are lengths that only a release reads."""
_COUNTS = (
    *(*COUNTS_OF_EXPERTS, "num_experts_per_tok", "moe_k", "moe_intermediate_size"),
    *("kv_lora_rank", "q_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim", "num_kv_shared_layers"),
)


def override_faults(overrides: Config, stated: int) -> Iterator[str]:
    """What no config.json may say, with the key that says it; `stated` is the context of the model without them.

    None takes a value away, which a file may lack too.
    """
    for part in _PARTS:
        if part not in overrides:
            continue
        if isinstance(inner := overrides[part], Mapping):
            yield from (f"{part}: {fault}" for fault in override_faults(inner, stated))
        else:
            yield _no_mapping(part, inner)
    for key in (*_SIZES, *_COUNTS):
        least = 1 if key in _SIZES else 0
        if (value := overrides.get(key)) is not None and (fault := count_fault(key, value, least)):
            yield "; ".join(fault)
    for key in DTYPES:
        if (value := overrides.get(key)) is not None:
            yield from _dtype_faults(key, value)
    for key in (*ROPE_KEYS, *_QUANTIZATIONS):
        if (value := overrides.get(key)) is not None and not isinstance(value, Mapping):
            yield _no_mapping(key, value)
            return
    yield from _rope_faults(overrides, stated)
    for key in _QUANTIZATIONS:
        yield from _quantization_faults(key, overrides.get(key))


def _no_mapping(key: str, value: object) -> str:
    return f"`{key}` is {excerpt(repr(value), 40)}; it must be a mapping"


def _dtype_faults(key: str, value: Any) -> Iterator[str]:
    if fault := dtype_fault(key, value) if isinstance(value, str) else (f"`{key}` is no text", "name a type of torch"):
        yield "; ".join(fault)


def _rope_faults(overrides: Config, stated: int) -> Iterator[str]:
    """Faults of a rotary scaling; its sections are of the model's heads, which overrides need not tell."""
    length = next((found for key in POSITIONS if type(found := overrides.get(key)) is int and found > 0), stated)
    rest = {name: value for name, value in overrides.items() if name not in ROPE_KEYS}
    for given in (*({key: overrides[key]} for key in ROPE_KEYS if key in overrides), rest):
        named = "" if given is rest else f"`{next(iter(given))}`: "
        try:
            if fault := next(rope_faults(given, None), None):
                yield f"{named}{fault}"
            else:
                scaled_context(given, "", length)
        except ValueError as error:
            yield f"{named}{error}"


def _quantization_faults(key: str, given: Any) -> Iterator[str]:
    try:
        # Without a method these are changes of the file's own.
        stored = quantization_from_config({"quant_method": "gptq", **given} if given else None)
        faults = [*quantization_faults(stored)] if stored else []
    except (AttributeError, IndexError, OverflowError, TypeError, ValueError) as error:
        faults = [str(error)]
    yield from (f"`{key}`: {fault}" for fault in faults)
