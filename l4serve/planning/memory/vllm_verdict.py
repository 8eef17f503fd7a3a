"""From what a start takes and how its cache is laid out to the answer: does it fit, with what margin, and why not."""

from __future__ import annotations

from l4serve.config.frozen import frozen
from l4serve.planning.machines.gpus import Gpu
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.graphs import largest_captured
from l4serve.planning.memory.kv_cache import KvLayout
from l4serve.planning.memory.towers import whole_item
from l4serve.planning.memory.vllm_activations import BatchLimits, Question
from l4serve.planning.memory.vllm_cache import prefix_states
from l4serve.planning.models.model_shape import LayerKind
from l4serve.planning.values.quantity import GIB

LATE_UNCERTAINTY_GIB = 0.15


@frozen(kw_only=True)
class Parts:
    """GiB of one rank beside the KV cache.

    `inside` is what the release subtracts from its share before it sizes the cache. `late` is what it allocates
    afterwards beyond the activations it set aside, and must find outside the share: graphs or a workspace that it does
    not count, the sampler's warm-up. `loading` is the most that loading the weights holds.
    """

    weights: float
    activation: float
    non_torch: float
    graphs: float
    workspace: float
    inside: float
    late: float
    loading: float


def context_outside(question: Question) -> float:
    """What the CUDA context takes of the card beside the engine's share, where the release does not count it within."""
    return 0.0 if question.generation.counts_context else question.gpu.context_gib


