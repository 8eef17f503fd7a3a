"""vLLM's accounting: utilisation x total, less weights, activations, non-torch memory and graphs, is the KV cache."""

from __future__ import annotations

from dataclasses import dataclass, replace

from l4serve.config.vllm import VllmEngine
from l4serve.engines.gpu_layout import GpuLayout
from l4serve.planning.machines.gpus import Gpu
from l4serve.planning.memory.activation import compiled_peak_bytes, forward_peak_bytes, sampler_peak_bytes
from l4serve.planning.memory.constants import Constants
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.generations import GIB, Generation, vllm_generation
from l4serve.planning.memory.graphs import capture_count, graph_gib
from l4serve.planning.memory.kv_cache import KvLayout, kv_layout
from l4serve.planning.memory.options import LoraOptions, ServingOptions
from l4serve.planning.memory.quantizations import activation_dtype, dtype_bytes, weight_format
from l4serve.planning.memory.uncertainty import uncertainty_gib
from l4serve.planning.memory.weights import plain_mlp_bytes, weight_bytes
from l4serve.planning.models.model_shape import LayerKind, ModelFacts

LATE_UNCERTAINTY_GIB = 0.15
HOPPER = (9, 0)


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """What one step may schedule once the release's defaults are filled in."""

    max_model_len: int
    seqs: int
    batched_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
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


def batch_limits(model: ModelFacts, options: ServingOptions, generation: Generation) -> BatchLimits:
    """The batch limits that the server runs with."""
    length = options.max_model_len or model.max_position_embeddings
    seqs = options.max_num_seqs or options.default_max_num_seqs or generation.default_seqs
    tokens = options.max_num_batched_tokens
    if tokens is None:
        tokens = options.default_max_num_batched_tokens or generation.default_batched_tokens
        chunked = options.enable_chunked_prefill
        if chunked is None:
            long = length > generation.chunked_prefill_above and _chunks_long_contexts(model, options)
            chunked = generation.chunked_prefill_default or long
        if not chunked:
            tokens = max(tokens, length)
        elif not generation.chunked_prefill_default:
            tokens = generation.chunked_batched_tokens
        tokens = min(tokens, seqs * length)
    if options.max_num_seqs is None:
        seqs = min(seqs, tokens)
    return BatchLimits(length, seqs, tokens)


def _chunks_long_contexts(model: ModelFacts, options: ServingOptions) -> bool:
    """Whether V0 splits prefills of long contexts unasked: not with adapters, drafts, windows in all layers, images or
    MLA (engine/arg_utils.py of 0.5.4, 0.6.6 and 0.8.5)."""
    slides = model.sliding_window is not None and not model.count_layers(LayerKind.FULL)
    drafts = options.num_speculative_tokens > 0
    return not (options.lora or drafts or slides or model.extra_parameters or model.mla)


@dataclass(frozen=True, slots=True)
class VllmMemory:
    """vLLM's memory: the settings that it depends on, and the answer."""

    kind: str = "vllm"

    def options(self, engine: VllmEngine, layout: GpuLayout) -> ServingOptions:
        """The settings of vLLM's config that its memory depends on."""
        lora = engine.lora
        speculative = engine.speculative_config or {}
        return ServingOptions(
            engine=self.kind,
            engine_version=engine.version,
            tensor_parallel_size=layout.tensor_parallel_size,
            pipeline_parallel_size=layout.pipeline_parallel_size,
            dtype=None if engine.dtype == "auto" else engine.dtype,
            quantization=engine.quantization,
            kv_cache_dtype=engine.kv_cache_dtype,
            max_model_len=engine.max_model_len,
            max_num_seqs=engine.max_num_seqs,
            max_num_batched_tokens=engine.max_num_batched_tokens,
            gpu_memory_utilization=engine.gpu_memory_utilization,
            enforce_eager=bool(engine.enforce_eager),
            enable_prefix_caching=engine.enable_prefix_caching,
            enable_chunked_prefill=engine.enable_chunked_prefill,
            lora=LoraOptions(max_loras=lora.max_loras or 1, max_lora_rank=lora.max_rank or 16) if lora else None,
            num_speculative_tokens=int(speculative.get("num_speculative_tokens", 0)),
        )

    def estimate(self, model: ModelFacts, gpu: Gpu, options: ServingOptions, constants: Constants) -> Fit:
        """vLLM's answer for one rank."""
        return estimate_vllm(model, gpu, options, constants)


