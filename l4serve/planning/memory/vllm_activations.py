"""vLLM's activations: the peak that its profile run counts, and what a running engine needs at its own peak."""

from __future__ import annotations

from math import ceil

from l4serve.config.frozen import frozen
from l4serve.planning.machines.gpus import Gpu
from l4serve.planning.memory.activation import (
    compiled_peak_bytes,
    expert_workspace_bytes,
    forward_peak_bytes,
    sampler_peak_bytes,
)
from l4serve.planning.memory.constants import Constants
from l4serve.planning.memory.generations import Generation, Runner
from l4serve.planning.memory.kv_cache import BLOCK_TOKENS
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.quantizations import activation_dtype, dtype_bytes
from l4serve.planning.memory.towers import (
    encodes_items,
    held_item_bytes,
    largest_item_tokens,
    padded_item,
    profiled_items,
    tower_peak_bytes,
    whole_prompt_tokens,
)
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.values.quantity import GIB

HOPPER = (9, 0)
_CONTEXT_ROWS = 65536
_BLACKWELL = (10, 0)
"""Cards from here on run Pixtral's tower without xformers: vllm/model_executor/models/pixtral.py of 0.10.0."""


@frozen()
class BatchLimits:
    """What one step may schedule once the release's defaults are filled in."""

    max_model_len: int
    seqs: int
    batched_tokens: int


@frozen()
class Question:
    """One engine start: what is served, on what, with which limits and by which release's rules."""

    model: ModelShape
    gpu: Gpu
    options: ServingOptions
    constants: Constants
    generation: Generation
    limits: BatchLimits
    runner: Runner
    """What serves the model."""
    element: int
    """Bytes of one activation."""

    @property
    def rows(self) -> int:
        return min(self.limits.seqs, self.limits.batched_tokens)

    @property
    def context_rows(self) -> int:
        """Tokens of context that latent attention expands at once: eight longest sequences, or 4 blocks of each.

        `determine_chunked_prefill_workspace_size` of vllm/model_executor/layers/attention/mla_attention.py of 0.26.0,
        where `_CONTEXT_ROWS` is the most; the profile allocates them since 0.11.0.
        """
        if not self.generation.profiles_context:
            return 0
        block = self.options.block_size or BLOCK_TOKENS
        asked = max(8 * self.limits.max_model_len, 4 * self.limits.seqs * block)
        return max(min(asked, _CONTEXT_ROWS), self.limits.seqs * block)

    @property
    def workspace_gib(self) -> float:
        name = "hopper" if self.gpu.compute_capability >= HOPPER else "other"
        return self.constants.matmul_workspace_mib[name] / 1024


def asked(
    model: ModelShape,
    gpu: Gpu,
    options: ServingOptions,
    constants: Constants,
    generation: Generation,
    limits: BatchLimits,
) -> Question:
    """The question of an engine start, with the runner and the type that it is served in."""
    runner, element = generation.runner_for(model, options), dtype_bytes(activation_dtype(model, options))
    return Question(model, gpu, options, constants, generation, limits, runner, element)


def logit_bytes(question: Question) -> float:
    """Bytes for each of [sequences, vocabulary] in the profile; a draft of one token makes a second row of each."""
    sampler, runner = question.constants.sampler_bytes, question.runner
    if runner == "v2":
        return sampler["v2"]
    drafts = sampler["rejection"] if runner == "v1" and question.options.num_speculative_tokens else 0.0
    return sampler[question.generation.sampler_of(question.options)] + drafts


def tower_gib(question: Question) -> tuple[float, float]:
    """The tower's peak over one batch of the largest items and what it hands on; zeros where it is not loaded."""
    if not encodes_items(question.model, question.options):
        return 0.0, 0.0
    limits = question.limits
    item = largest_item_tokens(question.model, question.options, limits.max_model_len, question.generation)
    items = profiled_items(question.options, item, limits.seqs, limits.batched_tokens, limits.max_model_len)
    if question.model.vision is not None and question.model.vision.each_sequence:
        items = limits.seqs
    tp = question.options.tensor_parallel_size
    if question.options.copies_tower:  # items are dealt out to the ranks, each of which has the whole tower
        items, tp = ceil(items / tp), 1
    budget = question.generation.frame_share * question.gpu.total_gib * GIB
    padded = padded_item(question.model, question.options, item, limits.batched_tokens, question.generation)
    masks = question.generation.masks_patches or question.gpu.compute_capability >= _BLACKWELL
    peak, handed = tower_peak_bytes(
        question.model,
        items,
        item,
        tp,
        question.element,
        question.constants,
        budget,
        padded,
        looks_up=question.generation.looks_up_positions,
        masks=masks,
    )
    return peak / GIB + question.workspace_gib, handed / GIB


