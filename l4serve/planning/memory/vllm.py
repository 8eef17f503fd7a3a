"""vLLM's accounting: utilisation x total, less weights, activations, non-torch memory and graphs, is the KV cache."""

from __future__ import annotations

from math import hypot

from l4serve.config.frozen import frozen
from l4serve.config.keys.vllm import VllmEngine
from l4serve.engines.gpu_layout import GpuLayout
from l4serve.engines.speculation import drafting_method
from l4serve.planning.machines.gpus import Gpu
from l4serve.planning.memory.constants import Constants
from l4serve.planning.memory.extra_flags import with_fields
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.flag_values import allreduce_gib, read_count
from l4serve.planning.memory.generations import Generation, MemoryModelError, parse_version, vllm_generation
from l4serve.planning.memory.graphs import captured_graphs, graph_gib
from l4serve.planning.memory.kv_cache import KvLayout
from l4serve.planning.memory.longest_context import with_longest
from l4serve.planning.memory.options import LoraOptions, ServingOptions
from l4serve.planning.memory.quantizations import weight_format
from l4serve.planning.memory.towers import encodes_items
from l4serve.planning.memory.uncertainty import uncertainty_gib
from l4serve.planning.memory.vllm_activations import (
    HOPPER,
    BatchLimits,
    Question,
    asked,
    profiled_gib,
    running_gib,
    state_gib,
    tower_gib,
    verifying_gib,
)
from l4serve.planning.memory.vllm_cache import cache_layout
from l4serve.planning.memory.vllm_towers import has_unread_tower
from l4serve.planning.memory.vllm_v0 import serves_by_v0, swap_gib
from l4serve.planning.memory.vllm_verdict import Parts, context_outside, verdict
from l4serve.planning.memory.weights import layer_bytes, left_behind_bytes, weight_bytes
from l4serve.planning.models.model_shape import LayerKind, ModelShape
from l4serve.planning.values.edited import edited
from l4serve.planning.values.quantity import GIB

MAMBA_STATES_IN_BLOCKS = (0, 11, 0)
"""The release since which V1 alone serves Mamba (https://github.com/vllm-project/vllm/releases/tag/v0.11.0)."""

TRITON_KERNELS = (0, 12, 0)
"""The release of which a source is known to bring Triton's kernels for MXFP4 experts; 0.11.0 does not."""


def generation_of(model: ModelShape, gpu: Gpu, options: ServingOptions) -> Generation:
    """How the release serves the model on the card: by its own engine, or by V0's where it falls back to that."""
    fp8_cache = (options.kv_cache_dtype or "auto").startswith("fp8")
    return vllm_generation(
        options.engine_version, gpu.compute_capability, fp8_cache=fp8_cache, by_v0=serves_by_v0(model, options)
    )


def batch_limits(model: ModelShape, options: ServingOptions, generation: Generation) -> BatchLimits:
    """The batch limits that the server runs with."""
    length = options.max_model_len or model.max_position_embeddings
    # What a release takes by card is its V1 engine's; V0 has one default for all cards.
    by_card = generation.runner != "v0"
    seqs = options.max_num_seqs or (by_card and options.default_max_num_seqs) or generation.default_seqs
    doubled = 2 if options.performance_mode == "throughput" else 1  # `_set_default_max_num_seqs_and_...` since 0.17
    seqs *= 1 if options.max_num_seqs else doubled
    tokens = options.max_num_batched_tokens
    if tokens is None:
        tokens = (by_card and options.default_max_num_batched_tokens) or generation.default_batched_tokens
        tokens *= doubled
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


def _chunks_long_contexts(model: ModelShape, options: ServingOptions) -> bool:
    """Whether V0 splits prefills of long contexts unasked: not with adapters, drafts, windows in all layers, images or
    MLA (engine/arg_utils.py of 0.5.4, 0.6.6 and 0.8.5)."""
    slides = model.sliding_window is not None and not model.count_layers(LayerKind.FULL)
    drafts = options.num_speculative_tokens > 0
    return not (options.lora or drafts or slides or model.extra_parameters or model.mla)