def verdict(
    question: Question, parts: Parts, layout: KvLayout, usable: float, uncertainty: float, notes: tuple[str, ...]
) -> Fit:
    """The answer for one rank; `usable` is the GiB that the engine may take."""
    gpu, limits, encoder = question.gpu, question.limits, question.model.is_encoder
    left = usable - parts.inside
    beside = context_outside(question)
    outside = gpu.total_gib - beside - usable - parts.late
    blocks = max(0, int(left * GIB) // layout.block_bytes)
    enough = max(0, int(left * GIB) // layout.needed_bytes)
    if question.options.fits_length and not encoder:
        # The engine shortens the context after it has profiled the whole of it (`_auto_fit_max_model_len`, 0.14.0).
        limits = BatchLimits(max(1, layout.longest(enough, limits.max_model_len)), limits.seqs, limits.batched_tokens)
    needed = 0 if encoder else layout.blocks_for(limits.max_model_len)
    states = _blocks_of_states(question)
    concurrency = float(limits.seqs) if encoder else blocks / needed
    apart = (*_states_apart(question), *_long_block(question, layout), *_split_item(question))
    holds = _stated_size(question, blocks, needed)
    reasons = (*_reasons(gpu, beside, parts, left, usable, enough, needed, limits, layout, holds), *apart)
    if not reasons and blocks < states:
        reasons = (_too_many_sequences(blocks, states),)
    ceiling = max(limits.max_model_len, question.model.max_position_embeddings)
    least = layout.blocks_for(1) if question.options.fits_length else needed
    margin = left - max(least * layout.needed_bytes, states * layout.block_bytes) / GIB
    widths = (uncertainty, LATE_UNCERTAINTY_GIB)
    if encoder:
        margin = outside
    elif question.options.states_cache:  # what the cache holds is arithmetic; whether the card holds it is not
        widths = (0.0, max(widths))
    return Fit(
        fits=not reasons,
        margin_is_uncertain=not apart and _is_uncertain(margin, widths[0], outside, widths[1]),
        weights_gib=parts.weights,
        activation_gib=parts.activation,
        non_torch_gib=parts.non_torch,
        cuda_graph_gib=parts.graphs,
        workspace_gib=parts.workspace,
        late_gib=parts.late,
        kv_room_gib=max(0.0, left),
        shortage_gib=max(0.0, -left),
        kv_cache_tokens=0 if encoder else int(concurrency * limits.max_model_len),
        max_concurrency=concurrency,
        max_model_len=limits.max_model_len,
        largest_max_model_len=ceiling if encoder else layout.longest(enough, ceiling) if blocks >= states else 0,
        usable_gib=usable,
        total_gib=gpu.total_gib,
        uncertainty_gib=uncertainty,
        spare_gib=max(0.0, min(margin, outside)),
        reasons=reasons,
        notes=notes,
    )


def _blocks_of_states(question: Question) -> int:
    """Blocks that a start demands for the states of a batch, whatever it will hold: one for each sequence.

    Only where decoding is captured whole: of a whole batch (`resolve_cudagraph_mode_and_sizes` of
    vllm/config/compilation.py, 0.20.0), or of the largest captured one, which gated layers alone check and a draft's
    steps do not (`causal_conv1d_update` as qwen3_next.py calls it, 0.11.0 to 0.17.1).
    """
    graphs, options, state = question.options.graphs, question.options, question.model.linear_state
    demanded = question.generation.demands_states
    if demanded == "none" or state is None or options.is_eager or options.pooling or (graphs and graphs.piecewise):
        return 0
    if demanded == "all":
        return question.limits.seqs
    if not state.is_gated or options.num_speculative_tokens:
        return 0
    return largest_captured(options, question.generation, question.limits)


def _too_many_sequences(blocks: int, states: int) -> str:
    return (
        f"a batch of {states} sequences needs as many blocks for their linear-attention states and the cache has "
        f"{blocks}, so the engine captures no graphs and stops; lower maxNumSeqs (--max-num-seqs)"
    )


def _stated_size(question: Question, blocks: int, needed: int) -> str:
    """What sets the size of the cache, where that is the operator: words for the end of a reason."""
    if question.options.gpu_blocks is not None:
        return f": numGpuBlocksOverride (--num-gpu-blocks-override) sets {blocks} blocks, and {needed} are the least"
    if question.options.kv_cache_memory_bytes is not None:
        return ": kvCacheMemoryBytes (--kv-cache-memory-bytes) sets that size"
    return ""


def _states_apart(question: Question) -> tuple[str, ...]:
    """States of linear-attention layers and keys of attention lie in one pool only by the hybrid KV cache manager."""
    kinds = question.model.count_layers(LayerKind.FULL), question.model.count_layers(LayerKind.LINEAR)
    if question.options.groups_layers or not all(kinds):
        return ()
    return ("the hybrid KV cache manager, which this model needs, is turned off",)


def _long_block(question: Question, layout: KvLayout) -> tuple[str, ...]:
    """A block as long as a state is large, of which a step must hold one where states are kept for prefixes."""
    state, kept = question.model.linear_state, prefix_states(question)
    if state is None or kept is None or (kept == "all" and state.chunk > 0):
        return ()
    if not question.generation.bounds_state_blocks or layout.full_block <= question.limits.batched_tokens:
        return ()
    return (
        f"with prefix caching a step must hold a block of {layout.full_block} tokens, as large as a layer's state, and "
        f"has {question.limits.batched_tokens} (maxNumBatchedTokens): the engine stops; raise them, or leave "
        "enablePrefixCaching",
    )


def _split_item(question: Question) -> tuple[str, ...]:
    """An item that must be read in one step, which is too small for it."""
    limits = question.limits
    item = whole_item(question.model, question.options, limits.seqs, limits.max_model_len, question.generation)
    if item <= limits.batched_tokens:
        return ()
    asked, tower = question.options.whole_items, question.model.vision
    what = "video" if tower is not None and tower.videos else "picture"
    other = "remove --disable-chunked-mm-input" if asked else f"allow no {what}s (--limit-mm-per-prompt)"
    return (
        f"a step must hold a whole {what} of {item} tokens and has {limits.batched_tokens} (maxNumBatchedTokens, "
        f"--max-num-batched-tokens): the engine stops; raise them, or {other}",
    )


def _is_uncertain(inside: float, inside_width: float, outside: float, outside_width: float) -> bool:
    """Whether the tighter of the two margins, inside the engine's share and outside it, may be wrong in sign."""
    inside_is_close, outside_is_close = abs(inside) < inside_width, abs(outside) < outside_width
    if inside >= 0 and outside >= 0:
        return inside_is_close or outside_is_close
    return (inside >= 0 or inside_is_close) and (outside >= 0 or outside_is_close)


def _reasons(
    gpu: Gpu,
    beside: float,
    parts: Parts,
    left: float,
    usable: float,
    blocks: int,
    needed: int,
    limits: BatchLimits,
    layout: KvLayout,
    holds: str,
) -> tuple[str, ...]:
    reasons = []
    free = gpu.total_gib - gpu.context_gib
    if parts.loading > max(free, parts.weights):
        need = f"loading holds {parts.loading:.2f} GiB of weights, the unquantised ones with them"
        reasons.append(f"{need}, and {free:.2f} GiB are free; vLLM 0.16 or newer makes one layer after the other")
    free = gpu.total_gib - beside
    if usable > free:
        reasons.append(f"the engine asks for {usable:.2f} GiB but only {free:.2f} GiB are free when it starts")
    elif usable + parts.late > free:
        need = f"CUDA graphs, workspace and sampler warm-up need {parts.late:.2f} GiB after the cache is allocated"
        reasons.append(f"{need} and the settings leave {free - usable:.2f} GiB outside the engine's share")
    if needed and left <= 0:
        need = f"weights, activations and overheads need {parts.inside:.2f} GiB"
        reasons.append(f"{need} and the engine may use {usable:.2f} GiB: nothing is left for the KV cache")
    elif blocks < needed:
        reasons.append(
            f"one sequence of {limits.max_model_len} tokens needs {needed * layout.needed_bytes / GIB:.2f} GiB of "
            f"KV cache and {left:.2f} GiB are left{holds}"
        )
    return tuple(reasons)