def estimate_vllm(model: ModelFacts, gpu: Gpu, options: ServingOptions, constants: Constants) -> Fit:
    """vLLM's answer for one rank."""
    fp8_cache = (options.kv_cache_dtype or "auto").startswith("fp8")
    generation = vllm_generation(options.engine_version, gpu.compute_capability, fp8_cache=fp8_cache)
    limits = batch_limits(model, options, generation)
    parts = _parts(model, gpu, options, constants, generation, limits)
    utilization = options.gpu_memory_utilization or generation.default_utilization
    usable = utilization * gpu.total_gib
    layout = kv_layout(
        model,
        options,
        grouped=generation.slidingwindow_groups,
        in_flight_tokens=generation.in_flight_batches * limits.batched_tokens,
    )
    uncertainty = uncertainty_gib(model, options, generation, constants, parts.weights, parts.activation)
    return _judge(model, gpu, parts, layout, limits, usable, uncertainty)


def _parts(
    model: ModelFacts,
    gpu: Gpu,
    options: ServingOptions,
    constants: Constants,
    generation: Generation,
    limits: BatchLimits,
) -> Parts:
    runner = generation.runner_for(model)
    ranks = options.tensor_parallel_size * options.pipeline_parallel_size
    weights, loading = _weights_gib(model, options, generation)
    activation, running = _activation_gib(model, gpu, options, constants, generation, limits)
    non_torch = constants.non_torch_gib[f"{generation.overheads}.{'single' if ranks == 1 else 'parallel'}"]
    workspace = _workspace_gib(gpu, options, constants)
    graphs = _graphs_gib(model, options, constants, generation, limits, flashinfer=workspace > 0)
    extra = graphs + workspace
    counted = extra if generation.accounts_for_graphs(runner) and graphs else 0.0
    return Parts(
        weights=weights,
        activation=activation,
        non_torch=non_torch,
        graphs=graphs,
        workspace=workspace,
        inside=weights + activation + non_torch + counted,
        late=max(0.0, extra - counted + running - activation),
        loading=loading,
    )


def _weights_gib(model: ModelFacts, options: ServingOptions, generation: Generation) -> tuple[float, float]:
    """Weights at rest and at the peak of loading.

    An 8-bit format made while loading leaves one layer's plain MLP behind where weights stream in; without streaming
    all plain weights are loaded first.
    """
    draft = options.draft_weights_gib / options.tensor_parallel_size
    if options.weights_gib is not None:
        return options.weights_gib + draft, options.weights_gib
    weights = weight_bytes(model, options) / GIB
    stored = weight_format(model, options)
    if stored is None or not stored.online or stored.name == "bitsandbytes":
        return weights + draft, weights
    if generation.online_fp8_streams:
        weights += plain_mlp_bytes(model, options) / GIB
        return weights + draft, weights
    return weights + draft, max(weights, weight_bytes(model, replace(options, quantization=None)) / GIB)


def _activation_gib(
    model: ModelFacts,
    gpu: Gpu,
    options: ServingOptions,
    constants: Constants,
    generation: Generation,
    limits: BatchLimits,
) -> tuple[float, float]:
    """The profiled activation peak, and what a running engine needs at its peak, sampler warm-up included."""
    element = dtype_bytes(activation_dtype(model, options))
    tokens, rows, tp = limits.batched_tokens, min(limits.seqs, limits.batched_tokens), options.tensor_parallel_size
    v2 = generation.runner_for(model) == "v2"
    profiled = constants.sampler_bytes["v2" if v2 else generation.sampler]
    warmed = constants.sampler_bytes["v2_warm_up"] if v2 else profiled
    workspace = constants.matmul_workspace_mib["hopper" if gpu.compute_capability >= HOPPER else "other"] / 1024
    forward = forward_peak_bytes(model, tokens, tp, element, constants) / GIB + workspace
    sampler = sampler_peak_bytes(model, rows, tokens, element, profiled) / GIB + workspace
    # Before 0.6.4 memory that PyTorch's allocator keeps cached after the profile run counts as used.
    peak = forward + sampler if generation.counts_reserved_cache else max(forward, sampler)
    if generation.compiles and not options.enforce_eager:
        peak = max(peak, compiled_peak_bytes(model, tokens, tp, element, constants) / GIB)
    return peak, max(forward, sampler_peak_bytes(model, rows, rows, element, warmed) / GIB)


