"""How wide an answer is: residuals of what was measured, and allowances for what was not."""

from __future__ import annotations

from math import hypot

from l4serve.planning.memory.constants import Constants
from l4serve.planning.memory.generations import GIB, Generation
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.quantizations import activation_dtype, dtype_bytes, weight_format
from l4serve.planning.memory.towers import loads_tower
from l4serve.planning.memory.weights import rank_parameters
from l4serve.planning.models.model_shape import ModelShape


def uncertainty_gib(
    model: ModelShape,
    options: ServingOptions,
    generation: Generation,
    constants: Constants,
    weights: float,
    activation: float,
    tower: float,
) -> float:
    """GiB by which the KV cache may be off either way; independent parts add in quadrature."""
    width = constants.uncertainty
    ranks = options.tensor_parallel_size * options.pipeline_parallel_size
    return hypot(
        width["floorGib"],
        width["activation"] * activation,
        _weights_width(model, options, constants, weights),
        width["earlyGib"] if generation.overheads != "late" else 0.0,
        width["parallelGib"] if ranks > 1 else 0.0,
        _tower_width(model, options, generation, constants, tower),
        width["hybridGib"] if model.is_hybrid else 0.0,
        width["draftGib"] if options.draft_weights_gib else 0.0,
    )


def _tower_width(
    model: ModelShape, options: ServingOptions, generation: Generation, constants: Constants, tower: float
) -> float:
    """A part of the tower's peak where its largest item is known; the whole of what others were seen to take if not."""
    width = constants.uncertainty
    if not loads_tower(model, options):
        return 0.0
    if model.vision is None or model.vision.tokens_per_item is None:
        return width["unknownTowerGib"]
    measured = model.vision.is_measured and generation.overheads == "late"
    return hypot(width["towerGib"], width["tower" if measured else "unmeasuredTower"] * tower)


def _weights_width(model: ModelShape, options: ServingOptions, constants: Constants, weights: float) -> float:
    width = constants.uncertainty
    stored = None if options.weights_gib is not None else weight_format(model, options)
    if stored is None:
        return width["weights"] * weights
    relative = width["quantizedExperts"] if model.is_moe else width["quantizedWeights"]
    leftover = _plain_layer_gib(model, options) if stored.online else 0.0
    return hypot(relative * weights, leftover)


def _plain_layer_gib(model: ModelShape, options: ServingOptions) -> float:
    """One layer's linear weights in the model's own dtype: what an online format may leave behind."""
    parameters = rank_parameters(model, options.tensor_parallel_size)
    linear = parameters.attention + parameters.dense_mlp + parameters.experts
    return linear / model.num_hidden_layers * dtype_bytes(activation_dtype(model, options)) / GIB
