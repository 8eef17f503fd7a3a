"""Towers of vLLM's classes that a model's file says nothing of."""

from __future__ import annotations

from l4serve.engines.releases.resolution import resolve_contract, stand_in
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.towers import takes_media
from l4serve.planning.models.model_shape import ModelShape


def has_unread_tower(model: ModelShape, options: ServingOptions) -> bool:
    """Whether the engine's class sees or hears and nothing of that could be read of the model's file."""
    if model.extra_parameters or model.encoder_parameters or not takes_media(options):
        return False
    version = stand_in(options.engine, options.engine_version) or options.engine_version
    served = resolve_contract(options.engine, version).contract.served(model.architecture)
    return served is not None and served.kind == "multimodal"