def _graphs_gib(
    model: ModelFacts,
    options: ServingOptions,
    constants: Constants,
    generation: Generation,
    limits: BatchLimits,
    *,
    flashinfer: bool,
) -> float:
    graphs = graph_gib(captured_graphs(options, generation, limits), model.num_hidden_layers, constants)
    return graphs + constants.graph_mib["flashinfer"] / 1024 if graphs and flashinfer else graphs


def captured_graphs(options: ServingOptions, generation: Generation, limits: BatchLimits) -> int:
    """How many CUDA graphs the release captures: one for each batch size, and again for each with adapters."""
    if options.enforce_eager:
        return 0
    largest = generation.graph_ceiling
    if generation.graph_seqs_factor:
        steps = 1 + options.num_speculative_tokens
        largest = min(largest, limits.seqs * steps * generation.graph_seqs_factor, limits.batched_tokens)
    return capture_count(largest) * (2 if options.lora is not None else 1)


def _workspace_gib(gpu: Gpu, options: ServingOptions, constants: Constants) -> float:
    """FlashInfer's buffer, by the backend that the options name."""
    backend = (options.attention_backend or "").upper()
    # Where nobody says which backend serves an 8-bit cache, the one that takes more is counted.
    unsaid = not backend and (options.kv_cache_dtype or "auto").startswith("fp8") and gpu.compute_capability < HOPPER
    return constants.flashinfer_workspace_gib if backend == "FLASHINFER" or unsaid else 0.0


def _judge(
    model: ModelFacts,
    gpu: Gpu,
    parts: Parts,
    layout: KvLayout,
    limits: BatchLimits,
    usable: float,
    uncertainty: float,
) -> Fit:
    left = usable - parts.inside
    outside = gpu.total_gib - gpu.context_gib - usable - parts.late
    blocks = max(0, int(left * GIB) // layout.block_bytes)
    needed = layout.blocks_for(limits.max_model_len)
    concurrency = blocks / needed
    reasons = _reasons(gpu, parts, left, usable, blocks, needed, limits, layout)
    return Fit(
        fits=not reasons,
        margin_is_uncertain=_is_uncertain(
            left - needed * layout.block_bytes / GIB, uncertainty, outside, LATE_UNCERTAINTY_GIB
        ),
        weights_gib=parts.weights,
        activation_gib=parts.activation,
        non_torch_gib=parts.non_torch,
        cuda_graph_gib=parts.graphs,
        workspace_gib=parts.workspace,
        late_gib=parts.late,
        kv_room_gib=left,
        kv_cache_tokens=int(concurrency * limits.max_model_len),
        max_concurrency=concurrency,
        max_model_len=limits.max_model_len,
        largest_max_model_len=layout.longest(blocks, max(limits.max_model_len, model.max_position_embeddings)),
        usable_gib=usable,
        total_gib=gpu.total_gib,
        uncertainty_gib=uncertainty,
        reasons=reasons,
    )


def _is_uncertain(inside: float, inside_width: float, outside: float, outside_width: float) -> bool:
    """Whether the tighter of the two margins, inside the engine's share and outside it, may be wrong in sign."""
    inside_is_close, outside_is_close = abs(inside) < inside_width, abs(outside) < outside_width
    if inside >= 0 and outside >= 0:
        return inside_is_close or outside_is_close
    return (inside >= 0 or inside_is_close) and (outside >= 0 or outside_is_close)


def _reasons(
    gpu: Gpu, parts: Parts, left: float, usable: float, blocks: int, needed: int, limits: BatchLimits, layout: KvLayout
) -> tuple[str, ...]:
    reasons = []
    free = gpu.total_gib - gpu.context_gib
    if parts.loading > max(free, parts.weights):
        reasons.append(f"loading holds {parts.loading:.2f} GiB of unquantised weights and {free:.2f} GiB are free")
    if usable > free:
        reasons.append(f"the engine asks for {usable:.2f} GiB but only {free:.2f} GiB are free when it starts")
    elif usable + parts.late > free:
        need = f"CUDA graphs, workspace and sampler warm-up need {parts.late:.2f} GiB after the cache is allocated"
        reasons.append(f"{need} and the settings leave {free - usable:.2f} GiB outside the engine's share")
    if left <= 0:
        need = f"weights, activations and overheads need {parts.inside:.2f} GiB"
        reasons.append(f"{need} and the engine may use {usable:.2f} GiB: nothing is left for the KV cache")
    elif blocks < needed:
        reasons.append(
            f"one sequence of {limits.max_model_len} tokens needs {needed * layout.block_bytes / GIB:.2f} GiB of "
            f"KV cache and {left:.2f} GiB are left"
        )
    return tuple(reasons)
