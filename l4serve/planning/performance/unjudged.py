"""What the performance model has no measurement of at all, and therefore no answer to."""

from __future__ import annotations

from l4serve.planning.machines.gpus import Gpu
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.quantizations import activation_dtype, weight_format
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.performance.card_speeds import all_card_speeds
from l4serve.planning.performance.kernel_rates import measured_engine

ABOUT = "; it took 0 to 9 % less time than vLLM on an L4, so an estimate with vllm tells about how fast"
"""Of TGI 3.0: 200 conversation starters in 19.9 s as vLLM, 10 prompts of 10,000 tokens in 49.8 s against 55, both
without a cached prefix (huggingface/text-generation-inference docs/source/conceptual/chunking.md @042791fb)."""
UNMEASURED_FORMATS = {"bitsandbytes", "experts_int8", "modelopt_fp4", "mxfp4"}
"""Formats whose kernels no point tells of; the others have the kernels of FP8, INT8 or Marlin."""


def unjudged(model: ModelShape, gpu: Gpu, options: ServingOptions) -> str | None:
    """Why nobody can say how fast this is; None where the model judges it."""
    if options.engine != measured_engine():
        return (
            f"speed: nobody measured {options.engine.upper()} on a card of the table under a load that is stated{ABOUT}"
        )
    if gpu.name not in all_card_speeds():
        return f"speed: what {gpu.name} reads and computes in a second is in no source"
    if model.is_encoder or options.pooling:
        return "speed: the model makes no tokens"
    if model.is_hybrid:
        return "speed: nobody measured linear attention"
    if model.encoder_positions:
        return "speed: nobody measured a decoder that attends to an encoder"
    stored = weight_format(model, options)
    if stored is not None and stored.name in UNMEASURED_FORMATS:
        return f"speed: nobody measured {stored.name} weights"
    if options.pipeline_parallel_size > 1:
        return "speed: nobody measured pipeline stages"
    if options.num_speculative_tokens:
        return "speed: how many drafted tokens are accepted depends on the texts"
    if activation_dtype(model, options) == "float32":
        return "speed: nobody measured what a card multiplies in float32"
    if options.expert_parallel and options.tensor_parallel_size > 1:
        return "speed: nobody measured experts that each lie on one card: which of them wait depends on the texts"
    if options.cpu_offload_gib:
        return "speed: weights that are read from host memory are not modelled"
    return None
