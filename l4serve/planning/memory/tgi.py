"""TGI's accounting: a warm-up prefill runs first, and the KV cache takes a share of what it leaves free."""

from __future__ import annotations

from math import ceil

from l4serve.config.frozen import frozen
from l4serve.config.keys.tgi import TgiEngine
from l4serve.engines.gpu_layout import GpuLayout
from l4serve.planning.machines.gpus import Gpu
from l4serve.planning.memory.activation import forward_peak_bytes
from l4serve.planning.memory.constants import Constants
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.generations import (
    MemoryModelError,
    TgiGeneration,
    masks_pairs,
    tgi_generation,
)
from l4serve.planning.memory.graphs import graph_gib
from l4serve.planning.memory.kv_cache import kv_bytes_per_token
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.quantizations import activation_dtype, dtype_bytes
from l4serve.planning.memory.rank_parameters import rank_parameters
from l4serve.planning.memory.weights import weight_bytes
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.values.quantity import GIB

CAPTURED_BATCH_SIZES = 6
SMALLEST_DERIVED_PREFILL = 100
ALL_REDUCES = 2
"""Results of a layer that shards add up: of its attention and of its feed-forward part."""
GATHERED_LOGITS = 3
"""Tensors of all logits that a gathered head leaves: the whole, its contiguous copy, and their softmax."""


@frozen()
class Warmup:
    """The prefill that TGI runs before it sizes the cache, in GiB and tokens."""

    prefill_tokens: int
    reserved_tokens: int
    activation: float
    used: float
    cache_tokens: int
    out_of_memory: bool


@frozen()
class Shard:
    """What the warm-up needs to know of one shard, computed once: GiB, and bytes for each token."""

    model: ModelShape
    gpu: Gpu
    options: ServingOptions
    generation: TgiGeneration
    constants: Constants
    weights: float
    overhead: float
    token_bytes: int
    element: int

    @property
    def limit(self) -> float:
        """GiB that the process may allocate: `--cuda-memory-fraction` of the card."""
        return (self.options.cuda_memory_fraction or 1.0) * self.gpu.total_gib


@frozen()
class TgiMemory:
    """TGI's memory: the settings that it depends on, and the answer."""

    kind: str = "tgi"

    def options(self, engine: TgiEngine, layout: GpuLayout) -> ServingOptions:
        """The settings of the launcher's config that its memory depends on."""
        return ServingOptions(
            engine=self.kind,
            engine_version=engine.version,
            tensor_parallel_size=layout.tensor_parallel_size,
            pipeline_parallel_size=layout.pipeline_parallel_size,
            dtype=engine.dtype,
            quantization=engine.quantize,
            kv_cache_dtype=engine.kv_cache_dtype,
            enforce_eager=engine.cuda_graphs == (0,),
            max_input_tokens=engine.max_input_tokens or engine.max_input_length,
            max_total_tokens=engine.max_total_tokens,
            max_batch_prefill_tokens=engine.max_batch_prefill_tokens,
            max_batch_total_tokens=engine.max_batch_total_tokens,
            cuda_memory_fraction=engine.cuda_memory_fraction,
            max_concurrent_requests=engine.max_concurrent_requests,
        )

    def swap_gib(self, model: ModelShape, options: ServingOptions) -> float:  # noqa: ARG002
        """TGI sets none aside."""
        return 0.0

    def estimate(self, model: ModelShape, gpu: Gpu, options: ServingOptions, constants: Constants) -> Fit:
        """TGI's answer for one shard."""
        return estimate_tgi(model, gpu, options, constants)


