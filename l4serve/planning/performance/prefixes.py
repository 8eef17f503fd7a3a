"""What a prefix cache spares: tokens at the beginning of a prompt that another one left there."""

from __future__ import annotations

from l4serve.planning.machines.gpus import Gpu
from l4serve.planning.memory.kv_cache import BLOCK_TOKENS
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.vllm import generation_of
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.performance.card_speeds import Bound, Span
from l4serve.planning.performance.load import Load

BOUND = Bound(token=Span(0.2, 0.14), rate=Span(0.2, 0.25), wait=Span(0.4, 0.4))
"""An H100 alone was measured so (benchmarks/performance/prefix_points.jsonl): the smaller a card's bandwidth is beside
that of its second-level cache, the earlier a token comes."""
OFTEN = (
    "the prefix cache is on, and prompts are taken to share nothing: what it holds of one is not computed again "
    "(--shared-prefix-tokens of estimate and advise)"
)
SHARED = (
    f"the shared beginning of prompts is in the prefix cache, in whole blocks of {BLOCK_TOKENS} tokens: not computed, "
    "kept once, and read by every sequence, by all but the first from the card's second-level cache; it was measured "
    "on an H100 alone, so the bound is wider"
)
OFF = "no prefix cache is on, so the shared beginning is computed with every prompt"


def keeps_prefixes(model: ModelShape, gpu: Gpu, options: ServingOptions) -> bool:
    """Whether the engine keeps what prompts begin with: as it is told, else unless V0 serves."""
    asked = options.enable_prefix_caching
    return generation_of(model, gpu, options).runner != "v0" if asked is None else asked


def told(load: Load, *, keeps: bool) -> tuple[str, ...]:
    """What is taken for granted of the beginnings of a load's prompts."""
    if load.shared_tokens:
        return (SHARED if keeps else OFF,)
    return (OFTEN,) if keeps else ()
