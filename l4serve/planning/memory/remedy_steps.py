"""Edits of a cache's type, of a model's weights and of where they are kept, each a step that a remedy may take."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from l4serve.config.frozen import frozen
from l4serve.engines.releases.profile import engine_profile
from l4serve.planning.machines.gpus import Gpu
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.generations import kernels
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.weights import layer_bytes
from l4serve.planning.models.catalogue import quantized_variants
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.values.edited import edited
from l4serve.planning.values.quantity import GIB

EIGHT_BITS = 8
OFFLOADED_GIB = (1, 2, 4, 6, 8, 12, 16, 24, 32)
"""GiB of weights that a remedy keeps in host memory. More would read longer over the bus than anyone waits."""
OFFLOAD_COST = 9


@frozen()
class Step:
    """A candidate: the model and options it leads to and how it is written."""

    model: ModelShape
    options: ServingOptions
    edit: tuple[tuple[str, object], ...] = ()
    quality_cost: int = 0


Judge = Callable[[Step], Fit]


def extend(base: Step, options: ServingOptions, key: str, value: object, cost: int) -> Step:
    """The step with one more edit, which leads to these options."""
    return Step(base.model, options, (*base.edit, (key, value)), base.quality_cost + cost)


def cache_edits(base: Step) -> Iterator[Step]:
    """A cache of half the size, where it is as wide as the activations."""
    options = base.options
    if options.kv_cache_dtype not in (None, "auto", "bfloat16", "float16"):
        return
    value = engine_profile(options.engine).smaller["cache"]
    yield extend(base, edited(options, kv_cache_dtype=value), "engine.kvCacheDtype", value, 3)


def weight_edits(gpu: Gpu, base: Step) -> Iterator[Step]:
    """Formats that the engine makes while it loads, then checkpoints of the same model in fewer bits."""
    model, options = base.model, base.options
    if options.weights_gib is not None or options.quantization is not None or model.quantization is not None:
        return
    profile = engine_profile(options.engine)
    key, eight, four = profile.path("quantization"), profile.smaller["eightBit"], profile.smaller["fourBit"]
    runs = kernels(options.engine, options.engine_version, gpu.compute_capability)["marlin"] is not False
    if runs or not eight.startswith("fp8"):
        yield extend(base, edited(options, quantization=eight), key, eight, 4)
    if not model.is_moe:
        yield extend(base, edited(options, quantization=four), key, four, 5)
    for variant in quantized_variants(model):
        bits = variant.quantization.bits if variant.quantization else 16
        cost = 4 if bits >= EIGHT_BITS else 5
        yield Step(variant, options, (*base.edit, ("model.id", variant.id)), base.quality_cost + cost)


def offload_edits(base: Step) -> Iterator[Step]:
    """More and more of the layers in host memory, half of them at the most, where the release moves them there."""
    options, profile = base.options, engine_profile(base.options.engine)
    if "offload" not in profile.fields or options.cpu_offload_gib:
        return
    most = layer_bytes(base.model, options) / GIB / 2
    for gib in (amount for amount in OFFLOADED_GIB if amount <= most):
        yield extend(base, edited(options, cpu_offload_gib=float(gib)), profile.path("offload"), gib, OFFLOAD_COST)
