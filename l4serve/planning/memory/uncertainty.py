"""How wide an answer is: residuals of what was measured, and allowances for what was not."""

from __future__ import annotations

from math import hypot

from l4serve.planning.memory.constants import Constants
from l4serve.planning.memory.generations import Generation, vllm_generation
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.quantizations import WeightFormat, activation_dtype, dtype_bytes, weight_format
from l4serve.planning.memory.rank_parameters import rank_parameters
from l4serve.planning.memory.towers import encodes_items
from l4serve.planning.memory.weights import left_behind_bytes
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.values.edited import edited
from l4serve.planning.values.quantity import GIB


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
        width["perLayerGib"] if model.per_layer_width else 0.0,
        width["draftGib"] if options.draft_weights_gib else 0.0,
        _plain_layer_gib(model, options) if options.sleeps else 0.0,
    )


def _tower_width(
    model: ModelShape, options: ServingOptions, generation: Generation, constants: Constants, tower: float
) -> float:
    """A part of the tower's peak where its largest item is known; the whole of what others were seen to take if not."""
    width = constants.uncertainty
    if not encodes_items(model, options):
        return 0.0
    if model.vision is None or model.vision.tokens_per_item is None:
        return width["unknownTowerGib"]
    looked_up = generation.looks_up_positions or not model.vision.frames
    measured = model.vision.is_measured and generation.overheads == "late" and looked_up
    return hypot(width["towerGib"], width["tower" if measured else "unmeasuredTower"] * tower)


def _weights_width(model: ModelShape, options: ServingOptions, constants: Constants, weights: float) -> float:
    width = constants.uncertainty
    stored = None if options.weights_gib is not None else weight_format(model, options)
    if stored is None:
        return width["weights"] * weights
    relative = width["quantizedExperts"] if model.is_moe else width["quantizedWeights"]
    return hypot(relative * weights, _left_behind_gib(model, options, stored) if stored.online else 0.0)


def _left_behind_gib(model: ModelShape, options: ServingOptions, stored: WeightFormat) -> float:
    """What an online format may leave behind beside what is counted: the difference that the order of its matrices
    makes where the allocator's way is known, else one layer's linear weights in the model's own dtype."""
    generation = vllm_generation(options.engine_version) if options.engine == "vllm" else None
    if generation is not None and generation.loads_unsplit and model.moe is None:
        by_files, by_modules = (
            left_behind_bytes(model, edited(options, load_format=way), stored, generation) for way in (None, "dummy")
        )
        return abs(by_files - by_modules) / GIB
    return _plain_layer_gib(model, options)


def _plain_layer_gib(model: ModelShape, options: ServingOptions) -> float:
    """One layer's linear weights in the model's own type: what loading leaves at most in a pool that gives none back
    (`use_memory_pool` of vllm/device_allocator/cumem.py, where the engine can sleep)."""
    parameters = rank_parameters(model, options.tensor_parallel_size)
    linear = parameters.attention + parameters.dense_mlp + parameters.experts
    return linear / model.num_hidden_layers * dtype_bytes(activation_dtype(model, options)) / GIB
