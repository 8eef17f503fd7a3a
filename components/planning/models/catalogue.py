"""Open models that people serve on L4 GPUs, from `data/catalogue.json`."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

from components.planning.models.facts import ModelFacts
from components.planning.models.hf_config import facts_from_config


@cache
def _entries() -> dict[str, dict[str, Any]]:
    text = files("components.planning.models").joinpath("data/catalogue.json").read_text(encoding="utf-8")
    entries: dict[str, dict[str, Any]] = {}
    for entry in json.loads(text)["models"]:
        for name in (entry["id"], *entry.get("aliases", ())):
            entries[name.lower()] = entry
    return entries


@cache
def _facts(canonical: str) -> ModelFacts:
    entry = _entries()[canonical]
    facts = facts_from_config(entry["config"], model_id=entry["id"], source=entry["source"])
    return replace(
        facts,
        gated=entry.get("gated", False),
        checkpoint_bytes=entry.get("checkpointBytes"),
    )


def find_model(model_id: str) -> ModelFacts | None:
    """The facts of a model by its Hub id or an alias of the same shape, in any case, or None."""
    entry = _entries().get(model_id.strip().lower())
    return None if entry is None else _facts(entry["id"].lower())


def all_models() -> tuple[ModelFacts, ...]:
    """Every catalogued model once, aliases left out."""
    return tuple(_facts(name) for name in dict.fromkeys(e["id"].lower() for e in _entries().values()))