def estimate_tgi(model: ModelShape, gpu: Gpu, options: ServingOptions, constants: Constants) -> Fit:
    """TGI's answer for one shard. Raises MemoryModelError for what no source tells."""
    if model.is_mamba or model.encoder_positions:
        raise MemoryModelError(
            "what TGI keeps of fixed states or of an encoder is not modelled; serve it by vLLM 0.11.0 or newer "
            "(engine.kind: vllm), where it is judged"
        )
    generation = tgi_generation(options.engine_version)
    shard = _shard(model, gpu, options, generation, constants)
    asked = options.max_total_tokens or options.max_model_len
    default = generation.default_total_tokens
    total = asked or (min(model.max_position_embeddings, default) if default else None)
    warmup = _warm_up(shard, total)
    adapted = max(1, min(warmup.cache_tokens, model.max_position_embeddings))
    length = total or adapted
    kept = graph_gib(CAPTURED_BATCH_SIZES, model.num_hidden_layers, constants)
    cache = warmup.cache_tokens * shard.token_bytes / GIB
    left = shard.limit - shard.weights - shard.overhead - warmup.activation if warmup.out_of_memory else cache
    uncertainty = _uncertainty(shard, warmup)
    margin = _margin(shard, warmup, total or 1)
    unseen = constants.uncertainty["tgiQueued"] * _queued_gib(shard, warmup.prefill_tokens)
    reasons = _reasons(shard, warmup, length)
    return Fit(
        fits=not reasons,
        margin_is_uncertain=-uncertainty < margin < uncertainty + unseen,
        weights_gib=shard.weights,
        activation_gib=warmup.activation,
        non_torch_gib=shard.overhead,
        cuda_graph_gib=0.0 if options.enforce_eager else kept,
        workspace_gib=0.0,
        late_gib=0.0,
        kv_room_gib=max(0.0, left),
        shortage_gib=max(0.0, -left),
        kv_cache_tokens=warmup.cache_tokens,
        max_concurrency=warmup.cache_tokens / length,
        max_model_len=length,
        largest_max_model_len=_longest(shard, max(length, model.max_position_embeddings)),
        usable_gib=shard.limit,
        total_gib=gpu.total_gib,
        uncertainty_gib=uncertainty,
        reasons=reasons,
        notes=_notes(shard, warmup, unseen),
    )


def _shard(
    model: ModelShape, gpu: Gpu, options: ServingOptions, generation: TgiGeneration, constants: Constants
) -> Shard:
    element = dtype_bytes(activation_dtype(model, options))
    tp = options.tensor_parallel_size
    weights = options.weights_gib
    if weights is None:
        # TGI loads a tied head as a second tensor instead of sharing the embedding's.
        second_head = rank_parameters(model, tp).embedding * element if model.tie_word_embeddings else 0
        weights = (weight_bytes(model, options) + second_head) / GIB
    return Shard(
        model=model,
        gpu=gpu,
        options=options,
        generation=generation,
        constants=constants,
        weights=weights,
        overhead=gpu.context_gib + constants.non_torch_gib["early.single" if tp == 1 else "early.parallel"],
        token_bytes=kv_bytes_per_token(model, options),
        element=element,
    )


def _warm_up(shard: Shard, total: int | None) -> Warmup:
    """The prefill of one full batch, with the cache of its requests held, as the router asks for it."""
    options, model = shard.options, shard.model
    longest_input = options.max_input_tokens or (total - 1 if total else None)
    prefill = options.max_batch_prefill_tokens or _default_prefill(shard, longest_input)
    requests = ceil(prefill / longest_input) if longest_input else 1
    reserved = requests * total if total else prefill + 1
    logits = prefill * model.vocab_size * _logit_bytes(shard)
    forward = forward_peak_bytes(model, prefill, options.tensor_parallel_size, shard.element, shard.constants)
    hidden = prefill * model.hidden_size * shard.element
    activation = (
        max(forward, hidden + logits) + _mask_bytes(shard, requests, min(longest_input or prefill, prefill))
    ) / GIB
    used = shard.weights + shard.overhead + reserved * shard.token_bytes / GIB + activation
    room = shard.generation.wiggle_room
    if shard.generation.wiggle_on_total:
        free = max(0.0, room * shard.limit - used)
    else:
        free = room * max(0.0, shard.limit - used)
    tokens = int(free * GIB / shard.token_bytes) + reserved
    fits = used <= shard.limit
    return Warmup(prefill, reserved, activation, used, tokens if fits else 0, not fits)


def _mask_bytes(shard: Shard, requests: int, length: int) -> int:
    """The mask of every pair of tokens, padded to the longest of the requests, and what attention makes of it."""
    if not masks_pairs(shard.model.architecture):
        return 0
    heads = shard.model.num_attention_heads // shard.options.tensor_parallel_size
    each = shard.generation.pair_bytes + heads * shard.generation.score_bytes
    return requests * length * length * each


def _logit_bytes(shard: Shard) -> float:
    """Bytes that the warm-up holds for each logit of its prefill.

    Over several shards the head gathers its parts into one transposed tensor, and a softmax of that makes it contiguous
    and writes to a third (layers/tensor_parallel.py and flash_causal_lm.py of 2.0.4 to 2.4.1).
    """
    shards = shard.options.tensor_parallel_size
    if shards == 1 or not shard.generation.prefill_logit_bytes:
        return shard.generation.prefill_logit_bytes
    return shard.element * (GATHERED_LOGITS + 1 / shards)


