"""Reads the values of a config.json, each of the one kind that its key has, and says which key is at fault."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NoReturn

from l4serve.config.secrecy.secret_shapes import excerpt
from l4serve.planning.models.architecture_traits import listed_keys

Config = Mapping[str, Any]

MOST_OF_A_WIDTH = 2**20
"""Of any width, count or rank; the widest published one is a tenth of it."""
MOST_OF_A_LENGTH = 2**32
"""Of positions and windows, in tokens."""
MOST_LAYERS = 1000
POSITIONS = ("max_position_embeddings", "n_positions", "max_seq_len", "max_target_positions")
LAYERS = ("num_hidden_layers", "n_layer", "num_layers")
DECODER_LAYERS = ("decoder_layers",)
DTYPES = ("torch_dtype", "dtype")
WITHOUT = "leave model.config out: the flags are then judged, and the memory is not"
"""The remedy for a file that says what is not modelled."""
HEAD_WIDTHS = ("head_dim", "attention_head_dim")
LENGTHS = frozenset({*POSITIONS, "vocab_size", "vocab_size_per_layer_input"})
ABOVE_ZERO = frozenset({*POSITIONS, *HEAD_WIDTHS})
"""Keys that a file may leave out, and whose 0 no engine starts with."""


_DTYPES = re.compile(
    r"(torch\.)?(auto|half|float|double|u?int(1|[2-8]|16|32|64)|long|short|char|byte|bool|bfloat16|float(16|32|64)"
    r"|float8_(e4m3fn|e4m3fnuz|e5m2|e5m2fnuz|e8m0fnu)|float4_e2m1fn_x2|complex(32|64|128))"
)
"""Types as torch names them, which Transformers looks a file's up by."""


class ModelConfigError(ValueError):
    """A config.json that cannot be read as a decoder model; the message names the key and the remedy."""


def refuse_value(model_id: str, key: str, value: object, wanted: str) -> NoReturn:
    """Raises ModelConfigError for a value that is not of the kind that its key has."""
    raise ModelConfigError(f"{model_id}: `{key}` is {excerpt(repr(value), 40)} in config.json; it must be {wanted}")


def refuse_fault(model_id: str, fault: tuple[str, str] | None) -> None:
    """Raises ModelConfigError for what is wrong with a value and what it must be."""
    if fault:
        raise ModelConfigError(f"{model_id}: {fault[0]} in config.json; {fault[1]}")


def largest(key: str, value: object) -> object:
    """The largest number of a list, under a key for which published files have one; else the value as it is."""
    if isinstance(value, (list, tuple)) and value and key in listed_keys() and all(type(item) is int for item in value):
        return max(value)
    return value


def mapping(config: Config, model_id: str, key: str) -> Config | None:
    """A part of a file that is a mapping; None where the file has none. Raises ModelConfigError for what is none."""
    value = config.get(key)
    if value is not None and not isinstance(value, Mapping):
        refuse_value(model_id, key, value, "a mapping")
    return value


def flag(config: Config, model_id: str, key: str, *, default: bool = False) -> bool:
    """A switch; `default` where the file has none. Raises ModelConfigError for a text, a list or a mapping."""
    value = config.get(key)
    if value is None:
        return default
    if not isinstance(value, bool) and value not in (0, 1):
        refuse_value(model_id, key, value, "true or false")
    return bool(value)


def word(config: Config, model_id: str, key: str) -> str | None:
    """A text; None where the file has none. Raises ModelConfigError for what is none."""
    value = config.get(key)
    if value is not None and not isinstance(value, str):
        refuse_value(model_id, key, value, "a text")
    return value


def optional(config: Config, model_id: str, *keys: str) -> int | None:
    """The first of some keys that the file has; None where it has none. Raises ModelConfigError for what is none."""
    for key in keys:
        value = config.get(key)
        if value is None:
            continue
        refuse_fault(model_id, count_fault(key, value))
        return int(largest(key, value))  # type: ignore[call-overload, no-any-return]
    return None


def dtype_fault(key: str, value: str) -> tuple[str, str] | None:
    """What is wrong with the type of a file's numbers, and what it must be; None for one that torch has."""
    fine = _DTYPES.fullmatch(value)
    return None if fine else (f"`{key}` is {excerpt(repr(value), 40)}", "it must be a type of torch, such as bfloat16")


def count_fault(key: str, value: object, least: int = 0) -> tuple[str, str] | None:
    """What is wrong with a size, count or length, and what it must be; None for one that a model may have."""
    counted, least = largest(key, value), 1 if key in ABOVE_ZERO else least
    if isinstance(counted, bool) or not isinstance(counted, int) or counted < least:
        return f"`{key}` is {excerpt(repr(value), 40)}", f"it must be a whole number from {least} on"
    most = MOST_OF_A_LENGTH if key in LENGTHS else MOST_LAYERS if key in (*LAYERS, *DECODER_LAYERS) else MOST_OF_A_WIDTH
    return (f"`{key}` is above {most}", "no model has that many") if counted > most else None


def integer(config: Config, model_id: str, *keys: str) -> int:
    """The first of some keys that the file has, above 0. Raises ModelConfigError."""
    value = optional(config, model_id, *keys)
    if not value:
        raise ModelConfigError(
            f"{model_id}: config.json lacks `{keys[0]}`; give the config.json of a decoder-only language model "
            "(an adapter or a tokenizer has none)"
        )
    return value
