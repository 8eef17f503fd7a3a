"""Config edits that make a model fit, each verified by the estimate, ordered by what they cost in money and quality."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import product

from l4serve.config.frozen import frozen
from l4serve.engines.releases.profile import engine_profile
from l4serve.planning.machines.gpus import Gpu
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.generations import masks_pairs, parse_version, vllm_generation
from l4serve.planning.memory.longest_context import longest_where
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.remedy_steps import Judge, Step, cache_edits, extend, offload_edits, weight_edits
from l4serve.planning.memory.stated_cache import mended_size, stated_cache
from l4serve.planning.memory.towers import encodes_items, largest_item_tokens
from l4serve.planning.memory.whole_judgement import MemoryAlone, WholeJudgement
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.values.edited import edited

GPU_COUNTS = (1, 2, 4, 8)
SEQUENCE_LIMITS = (512, 256, 128, 64, 32, 16)
BATCH_LIMITS = (1024, 512)
LARGER_BATCHES = (2048, 4096, 8192)
HIGHEST_UTILIZATION = 0.95
LOWER_UTILIZATIONS = (0.94, 0.92, 0.9, 0.88, 0.85, 0.8)
SHORTEST_USEFUL_CONTEXT = 512
LENGTH_STEP = 256


@frozen(kw_only=True)
class Remedy:
    """One edit of a workload's config.

    `edit` maps YAML paths below the workload to new values. `extra_gpus` is what it costs in money, `quality_cost` what
    it costs in quality: 0 nothing that a client sees, 1 throughput, 2 a shorter context, 3 a coarser cache, 4 coarser
    weights, and their sum for a combined edit; 9 weights that every step reads from host memory. `fit_after` is the
    estimate with the edit applied.
    """

    edit: Mapping[str, object]
    text: str
    fit_after: Fit
    quality_cost: int
    extra_gpus: int


def remedies(
    model: ModelShape,
    gpu: Gpu,
    options: ServingOptions,
    *,
    gpus_available: tuple[int, ...] = GPU_COUNTS,
    whole: WholeJudgement | None = None,
) -> tuple[Remedy, ...]:
    """Edits that make the model fit and that the whole judgement takes, cheapest first; empty when there is none.

    Single edits are tried first; combinations of two only where no single edit on the same GPUs fits. An edit counts
    when its estimate fits by more than the uncertainty, or fits at all where none does better.
    """

    also: WholeJudgement = whole or MemoryAlone()

    @cache
    def judge(step: Step) -> Fit:
        return estimate(step.model, gpu, also.settled(step.model, step.options))

    found: list[Remedy] = []
    ranks = options.tensor_parallel_size * options.pipeline_parallel_size
    for gpus in (n for n in gpus_available if n >= ranks and _divides(model, options, n)):
        base = _on_gpus(model, options, gpus)
        tried = _fitting(judge, also, [base], ranks) if gpus > ranks else []
        tried = tried or _fitting(judge, also, _single_edits(gpu, base, judge), ranks)
        tried = tried or _fitting(judge, also, _double_edits(gpu, base, judge), ranks)
        if gpus == ranks and judge(base).largest_max_model_len < SHORTEST_USEFUL_CONTEXT:
            found.extend(_fitting(judge, also, offload_edits(base), ranks))
        found.extend(tried)
        if any(remedy.quality_cost == 0 or remedy.extra_gpus for remedy in tried):
            break
    return tuple(sorted(found, key=lambda remedy: (remedy.extra_gpus, remedy.quality_cost)))


def _divides(model: ModelShape, options: ServingOptions, gpus: int) -> bool:
    tensor = gpus // options.pipeline_parallel_size
    exact = tensor * options.pipeline_parallel_size == gpus
    return exact and model.num_attention_heads % tensor == 0 and model.vocab_size % tensor == 0


def _on_gpus(model: ModelShape, options: ServingOptions, gpus: int) -> Step:
    tensor = gpus // options.pipeline_parallel_size
    if tensor == options.tensor_parallel_size:
        return Step(model, options)
    key = engine_profile(options.engine).path("shards")
    return Step(model, edited(options, tensor_parallel_size=tensor), (("gpus", gpus), (key, tensor)))


def _fitting(judge: Judge, whole: WholeJudgement, steps: Iterator[Step] | list[Step], ranks: int) -> list[Remedy]:
    sure: dict[tuple[str, ...], tuple[Step, Fit]] = {}
    close: list[tuple[Step, Fit]] = []
    for step in steps:
        if _kind(step) in sure:
            continue
        fit = judge(step)
        if fit.fits and fit.margin_is_uncertain:
            close.append((step, fit))
        elif fit.fits and whole.accepts(step.model, dict(step.edit)):
            sure[_kind(step)] = (step, fit)
    best = sure or _first_of_each_kind(whole, close)
    return [_remedy(step, fit, ranks) for step, fit in best.values()]


def _first_of_each_kind(
    whole: WholeJudgement, judged: list[tuple[Step, Fit]]
) -> dict[tuple[str, ...], tuple[Step, Fit]]:
    best: dict[tuple[str, ...], tuple[Step, Fit]] = {}
    for step, fit in judged:
        if _kind(step) not in best and whole.accepts(step.model, dict(step.edit)):
            best[_kind(step)] = (step, fit)
    return best


def _kind(step: Step) -> tuple[str, ...]:
    """Steps of one kind differ in a value only; the first that fits is enough, save that formats differ in quality."""
    return (*(key for key, _ in step.edit), str(step.quality_cost))


def _remedy(step: Step, fit: Fit, ranks: int) -> Remedy:
    edit, gpus = dict(step.edit), step.options.tensor_parallel_size * step.options.pipeline_parallel_size
    text = f"set {written_edit(edit)} ({fit.kv_cache_tokens} cache tokens, context up to {fit.largest_max_model_len})"
    return Remedy(edit=edit, text=text, fit_after=fit, quality_cost=step.quality_cost, extra_gpus=gpus - ranks)


def written_edit(edit: Mapping[str, object]) -> str:
    """An edit as a remedy tells it, `key: value` after `key: value`, each value as YAML has it."""
    return ", ".join(f"{key}: {str(value).lower() if value is True else value}" for key, value in edit.items())


def _single_edits(gpu: Gpu, base: Step, judge: Judge) -> Iterator[Step]:
    if "sequences" in engine_profile(base.options.engine).fields:
        yield from _stated_edits(base, judge)
        yield from _item_edits(base)
        yield from _block_edits(base)
        yield from _batch_edits(base, judge)
        yield from _utilization_edits(base)
        yield from _fewer_edits(base)
        yield from _graph_edits(base)
    else:
        yield from _prefill_edits(base)
    yield from _context_edits(base, judge)
    yield from cache_edits(base)
    yield from weight_edits(gpu, base)


def _double_edits(gpu: Gpu, base: Step, judge: Judge) -> Iterator[Step]:
    firsts = [*cache_edits(base), *weight_edits(gpu, base)]
    for first in firsts:
        yield from _context_edits(first, judge)
    for coarser, weights in product(cache_edits(base), weight_edits(gpu, base)):
        combined = edited(weights.options, kv_cache_dtype=coarser.options.kv_cache_dtype)
        step = Step(
            weights.model,
            combined,
            weights.edit + coarser.edit[len(base.edit) :],
            weights.quality_cost + coarser.quality_cost,
        )
        yield step
        yield from _context_edits(step, judge)


def _stated_edits(base: Step, judge: Judge) -> Iterator[Step]:
    stated = stated_cache(base.options)
    size = mended_size(stated, lambda options: judge(Step(base.model, options))) if stated else None
    if stated and size:
        yield extend(base, stated.with_size(size), stated.key, stated.written(size), 0)


def _item_edits(base: Step) -> Iterator[Step]:
    tower, options = base.model.vision, base.options
    if tower is not None and tower.tokens_per_item and (tower.whole or options.whole_items):
        length = options.max_model_len or base.model.max_position_embeddings
        generation = vllm_generation(options.engine_version)
        item = largest_item_tokens(base.model, options, length, generation) if options.whole_items else 0
        tokens = -(-max(item, tower.tokens_per_item) // 1024) * 1024
        changed = edited(options, max_num_batched_tokens=tokens)
        yield extend(base, changed, "engine.maxNumBatchedTokens", tokens, 0)


def _block_edits(base: Step) -> Iterator[Step]:
    """Larger steps, for the blocks of states that are kept for prefixes."""
    options, generation = base.options, vllm_generation(base.options.engine_version)
    tokens = _batched_tokens(options)
    for larger in LARGER_BATCHES if generation.bounds_state_blocks and base.model.linear_state else ():
        if larger > tokens:
            changed = edited(options, max_num_batched_tokens=larger)
            yield extend(base, changed, "engine.maxNumBatchedTokens", larger, 0)


def _batched_tokens(options: ServingOptions) -> int:
    return options.max_num_batched_tokens or vllm_generation(options.engine_version).default_batched_tokens


def _batch_edits(base: Step, judge: Judge) -> Iterator[Step]:
    options, generation = base.options, vllm_generation(base.options.engine_version)
    asked = options.max_num_seqs or options.default_max_num_seqs or generation.default_seqs
    fewer = [
        extend(base, edited(options, max_num_seqs=limit), "engine.maxNumSeqs", limit, 1)
        for limit in SEQUENCE_LIMITS
        if limit < asked
    ]
    tokens = _batched_tokens(options)
    smaller = [
        extend(base, edited(options, max_num_batched_tokens=limit), "engine.maxNumBatchedTokens", limit, 1)
        for limit in BATCH_LIMITS
        if limit < tokens
    ]
    for falling in (fewer, smaller):
        # A lower limit takes less memory: where the lowest does not fit, none does.
        if falling and judge(falling[-1]).fits:
            yield from falling


def _utilization_edits(base: Step) -> Iterator[Step]:
    current = base.options.gpu_memory_utilization
    default = vllm_generation(base.options.engine_version).default_utilization
    if (current or default) < HIGHEST_UTILIZATION:
        changed = edited(base.options, gpu_memory_utilization=HIGHEST_UTILIZATION)
        yield extend(base, changed, "engine.gpuMemoryUtilization", HIGHEST_UTILIZATION, 0)
    for lower in LOWER_UTILIZATIONS:
        if lower < (current or default):
            changed = edited(base.options, gpu_memory_utilization=lower)
            yield extend(base, changed, "engine.gpuMemoryUtilization", lower, 0)


def _fewer_edits(base: Step) -> Iterator[Step]:
    """Fewer drafted tokens, each a row of logits to check, or adapters at once; halved down to one."""
    options, lora, tokens = base.options, base.options.lora, base.options.num_speculative_tokens
    for fewer in (tokens >> n for n in range(1, tokens.bit_length())):
        changed = edited(options, num_speculative_tokens=fewer)
        yield extend(base, changed, "engine.speculativeConfig.num_speculative_tokens", fewer, 1)
    if lora is not None:
        for fewer in (lora.max_loras >> n for n in range(1, lora.max_loras.bit_length())):
            yield extend(base, edited(options, lora=replace(lora, max_loras=fewer)), "engine.lora.maxLoras", fewer, 1)


def _graph_edits(base: Step) -> Iterator[Step]:
    # An eager Gemma compiles its norm anew for many batch sizes and serves nothing for minutes (docs/memory-model.md).
    if not base.options.enforce_eager and not base.model.architecture.startswith("Gemma"):
        yield extend(base, edited(base.options, enforce_eager=True), "engine.enforceEager", True, 1)


def _prefill_edits(base: Step) -> Iterator[Step]:
    current = base.options.max_batch_prefill_tokens
    for limit in (2048, 1024, 512):
        if current is not None and limit >= current:
            continue
        changed = edited(base.options, max_batch_prefill_tokens=limit)
        inputs = changed.max_input_tokens
        whole = parse_version(changed.engine_version) < (3, 0, 0) or masks_pairs(base.model.architecture)
        if whole and (inputs is None or inputs > limit):
            changed = edited(changed, max_input_tokens=limit)
            step = extend(base, changed, "engine.maxInputTokens", limit, 2)
            yield replace(step, edit=(*step.edit, ("engine.maxBatchPrefillTokens", limit)))
        else:
            yield extend(base, changed, "engine.maxBatchPrefillTokens", limit, 1)


def _context_edits(base: Step, judge: Judge) -> Iterator[Step]:
    """The longest context that fits by more than the uncertainty, and the longest that fits at all."""
    options = base.options
    if options.max_input_tokens is not None and options.max_total_tokens is None:
        return
    fit = judge(base)
    least = max((options.max_input_tokens or 0) + 1, SHORTEST_USEFUL_CONTEXT)
    key = engine_profile(options.engine).path("length")

    def cut(length: int) -> Step:
        return extend(base, edited(options, max_model_len=length, max_total_tokens=length), key, length, 2)

    longest = min(fit.largest_max_model_len, fit.max_model_len)
    surest = _round(fit.surest_max_model_len)
    if encodes_items(base.model, options):  # the profile holds a video as long as the context
        surest = longest_where(lambda length: judge(cut(length)).is_sure, 0, longest, LENGTH_STEP)
    for length in (surest, _round(longest)):
        if least <= length < fit.max_model_len:
            yield cut(length)


def _round(length: int) -> int:
    """A round length at or below this one."""
    step = LENGTH_STEP if length >= 8 * LENGTH_STEP else LENGTH_STEP // 8
    return length // step * step
