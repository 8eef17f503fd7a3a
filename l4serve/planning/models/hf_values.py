"""Reads whole numbers out of a config.json, and says which key is at fault."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Config = Mapping[str, Any]

MOST_OF_A_WIDTH = 2**20
"""Of any width, count or rank; the widest published one is a tenth of it."""
MOST_OF_A_LENGTH = 2**32
"""Of positions and windows, in tokens."""
_LENGTHS = frozenset(
    {"max_position_embeddings", "n_positions", "max_seq_len", "vocab_size", "vocab_size_per_layer_input"}
)


class ModelConfigError(ValueError):
    """A config.json that cannot be read as a decoder model; the message names the key and the remedy."""


def optional(config: Config, model_id: str, *keys: str) -> int | None:
    """The first of some keys that the file has; None where it has none. Raises ModelConfigError for what is none."""
    for key in keys:
        value = config.get(key)
        if value is None:
            continue
        if isinstance(value, (list, tuple)) and value and all(type(item) is int for item in value):
            value = max(value)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            shown = repr(value)[:40]
            raise ModelConfigError(f"{model_id}: `{key}` is {shown} in config.json; it must be a whole number")
        most = MOST_OF_A_LENGTH if key in _LENGTHS else MOST_OF_A_WIDTH
        if value > most:
            raise ModelConfigError(f"{model_id}: `{key}` is above {most} in config.json; no model has that many")
        return value
    return None


def integer(config: Config, model_id: str, *keys: str) -> int:
    """The first of some keys that the file has, above 0. Raises ModelConfigError."""
    value = optional(config, model_id, *keys)
    if not value:
        raise ModelConfigError(
            f"{model_id}: config.json lacks `{keys[0]}`; give the config.json of a decoder-only language model "
            "(an adapter or a tokenizer has none)"
        )
    return value