@frozen()
class VllmMemory:
    """vLLM's memory: the settings that it depends on, and the answer."""

    kind: str = "vllm"

    def options(self, engine: VllmEngine, layout: GpuLayout) -> ServingOptions:
        """The settings of vLLM's config that its memory depends on."""
        lora = engine.lora
        speculative = engine.speculative_config or {}
        options = ServingOptions(
            engine=self.kind,
            engine_version=engine.version,
            tensor_parallel_size=layout.tensor_parallel_size,
            pipeline_parallel_size=layout.pipeline_parallel_size,
            dtype=None if engine.dtype == "auto" else engine.dtype,
            quantization=engine.quantization,
            kv_cache_dtype=engine.kv_cache_dtype,
            max_model_len=engine.max_model_len if isinstance(engine.max_model_len, int) else None,
            fits_length=engine.max_model_len == "auto",
            max_num_seqs=engine.max_num_seqs,
            max_num_batched_tokens=engine.max_num_batched_tokens,
            gpu_memory_utilization=engine.gpu_memory_utilization,
            enforce_eager=bool(engine.enforce_eager),
            enable_prefix_caching=engine.enable_prefix_caching,
            enable_chunked_prefill=engine.enable_chunked_prefill,
            lora=LoraOptions(max_loras=lora.max_loras or 1, max_lora_rank=lora.max_rank or 16) if lora else None,
            num_speculative_tokens=read_count(speculative.get("num_speculative_tokens")) or 0,
            speculative_method=drafting_method(speculative),
            cpu_offload_gib=engine.cpu_offload_gb or 0.0,
            block_size=engine.block_size,
            swap_gib=engine.swap_space,
        )
        return with_fields(options, engine)

    def swap_gib(self, model: ModelShape, options: ServingOptions) -> float:
        """What V0 pins for swapped cache."""
        return swap_gib(model, options)

    def estimate(self, model: ModelShape, gpu: Gpu, options: ServingOptions, constants: Constants) -> Fit:
        """vLLM's answer for one rank."""
        fit = estimate_vllm(model, gpu, options, constants)
        if options.fits_length or not encodes_items(model, options):
            return fit
        return with_longest(fit, lambda n: estimate_vllm(model, gpu, edited(options, max_model_len=n), constants))


def estimate_vllm(model: ModelShape, gpu: Gpu, options: ServingOptions, constants: Constants) -> Fit:
    """vLLM's answer for one rank. Raises MemoryModelError for what no source or measurement tells."""
    if model.is_mamba and parse_version(options.engine_version) < MAMBA_STATES_IN_BLOCKS:
        since = ".".join(map(str, MAMBA_STATES_IN_BLOCKS))
        raise MemoryModelError(
            f"vLLM before {since} may keep Mamba states outside the cache, by its V0 engine; "
            f"set engine.version: {since} or newer, where they are judged"
        )
    options = edited(options, triton_experts=_triton_serves_experts(gpu, options))
    generation = generation_of(model, gpu, options)
    limits = batch_limits(model, options, generation)
    question = asked(model, gpu, options, constants, generation, limits)
    parts = _parts(question)
    usable = (options.gpu_memory_utilization or generation.default_utilization) * gpu.total_gib
    if options.kv_cache_memory_bytes is not None:
        usable = parts.inside + options.kv_cache_memory_bytes / GIB
    layout = cache_layout(question)
    if options.gpu_blocks is not None:
        usable = parts.inside + options.gpu_blocks * layout.block_bytes / GIB
    if model.is_encoder:
        usable = parts.inside
    parts = edited(parts, late=_late_gib(question, parts, layout, usable))
    tower = tower_gib(question)[0]
    uncertainty = uncertainty_gib(model, options, generation, constants, parts.weights, parts.activation, tower)
    if has_unread_tower(model, options):
        uncertainty = hypot(uncertainty, constants.uncertainty["unknownTowerGib"])
    return verdict(question, parts, layout, usable, uncertainty, _notes(question, parts, usable, tower))


def _triton_serves_experts(gpu: Gpu, options: ServingOptions) -> bool:
    """Whether MXFP4 experts run on Triton's kernels, which lack adapters (`get_mxfp4_backend` of 0.13.0)."""
    bundled = parse_version(options.engine_version) >= TRITON_KERNELS
    return bundled and gpu.compute_capability == HOPPER and options.lora is None


def _parts(question: Question) -> Parts:
    options, generation = question.options, question.generation
    ranks = options.tensor_parallel_size * options.pipeline_parallel_size
    weights, loading = _weights_gib(question)
    activation = profiled_gib(question)
    overheads = f"{generation.overheads}.{'single' if ranks == 1 else 'parallel'}"
    context = question.gpu.context_gib - context_outside(question)
    non_torch = question.constants.non_torch_gib[overheads] + context + allreduce_gib(options)
    workspace = _workspace_gib(question)
    graphs = _graphs_gib(question, flashinfer=workspace > 0)
    extra = graphs + workspace
    counted = extra if generation.accounts_for_graphs(question.runner) and graphs else 0.0
    return Parts(
        weights=weights,
        activation=activation,
        non_torch=non_torch,
        graphs=graphs,
        workspace=workspace,
        inside=weights + activation + non_torch + counted,
        late=extra - counted,
        loading=loading,
    )


