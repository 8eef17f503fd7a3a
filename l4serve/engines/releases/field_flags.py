"""Which flags and variables carry a typed field: `data/fields.yaml`, or the field's own name."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from l4serve.config.data_file import load_data

NO_FLAG = frozenset({"kind", "version", "image", "contract"})
"""Fields that say which engine it is, not what it is told."""

LORA_FLAGS: Mapping[str, str] = {
    "lora": "--enable-lora",
    "lora.adapters": "--lora-modules",
    "lora.maxRank": "--max-lora-rank",
    "lora.maxLoras": "--max-loras",
}
"""Flags of vLLM's adapters: one field with keys of its own."""


@cache
def engine_table(name: str) -> Mapping[str, Mapping[str, Any]]:
    """A data file with one mapping per engine."""
    table: Mapping[str, Mapping[str, Any]] = load_data(__file__, f"{name}.yaml")
    return table


@cache
def flag_names(kind: str, field: str) -> tuple[str, ...]:
    """Flags and variables that may carry a field, the wanted first."""
    return tuple(engine_table("fields")[kind].get(to_camel(field), ["--" + field.replace("_", "-")]))


@cache
def field_owners(model: type[BaseModel], kind: str) -> Mapping[str, str]:
    """Flags and variables of the typed fields, with the field's path."""
    fields = (field for field in model.model_fields if field not in NO_FLAG)
    return {name: f"engine.{to_camel(field)}" for field in fields for name in flag_names(kind, field)}
