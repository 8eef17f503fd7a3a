"""What an engine finds when it starts on a card."""

from __future__ import annotations

from l4serve.planning.machines.gpus import Gpu
from l4serve.planning.memory.constants import Constants, fitted_constants
from l4serve.planning.memory.engine_memory import engine_memory
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.generations import MemoryModelError
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.towers import encodes_items
from l4serve.planning.models.model_shape import LayerKind, ModelShape


def estimate(model: ModelShape, gpu: Gpu, options: ServingOptions, constants: Constants | None = None) -> Fit:
    """What the engine will find when it starts on this GPU.

    Raises MemoryModelError when a dtype, quantisation or version is unknown to the model.
    """
    unjudged = (*options.unjudged, *(_of_tower(model, options) if encodes_items(model, options) else ()))
    if options.context_ranks > 1 and (model.is_hybrid or model.count_layers(LayerKind.SLIDING)):
        unjudged = (*unjudged, "--decode-context-parallel-size beside windows or states")
    if unjudged:
        raise MemoryModelError(f"{', '.join(unjudged)}: moves memory and is not modelled")
    return engine_memory(options.engine).estimate(model, gpu, options, constants or fitted_constants())


def _of_tower(model: ModelShape, options: ServingOptions) -> tuple[str, ...]:
    """Settings of a tower that are not modelled; a bound on pixels is, where videos are pictures in steps."""
    stepwise = model.vision is not None and model.vision.steps
    bound = () if options.max_pixels is None or stepwise else ("max_pixels of the picture processor",)
    return (*options.unjudged_towers, *bound)