def _default_prefill(shard: Shard, longest_input: int | None) -> int:
    """The prefill batch when no flag sets it: the longest prompt, or what the card computes in a second."""
    model = shard.model
    if not shard.generation.prefill_from_compute:
        return (longest_input or 0) + shard.generation.prefill_margin
    optimal = _compute_optimal(shard)
    value = min(optimal, model.max_position_embeddings)
    if shard.options.quantization is not None or model.quantization is not None:
        return value
    parameters = rank_parameters(model)
    card = 0.95 * shard.limit * shard.options.tensor_parallel_size * GIB
    width = model.moe.expert_intermediate_size * model.moe.num_experts if model.moe else model.intermediate_size
    token = shard.token_bytes * shard.options.tensor_parallel_size + 9 * width
    by_memory = int((card - 2 * parameters.total) / token)
    return min(value, by_memory) if by_memory > 0 else value


def _compute_optimal(shard: Shard) -> int:
    model, tflops = shard.model, shard.gpu.fp16_tflops
    if tflops is None or model.extra_parameters:
        return 4096
    queries = model.num_attention_heads * model.head_dim
    keys = model.num_key_value_heads * model.head_dim
    width = model.intermediate_size
    if model.moe:
        width = model.moe.expert_intermediate_size * model.moe.num_experts_per_tok + model.moe.shared_intermediate_size
    flops = 2 * model.num_hidden_layers * model.hidden_size * (3 * queries + 2 * keys + 3 * width)
    optimal = int(tflops * 1e12 * shard.options.tensor_parallel_size / flops)
    return optimal if optimal > SMALLEST_DERIVED_PREFILL else 4096


def _queued_gib(shard: Shard, prefill: int) -> float:
    """What PyTorch keeps of a prefill's collectives if the whole of it is queued before the cards have run any.

    Each layer adds two [tokens, hidden] results up over the shards, on a stream of NCCL's own; until a card has run
    them, no later layer may take their memory (`recordStream` in ProcessGroupNCCL.cpp of PyTorch 2.1 to 2.7), and what
    is free is read without returning it. An allocation that fails waits for them, so nothing dies of it.
    """
    if shard.options.tensor_parallel_size == 1:
        return 0.0
    model = shard.model
    return ALL_REDUCES * model.num_hidden_layers * prefill * model.hidden_size * shard.element / GIB


def _notes(shard: Shard, warmup: Warmup, unseen: float) -> tuple[str, ...]:
    if not unseen or warmup.out_of_memory:
        return ()
    kept = int(shard.generation.wiggle_room * unseen * GIB / shard.token_bytes)
    # The blocks that the warm-up held stay, whatever is free beside them (`warmup` of flash_causal_lm.py).
    least = max(warmup.reserved_tokens, warmup.cache_tokens - kept)
    seen = f"{unseen:.1f} GiB are kept by a prefill that is queued ahead of the cards, as a public start shows"
    return (f"{seen}: count on {least:,} tokens of cache, not {warmup.cache_tokens:,}",)


def _margin(shard: Shard, warmup: Warmup, length: int) -> float:
    """GiB between the answer and its opposite."""
    spare = shard.limit - warmup.used
    return min(spare, (warmup.cache_tokens - length) * shard.token_bytes / GIB) if spare > 0 else spare


def _uncertainty(shard: Shard, warmup: Warmup) -> float:
    share = shard.constants.uncertainty
    weights, activation = share["weights"] * shard.weights, share["tgiActivation"] * warmup.activation
    return float((weights**2 + activation**2 + share["tgiFloorGib"] ** 2) ** 0.5)


def _longest(shard: Shard, ceiling: int) -> int:
    low, high = 0, ceiling
    while low < high:
        middle = (low + high + 1) // 2
        if _warm_up(shard, middle).cache_tokens >= middle:
            low = middle
        else:
            high = middle - 1
    return low


def _reasons(shard: Shard, warmup: Warmup, length: int) -> tuple[str, ...]:
    if warmup.out_of_memory:
        needs = f"the warm-up prefill of {warmup.prefill_tokens} tokens needs {warmup.used:.2f} GiB with the weights"
        return (f"{needs} and the engine may use {shard.limit:.2f} GiB",)
    if warmup.cache_tokens < length:
        return (f"the KV cache holds {warmup.cache_tokens} tokens and one request may take {length}",)
    return ()
