"""What an operator asks of the serving engine, as far as memory depends on it. None leaves the engine's default."""

from __future__ import annotations

from collections.abc import Mapping

from l4serve.config.frozen import frozen


@frozen(kw_only=True)
class LoraOptions:
    """Adapters kept on the GPU at once and their largest rank."""

    max_loras: int = 1
    max_lora_rank: int = 16


@frozen(kw_only=True)
class GraphOptions:
    """CUDA graphs as the operator asks for them: the batch sizes themselves, or the largest. None is the release's.

    `piecewise` is whether attention stays out of every graph.
    """

    sizes: tuple[int, ...] | None = None
    largest: int | None = None
    piecewise: bool = False


@frozen(kw_only=True)
class ServingOptions:
    """One engine's memory-relevant settings.

    Lengths and batch limits are in tokens or sequences; `fits_length` leaves the length to what the cache holds.
    `gpu_memory_utilization` (vLLM) and `cuda_memory_fraction` (TGI) are fractions of the card. `default_*` are the
    limits that the release takes on the card where none is asked for, `attention_backend` the backend in force.
    `expert_parallel` is whether each expert lies whole on one rank.
    `performance_mode` moves limits and graphs that nobody asks for, `context_ranks` are those over which each
    sequence's cache is split while it decodes, `fuses_allreduce` is whether FlashInfer's all-reduce is asked for,
    `copies_tower` whether a tower lies whole on every rank, `sleeps` whether weights lie in a pool that can sleep.
    `whole_items` is whether the operator lets no picture or video be split over steps.
    `triton_experts` is whether Triton's kernels serve quantised experts on the card.
    `weights_gib` overrides the computed weights of one GPU rank. `draft_weights_gib` and `draft_kv_fraction` describe a
    speculative draft that shares the card: its weights, and its KV bytes as a fraction of the target's;
    `speculative_method` is how drafts are made. `cpu_offload_gib` is what one rank keeps of its weights in host memory,
    `kv_offloading_gib` the cache that spills there, `kv_cache_memory_bytes` the cache that the operator sets in place
    of a utilisation, `gpu_blocks` the number of its blocks. `multimodal_limits` are the items of each modality that one
    prompt may hold; 0 for all of them loads no tower; `max_pixels` bounds a picture. `pooling` is whether the server
    answers with vectors or scores and samples nothing; None leaves that to the model. `v2_model_runner` and
    `flashinfer_sampler` are what the environment says of vLLM's model runner and of its sampler. `v1_engine` is what
    the environment says of vLLM's engine, `asks_for_v0` whether a flag is one that only V0 takes, `swap_gib` what each
    GPU may swap to the host. `ungrouped` is whether a connector or KV events turn vLLM's hybrid KV cache manager off,
    `ungrouped_asked` what the operator says of it. `unjudged` names settings that move memory and are not modelled,
    `unjudged_towers` those that do so where a vision or audio tower is loaded.
    """

    engine: str
    engine_version: str
    tensor_parallel_size: int = 1
    pipeline_parallel_size: int = 1
    dtype: str | None = None
    quantization: str | None = None
    kv_cache_dtype: str | None = None
    max_model_len: int | None = None
    fits_length: bool = False
    max_num_seqs: int | None = None
    max_num_batched_tokens: int | None = None
    gpu_memory_utilization: float | None = None
    enforce_eager: bool = False
    default_max_num_seqs: int | None = None
    default_max_num_batched_tokens: int | None = None
    attention_backend: str | None = None
    enable_prefix_caching: bool | None = None
    enable_chunked_prefill: bool | None = None
    lora: LoraOptions | None = None
    expert_parallel: bool = False
    num_speculative_tokens: int = 0
    draft_weights_gib: float = 0.0
    draft_kv_fraction: float = 0.0
    speculative_method: str | None = None
    weights_gib: float | None = None
    triton_experts: bool = False
    cpu_offload_gib: float = 0.0
    kv_offloading_gib: float = 0.0
    kv_cache_memory_bytes: int | None = None
    block_size: int | None = None
    mamba_cache_dtype: str | None = None
    mamba_ssm_cache_dtype: str | None = None
    mamba_cache_mode: str | None = None
    performance_mode: str | None = None
    context_ranks: int = 1
    fuses_allreduce: bool = False
    copies_tower: bool = False
    sleeps: bool = False
    multimodal_limits: Mapping[str, int] | None = None
    max_pixels: int | None = None
    load_format: str | None = None
    language_model_only: bool = False
    whole_items: bool = False
    skip_multimodal_profiling: bool = False
    pooling: bool | None = None
    v2_model_runner: bool | None = None
    flashinfer_sampler: bool | None = None
    v1_engine: bool | None = None
    asks_for_v0: bool = False
    swap_gib: float | None = None
    graphs: GraphOptions | None = None
    gpu_blocks: int | None = None
    ungrouped: bool = False
    ungrouped_asked: bool | None = None
    unjudged: tuple[str, ...] = ()
    unjudged_towers: tuple[str, ...] = ()
    max_input_tokens: int | None = None
    max_total_tokens: int | None = None
    max_batch_prefill_tokens: int | None = None
    max_batch_total_tokens: int | None = None
    cuda_memory_fraction: float | None = None
    max_concurrent_requests: int | None = None

    @property
    def is_eager(self) -> bool:
        """Whether no CUDA graph is captured, however that is said."""
        asked = self.graphs or GraphOptions()
        return self.enforce_eager or asked.sizes == () or asked.largest == 0

    @property
    def groups_layers(self) -> bool:
        """Whether layers of different kinds may have blocks of their own, where the release can do that."""
        return not (self.ungrouped if self.ungrouped_asked is None else self.ungrouped_asked)

    @property
    def states_cache(self) -> bool:
        """Whether the operator sets the size of the cache, in place of what a share of the card leaves for it."""
        return self.kv_cache_memory_bytes is not None or self.gpu_blocks is not None
