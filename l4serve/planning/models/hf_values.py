"""Reads the values of a config.json, each of the one kind that its key has, and says which key is at fault."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from l4serve.config.secret_shapes import excerpt
from l4serve.planning.models.architecture_traits import listed_keys

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


def refuse_value(model_id: str, key: str, value: object, wanted: str) -> NoReturn:
    """Raises ModelConfigError for a value that is not of the kind that its key has."""
    raise ModelConfigError(f"{model_id}: `{key}` is {excerpt(repr(value), 40)} in config.json; it must be {wanted}")


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
        value = largest(key, value)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            refuse_value(model_id, key, value, "a whole number from 0 on")
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
