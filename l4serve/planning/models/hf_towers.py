"""Reads the vision and audio towers of a config.json: what they weigh, and their largest item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from l4serve.planning.models.hf_values import ModelConfigError, mapping, optional
from l4serve.planning.models.model_shape import VisionFacts
from l4serve.planning.models.vision import (
    count_audio_parameters,
    count_pixtral_parameters,
    count_vision_parameters,
    is_pixtral,
    pixtral_facts,
    vision_facts,
)

Config = Mapping[str, object]


def tower_parameters(config: Config, traits: Mapping[str, Any], hidden: int, model_id: str) -> int:
    """Parameters of all towers before a decoder of this width; raises ModelConfigError for a file that is none."""
    vision, audio = (mapping(config, model_id, key) for key in ("vision_config", "audio_config"))
    tower, conformer = traits.get("vision", {}), bool(traits.get("conformer", False))
    try:
        if vision is not None and is_pixtral(vision, tower):
            return count_pixtral_parameters(vision, hidden, _merge(config, tower, model_id))
        pictures = count_vision_parameters(
            vision,
            hidden,
            tower.get("deepstack", 0),
            tower.get("positions", 0),
            tower.get("queries", 0),
            tower.get("merge", 1),
        )
        convolved = int(tower.get("parameters", 0)) if vision is not None else 0
        return pictures + convolved + count_audio_parameters(audio, hidden, conformer=conformer)
    except ValueError as error:
        what = f"`vision_config` or `audio_config` in config.json cannot be read: {error}"
        raise ModelConfigError(f"{model_id}: {what}; take the file from the model's repository") from None


def tower_facts(config: Config, tower: Mapping[str, Any], model_id: str) -> VisionFacts | None:
    """The vision tower's shape, None without one; `tower` is what its class leaves to its defaults."""
    vision = config.get("vision_config")
    if isinstance(vision, Mapping) and is_pixtral(vision, tower):
        return pixtral_facts(vision, _merge(config, tower, model_id))
    facts = vision_facts(vision, optional(config, model_id, "mm_tokens_per_image"), tower)
    text = config.get("text_config")
    both_ways = isinstance(text, Mapping) and text.get("use_bidirectional_attention") == "vision"
    whole = both_ways or "Gemma3ForConditionalGeneration" in _classes(config)
    return replace(facts, whole=True) if facts is not None and whole else facts


def _classes(config: Config) -> tuple[object, ...]:
    named = config.get("architectures")
    return tuple(named) if isinstance(named, list | tuple) else ()


def _merge(config: Config, tower: Mapping[str, Any], model_id: str) -> int:
    """Side of the square of patches that become one token of a Pixtral tower: the file's, else the class's own."""
    return optional(config, model_id, "spatial_merge_size") or int(tower.get("pixtral", 1))
