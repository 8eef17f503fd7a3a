"""CUDA graphs: how many batch sizes are captured, which is the largest, and what they take."""

from __future__ import annotations

from functools import lru_cache

from l4serve.planning.memory.constants import Constants
from l4serve.planning.memory.generations import Generation
from l4serve.planning.memory.options import GraphOptions, ServingOptions
from l4serve.planning.memory.vllm_activations import BatchLimits

INTERACTIVE_SIZES = 32
"""Up to where `--performance-mode interactivity` captures every size (`_set_cudagraph_sizes`, 0.17.0 to 0.26.0)."""

STEPS_FROM = 256
"""From where on sizes are as far apart as the release says; below they are multiples of eight."""


def graph_gib(sizes: int, layers: int, constants: Constants) -> float:
    """GiB of CUDA graphs for this many captured batch sizes of a model with this many layers."""
    share = constants.graph_mib
    return (share["base"] + sizes * (share["perSize"] + share["perSizeAndLayer"] * layers)) / 1024 if sizes else 0.0


def captured_graphs(options: ServingOptions, generation: Generation, limits: BatchLimits) -> int:
    """How many CUDA graphs the release captures: one for each batch size, and again for each with adapters."""
    asked = options.graphs or GraphOptions()
    if options.is_eager:
        return 0
    twice = 2 if options.lora is not None else 1
    if asked.sizes is not None:
        return len(set(asked.sizes)) * twice
    return capture_count(_largest(options, generation, limits), generation.graph_step, dense=_dense(options)) * twice


def largest_captured(options: ServingOptions, generation: Generation, limits: BatchLimits) -> int:
    """Sequences of the largest batch whose decoding is captured; 0 where no graph is."""
    asked = options.graphs or GraphOptions()
    if options.is_eager:
        return 0
    if asked.sizes is not None:
        return max((size for size in asked.sizes if size <= limits.seqs), default=0)
    most = min(limits.seqs, _largest(options, generation, limits))
    if most >= STEPS_FROM:
        return most - (most - STEPS_FROM) % generation.graph_step
    return max(size for size in (1, 2, 4, most - most % 8, min(most, _dense(options))) if size <= most)


def _largest(options: ServingOptions, generation: Generation, limits: BatchLimits) -> int:
    """The largest size that may be captured, in tokens, where they are not listed one by one."""
    if options.graphs is not None and options.graphs.largest is not None:
        return options.graphs.largest
    largest = min(generation.graph_ceiling, limits.batched_tokens)
    if generation.graph_seqs_factor:
        steps = 1 + options.num_speculative_tokens
        largest = min(largest, limits.seqs * steps * generation.graph_seqs_factor)
    return largest


def _dense(options: ServingOptions) -> int:
    return INTERACTIVE_SIZES if options.performance_mode == "interactivity" else 0


@lru_cache(maxsize=4096)
def capture_count(largest: int, step: int, *, dense: int = 0) -> int:
    """How many batch sizes are captured: 1, 2, 4, every 8th below 256 and every `step`th from there on.

    Every one up to `dense` is too.
    """
    stepped = len(range(8, min(largest + 1, STEPS_FROM), 8)) + len(range(STEPS_FROM, largest + 1, step))
    small = {1, 2, 4, *(size for size in range(1, dense + 1) if size % 8)}
    return stepped + sum(1 for size in small if size <= largest)
