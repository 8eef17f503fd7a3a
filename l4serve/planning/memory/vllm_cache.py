"""How a vLLM release lays out the cache of a workload, and what it demands of it."""

from __future__ import annotations

from typing import Literal

from l4serve.planning.memory.kv_cache import KvLayout, kv_layout
from l4serve.planning.memory.vllm_activations import Question
from l4serve.planning.values.edited import edited


def cache_layout(question: Question) -> KvLayout:
    """The cache of one rank; some releases ask each pipeline stage to hold a sequence of the layers of all stages."""
    options, generation, limits = question.options, question.generation, question.limits

    def over(stages: int) -> KvLayout:
        return kv_layout(
            question.model,
            edited(options, pipeline_parallel_size=stages),
            grouped=generation.groups_sliding(question.model, options),
            in_flight_tokens=generation.in_flight_batches * limits.batched_tokens,
            batched_tokens=limits.batched_tokens,
            prefix_states=prefix_states(question),
        )

    layout = over(options.pipeline_parallel_size)
    if not generation.demands_all_stages or options.gpu_blocks is not None:
        return layout
    return edited(layout, demanded_bytes=over(1).block_bytes)


def prefix_states(question: Question) -> Literal["all", "align"] | None:
    """Which states are kept for prefixes: the release's way, or the one that the operator names."""
    options, generation = question.options, question.generation
    if not generation.caches_prefixes(question.model, options):
        return None
    asked = options.mamba_cache_mode
    return "all" if asked == "all" else "align" if asked == "align" else generation.prefix_states
