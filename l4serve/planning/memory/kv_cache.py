"""The KV cache as vLLM lays it out: blocks, groups of layers, and how many tokens fit."""

from __future__ import annotations

from math import ceil
from typing import Literal

from l4serve.config.frozen import frozen
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.quantizations import kv_element_bytes, state_element_bytes
from l4serve.planning.memory.rank_parameters import rank_kv_heads
from l4serve.planning.models.model_shape import LayerKind, ModelShape

BLOCK_TOKENS = 16


@frozen(kw_only=True)
class KvLayout:
    """How many bytes one block takes in the shared pool and how many blocks one sequence holds.

    The pool has one tensor for each layer of a group; every group draws its own blocks from it, of `full_block` or
    `sliding_block` tokens (wider heads make smaller blocks, since all have the same bytes). `state_blocks` is held by
    each sequence whatever its length (linear attention). `window_tokens` is the most that a sliding group keeps: the
    window and the batches in flight. `demanded_bytes` is what a block is counted as where a start asks whether the
    longest sequence fits, if not the bytes that it takes.
    """

    block_bytes: int
    demanded_bytes: int | None = None
    full_groups: int = 0
    full_block: int = BLOCK_TOKENS
    sliding_groups: int = 0
    sliding_block: int = BLOCK_TOKENS
    window_tokens: int = 0
    state_blocks: int = 0

    @property
    def needed_bytes(self) -> int:
        """What a start counts for each block of the longest sequence."""
        return self.block_bytes if self.demanded_bytes is None else self.demanded_bytes

    def blocks_for(self, tokens: int) -> int:
        """Blocks that one sequence of this many tokens may hold at once."""
        blocks = self.full_groups * ceil(tokens / self.full_block) + self.state_blocks
        if self.sliding_groups:
            kept = min(self.window_tokens, tokens)
            blocks += self.sliding_groups * (ceil(kept / self.sliding_block) + 1)
        return blocks

    def longest(self, blocks: int, ceiling: int) -> int:
        """The longest sequence, at most `ceiling` tokens, that these blocks can hold; 0 when none can."""
        if self.full_groups and not self.sliding_groups:
            spare = blocks - self.state_blocks
            return max(0, min(ceiling, spare // self.full_groups * self.full_block)) if spare >= 0 else 0
        low, high = 0, ceiling
        while low < high:
            middle = (low + high + 1) // 2
            if self.blocks_for(middle) <= blocks:
                low = middle
            else:
                high = middle - 1
        return low


def kv_bytes_per_token(model: ModelShape, options: ServingOptions) -> int:
    """Bytes that one token adds to one rank's cache while every layer keeps it."""
    element = kv_element_bytes(model, options)
    tp = options.tensor_parallel_size
    if model.mla is not None:
        total = model.num_hidden_layers * (model.mla.kv_lora_rank + model.mla.qk_rope_head_dim) * element
    else:
        full = model.count_caches(LayerKind.FULL) * _full_width(model, tp)
        sliding = model.count_caches(LayerKind.SLIDING) * _sliding_width(model, tp)
        total = int((full + sliding) * element)
    stages = options.pipeline_parallel_size
    share = ceil(model.num_hidden_layers / stages) / model.num_hidden_layers
    return int(total * share * (1 + options.draft_kv_fraction))


def _sliding_width(model: ModelShape, tp: int) -> int:
    return 2 * rank_kv_heads(model.num_key_value_heads, tp) * model.head_dim


def _full_width(model: ModelShape, tp: int) -> int:
    heads = model.full_key_value_heads or model.num_key_value_heads
    return 2 * rank_kv_heads(heads, tp) * (model.full_head_dim or model.head_dim)


def kv_layout(
    model: ModelShape,
    options: ServingOptions,
    *,
    grouped: bool,
    in_flight_tokens: int,
    batched_tokens: int = 0,
    prefix_states: Literal["all", "align"] | None = None,
) -> KvLayout:
    """The layout on one rank.

    `grouped` is whether the release gives sliding-window layers blocks of their own; without it they keep every token.
    `in_flight_tokens` is what one step or several overlapping steps may schedule, `batched_tokens` what one may: an
    attended encoder is given room for as many (`CrossAttentionSpec` of vllm/v1/kv_cache_interface.py).
    `prefix_states` is which states of linear-attention layers are kept for prefixes; None where none are cached.
    """
    full, sliding = model.count_caches(LayerKind.FULL), model.count_caches(LayerKind.SLIDING)
    window = (model.sliding_window or 0) - 1 + in_flight_tokens
    per_token = kv_bytes_per_token(model, options)
    if model.linear_state is not None:
        return _hybrid_layout(model, options, full, prefix_states)
    if not sliding or not grouped:
        encoded = ceil(max(model.encoder_positions, batched_tokens) / BLOCK_TOKENS) if model.encoder_positions else 0
        block = BLOCK_TOKENS * max(1, options.context_ranks)  # each rank keeps its share of a sequence
        return KvLayout(block_bytes=BLOCK_TOKENS * per_token, full_groups=1, full_block=block, state_blocks=encoded)
    if not full:
        return KvLayout(block_bytes=BLOCK_TOKENS * per_token, sliding_groups=1, window_tokens=window)
    small, large = min(full, sliding), max(full, sliding)
    group = large if large < 1.5 * small else small
    tp = options.tensor_parallel_size
    wide, narrow = _full_width(model, tp), _sliding_width(model, tp)
    page = BLOCK_TOKENS * kv_element_bytes(model, options) * max(wide, narrow)
    layers = ceil(group / options.pipeline_parallel_size)
    return KvLayout(
        block_bytes=int(layers * page * (1 + options.draft_kv_fraction)),
        full_groups=ceil(full / group),
        full_block=BLOCK_TOKENS * max(1, narrow // wide),
        sliding_groups=ceil(sliding / group),
        sliding_block=BLOCK_TOKENS * max(1, wide // narrow),
        window_tokens=window,
    )


def _hybrid_layout(
    model: ModelShape, options: ServingOptions, full: int, prefix_states: Literal["all", "align"] | None
) -> KvLayout:
    """Linear-attention layers hold state pages for each sequence; attention blocks grow to the size of such a page.

    A page for the running state, one more for each speculative token, and one more where prefixes are cached.
    """
    tp = options.tensor_parallel_size
    state = model.linear_state
    assert state is not None
    linear = model.count_layers(LayerKind.LINEAR)
    channels = 2 * state.num_key_heads * state.key_head_dim + state.num_value_heads * state.value_head_dim
    recurrent = state.num_value_heads * state.value_head_dim * state.key_head_dim
    convolved, held = state_element_bytes(model, options)
    kept = state.conv_kernel - 1 + options.num_speculative_tokens
    state_bytes = (channels * kept * convolved + recurrent * held) // tp
    pages = options.num_speculative_tokens + (2 if prefix_states else 1)
    if not full:  # one block holds the state of every layer
        return KvLayout(block_bytes=linear * state_bytes, state_blocks=pages)
    token = _full_width(model, tp) * kv_element_bytes(model, options)
    step = options.block_size or BLOCK_TOKENS
    tokens = ceil(state_bytes / token / step) * step
    group = min(full, linear)
    every_block = prefix_states == "all" and state.chunk > 0
    if every_block:  # the state after every block is kept, as its keys are
        tokens = ceil(tokens / state.chunk) * state.chunk
    pool = int(group * tokens * token * (1 + options.draft_kv_fraction))
    return KvLayout(
        block_bytes=pool,
        full_groups=ceil(full / group) + (ceil(linear / group) if every_block else 0),
        full_block=tokens,
        state_blocks=0 if every_block else ceil(linear / group) * pages,
    )
