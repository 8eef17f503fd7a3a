"""What an architecture means that its config.json does not say: `data/architectures.json` read once."""

import re
from functools import cache
from typing import Any

from l4serve.config.data_file import load_data


@cache
def _architecture_table() -> dict[str, Any]:
    table: dict[str, Any] = load_data(__file__, "architectures.json")
    return table


def traits_of(architecture: str) -> dict[str, Any]:
    """What config.json files of an architecture leave unsaid."""
    table = _architecture_table()
    return {**table["default"], **table["architectures"].get(architecture, {})}


def unmodelled_keys() -> dict[str, str]:
    """Keys of a config.json that change a model's size and that nothing here reads, each with what it does."""
    keys: dict[str, str] = _architecture_table()["unmodelled"]
    return keys


@cache
def kinds_of_types() -> dict[str, frozenset[str]]:
    """Kinds of models, each with the model types that are of it, without dashes and underscores."""
    kinds = _architecture_table()["kinds"]
    return {kind: frozenset(re.sub("[-_]", "", name).lower() for name in names) for kind, names in kinds.items()}


def listed_keys() -> dict[str, str]:
    """Keys of one number for which published files have a list, each with the files: of no other key a list is read."""
    keys: dict[str, str] = _architecture_table()["listed"]
    return keys