def profiled_gib(question: Question) -> float:
    """The activation peak that the release subtracts from its share."""
    model, constants, generation = question.model, question.constants, question.generation
    tp, element, whole = question.options.tensor_parallel_size, question.element, _whole_prompt(question)
    tokens = max(question.limits.batched_tokens, whole)
    forward = forward_peak_bytes(model, tokens, tp, element, constants, question.context_rows) / GIB
    forward += question.workspace_gib
    sampler = 0.0
    if not question.options.pooling:
        sampler = sampler_peak_bytes(model, question.rows, tokens, element, logit_bytes(question)) / GIB
        sampler += question.workspace_gib + expert_workspace_bytes(model, tokens, tp, element) / GIB
    # Before 0.6.4 memory that PyTorch's allocator keeps cached after the profile run counts as used.
    peak = forward + sampler if generation.counts_reserved_cache else max(forward, sampler)
    if _compiles_embedding(question):
        peak = max(peak, compiled_peak_bytes(model, tokens, tp, element, constants) / GIB)
    skips = question.options.skip_multimodal_profiling or not generation.profiles_encoder(question.runner)
    tower, handed = (0.0, 0.0) if skips else tower_gib(question)
    if whole:
        handed = held_item_bytes(model, whole, element) / GIB
    return max(tower, peak + handed)


def _compiles_embedding(question: Question) -> bool:
    """Whether the start compiles the embedding table: of what may be shown an item, vectors are what it compiles."""
    if question.options.enforce_eager or not question.generation.compiles:
        return False
    text_only = question.generation.embeds_in_graph and not encodes_items(question.model, question.options)
    return text_only or not question.model.extra_parameters


def _whole_prompt(question: Question) -> int:
    """Tokens of the prompt that V0 profiles in one piece with all the items that it may hold; 0 where there is none."""
    if question.runner != "v0" or not encodes_items(question.model, question.options):
        return 0
    length = question.limits.batched_tokens
    return whole_prompt_tokens(question.model, question.options, length, question.generation)


def running_gib(question: Question, cached_tokens: int, cached_sequences: int) -> float:
    """What a running engine adds at its peak to what it holds at rest.

    A batch has no more tokens, and no more sequences, than the cache holds. V2 warms its sampler up after the profile,
    and PyTorch's allocator holds more than is in use.
    """
    options, constants = question.options, question.constants
    tp, tokens = options.tensor_parallel_size, min(question.limits.batched_tokens, max(1, cached_tokens))
    rows = min(question.context_rows, cached_tokens)
    forward = forward_peak_bytes(question.model, tokens, tp, question.element, constants, rows) / GIB
    forward += question.workspace_gib
    sampler, drafts = constants.sampler_bytes, options.num_speculative_tokens
    warm = sampler["v2_warm_up_parallel" if tp > 1 else "v2_warm_up"] + drafts * sampler["v2_draft"]
    rows = min(question.rows, max(1, cached_sequences))
    warm_up = 0.0 if options.pooling else rows * question.model.vocab_size * warm / GIB
    slack = constants.allocator_slack
    # The warm-up runs once, and a retry finds what other sizes left cached; batches of all lengths leave more behind.
    return float(max(forward * (1 + slack["share"]) + slack["baseGib"], warm_up * (1 + slack["share"])))


def verifying_gib(question: Question) -> float:
    """What V1 allocates to check k drafts of every sequence; its profile checks one."""
    sampler, drafts = question.constants.sampler_bytes, question.options.num_speculative_tokens
    bytes_each = (drafts + 1) * sampler["verify_logits"] + drafts * sampler["verify_draft"] if drafts else 0.0
    return question.limits.seqs * question.model.vocab_size * bytes_each / GIB


def state_gib(question: Question) -> float:
    """V2's counts of sampled tokens, which nothing counts."""
    if question.options.pooling:
        return 0.0
    return question.limits.seqs * question.model.vocab_size * question.constants.sampler_bytes["v2_state"] / GIB
