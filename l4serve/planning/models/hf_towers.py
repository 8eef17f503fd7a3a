"""Reads the vision and audio towers of a config.json: what they weigh, and their largest item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from l4serve.planning.models.hearing import COUNTS, audio_facts, count_audio_parameters
from l4serve.planning.models.hf_values import ModelConfigError, mapping, optional
from l4serve.planning.models.model_shape import VisionFacts
from l4serve.planning.models.vision import (
    WIDTHS,
    count_pixtral_parameters,
    count_pooled,
    count_vision_parameters,
    count_words,
    is_pixtral,
    number,
    pixtral_facts,
    vision_facts,
)

Config = Mapping[str, object]


def tower_parameters(config: Config, traits: Mapping[str, Any], hidden: int, model_id: str) -> tuple[int, int]:
    """Parameters of the towers before a decoder of this width, those that see and those that hear.

    Raises ModelConfigError for a file that is none.
    """
    tower, ears = traits.get("vision", {}), traits.get("audio", {})
    vision, audio = _tower(config, tower, model_id, "vision_config"), _tower(config, ears, model_id, "audio_config")
    try:
        if vision is not None and is_pixtral(vision, tower):
            return count_pixtral_parameters(vision, hidden, _merge(config, tower, model_id)), 0
        pictures = count_vision_parameters(
            vision,
            hidden,
            tower.get("deepstack", 0),
            tower.get("positions", 0),
            tower.get("queries", 0),
            tower.get("merge", 1),
            gated_merger=bool(tower.get("gatedMerger", False)),
            projection=_projection(config, vision, tower, hidden, model_id),
        )
        convolved = int(tower.get("parameters", 0)) if vision is not None else 0
        if audio is not None and "count" in ears:
            return pictures + convolved, COUNTS[ears["count"]](config, audio, hidden)
        conformer = bool(traits.get("conformer", False))
        return pictures + convolved, count_audio_parameters(audio, hidden, conformer=conformer)
    except ValueError as error:
        what = f"`vision_config` or `audio_config` in config.json cannot be read: {error}"
        raise ModelConfigError(f"{model_id}: {what}; take the file from the model's repository") from None


def _tower(config: Config, traits: Mapping[str, Any], model_id: str, usual: str) -> Config | None:
    """A tower's part of a file, with what its class has by itself (`is`) or in its place (`over`); None without one.

    `at` are the keys on the way to it where it is not under the usual one; a class may fix all of it (`fixed`).
    """
    if "fixed" in traits:
        fixed: Config = traits["fixed"]
        return fixed
    part = _part_at(config, traits.get("at", (usual,)), model_id)
    return None if part is None else {**traits.get("is", {}), **part, **traits.get("over", {})}


def _part_at(config: Config, path: Sequence[str], model_id: str) -> Config | None:
    """A part some keys deep in a file; None where the file has none."""
    part: Config | None = config
    for key in path:
        part = mapping(part, model_id, key) if part is not None else None
    return part


def _number_at(config: Config, path: Sequence[str], model_id: str) -> int:
    """A number some keys deep in a file; 0 where the file has none."""
    part = _part_at(config, path[:-1], model_id)
    return (optional(part, model_id, path[-1]) if part is not None else None) or 0


def _projection(
    config: Config, vision: Config | None, tower: Mapping[str, Any], hidden: int, model_id: str
) -> int | None:
    """Parameters between a tower's blocks and the decoder where they are those of Molmo or Ovis; else None."""
    if vision is None:
        return None
    width = number(vision, *WIDTHS)
    if "pooled" in tower:
        inner = _number_at(config, tower["pooled"], model_id) // tower.get("pooledOver", 1)
        return count_pooled(width, inner, hidden)
    if "words" in tower:
        words = _number_at(config, tower["words"], model_id)
        return count_words(width, int(tower["perToken"]), words, hidden)
    return None


def tower_facts(config: Config, traits: Mapping[str, Any], model_id: str) -> VisionFacts | None:
    """The shape of the tower that sees, or of the one that hears where none does; None without one.

    `traits` are what its class leaves to its defaults.
    """
    tower, ears = traits.get("vision", {}), traits.get("audio", {})
    vision, audio = _tower(config, tower, model_id, "vision_config"), _tower(config, ears, model_id, "audio_config")
    if vision is None and audio is not None and "tokens" in ears:
        return audio_facts(audio, ears)
    if vision is not None and is_pixtral(vision, tower):
        return pixtral_facts(vision, _merge(config, tower, model_id))
    scale = optional(config, model_id, "scale_factor") or 1
    words = _number_at(config, tower["words"], model_id) if "words" in tower else 0
    per_image = optional(config, model_id, "mm_tokens_per_image")
    facts = vision_facts(vision, per_image, tower, _tiles(config, tower, model_id), scale, words)
    text = config.get("text_config")
    both_ways = isinstance(text, Mapping) and text.get("use_bidirectional_attention") == "vision"
    whole = both_ways or "Gemma3ForConditionalGeneration" in _classes(config)
    return replace(facts, whole=True) if facts is not None and whole else facts


def _tiles(config: Config, tower: Mapping[str, Any], model_id: str) -> int:
    """Tiles of the largest picture of a tower that makes tokens of all their patches, 0 for another tower.

    They are the whole picture, and the tiles of the largest of the sizes that the file lists.
    """
    most, vision = int(tower.get("tiles", 0)), mapping(config, model_id, "vision_config") or {}
    sizes, side = config.get("image_grid_pinpoints"), optional(vision, model_id, "image_size")
    if not most or not side or not isinstance(sizes, list | tuple):
        return most
    areas = [size[0] * size[1] for size in sizes if _is_size(size)]
    return 1 + max(areas, default=0) // side**2


def _is_size(size: object) -> bool:
    return isinstance(size, list | tuple) and len(size) == 2 and all(type(each) is int for each in size)


def _classes(config: Config) -> tuple[object, ...]:
    named = config.get("architectures")
    return tuple(named) if isinstance(named, list | tuple) else ()


def _merge(config: Config, tower: Mapping[str, Any], model_id: str) -> int:
    """Side of the square of patches that become one token of a Pixtral tower: the file's, else the class's own."""
    return optional(config, model_id, "spatial_merge_size") or int(tower.get("pixtral", 1))