def _late_gib(question: Question, parts: Parts, layout: KvLayout, usable: float) -> float:
    """What is allocated after the cache beyond the activations set aside. V1 warms up what it profiled."""
    if question.runner != "v2":
        verifying = verifying_gib(question) if question.runner == "v1" else 0.0
        return parts.late + max(0.0, verifying - parts.activation)
    blocks = max(0, int((usable - parts.inside) * GIB) // layout.block_bytes)
    tokens, sequences = layout.longest(blocks, question.limits.batched_tokens), blocks // layout.blocks_for(1)
    running = running_gib(question, tokens, sequences)
    return max(0.0, parts.late + state_gib(question) + running - parts.activation)


def _notes(question: Question, parts: Parts, usable: float, tower: float) -> tuple[str, ...]:
    options, generation, notes = question.options, question.generation, []
    runner = question.runner
    if options.cpu_offload_gib and not generation.offloads_weights(runner):
        notes.append(
            f"vLLM {options.engine_version} ignores cpuOffloadGb on its V2 model runner: set "
            "VLLM_USE_V2_MODEL_RUNNER=0 in the workload's env, or use 0.28.0 or later"
        )
    skips = options.skip_multimodal_profiling or not generation.profiles_encoder(runner)
    free = question.gpu.total_gib - context_outside(question) - usable + parts.activation - parts.graphs
    if tower and skips and tower > free:
        notes.append(
            f"no profile sets memory aside for the vision tower: its largest picture needs {tower:.2f} GiB and "
            f"{max(0.0, free):.2f} GiB are left, so large pictures stop the engine; lower gpuMemoryUtilization or the "
            "processor's max_pixels"
        )
    return tuple(notes)


def _weights_gib(question: Question) -> tuple[float, float]:
    """Weights at rest and at the peak of loading.

    An 8-bit format made while loading leaves what the allocator keeps beside it, or one layer's plain MLP, behind where
    weights stream in; without streaming all plain weights are loaded first, and some releases hold on to these until
    the last narrow one is made. What is offloaded leaves the card while layers are made, before weights load.
    """
    model, options, generation = question.model, question.options, question.generation
    draft = options.draft_weights_gib / options.tensor_parallel_size
    if options.weights_gib is not None:
        return options.weights_gib + draft, options.weights_gib
    kept = weight_bytes(model, options) / GIB
    weights = kept
    if options.cpu_offload_gib and generation.offloads_weights(question.runner):
        weights -= min(options.cpu_offload_gib, layer_bytes(model, options) / GIB)
    stored = weight_format(model, options)
    if stored is None or not stored.online or stored.name == "bitsandbytes":
        return weights + draft, weights
    if generation.online_fp8 == "streams":
        weights += left_behind_bytes(model, options, stored, generation) / GIB
        return weights + draft, weights
    plain = weight_bytes(model, edited(options, quantization=None)) / GIB
    # Narrow weights are half as wide, so as large as what making them saves.
    beside = plain - kept if generation.online_fp8 == "beside" else 0.0
    return weights + draft, max(weights, plain + beside)


def _graphs_gib(question: Question, *, flashinfer: bool) -> float:
    sizes = captured_graphs(question.options, question.generation, question.limits)
    # V2 captures a draft at the same sizes; an EAGLE head took as much as its target (1.16 GiB in all, s21).
    sizes *= 2 if question.options.draft_weights_gib and question.runner == "v2" else 1
    graphs = graph_gib(sizes, question.model.num_hidden_layers, question.constants)
    return graphs + question.constants.graph_mib["flashinfer"] / 1024 if graphs and flashinfer else graphs


def _workspace_gib(question: Question) -> float:
    """FlashInfer's buffer, by the backend that the options name."""
    options, gpu = question.options, question.gpu
    backend = (options.attention_backend or "").upper()
    # Where nobody says which backend serves an 8-bit cache, the one that takes more is counted.
    unsaid = not backend and (options.kv_cache_dtype or "auto").startswith("fp8") and gpu.compute_capability < HOPPER
    return question.generation.flashinfer_workspace_mib / 1024 if backend == "FLASHINFER" or unsaid else 0.0
