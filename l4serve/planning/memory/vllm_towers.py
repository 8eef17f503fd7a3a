"""Towers of vLLM's classes that a model's file says nothing of."""

from __future__ import annotations

from l4serve.engines.releases.contract import contract_versions, load_contract
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.towers import takes_media
from l4serve.planning.models.model_shape import ModelShape


def has_unread_tower(model: ModelShape, options: ServingOptions) -> bool:
    """Whether the engine's class sees or hears and nothing of that could be read of the model's file."""
    if model.extra_parameters or model.encoder_parameters or not takes_media(options):
        return False
    known = contract_versions(options.engine)
    version = options.engine_version if options.engine_version in known else known[-1]
    served = load_contract(options.engine, version).served(model.architecture)
    return served is not None and served.kind == "multimodal"
