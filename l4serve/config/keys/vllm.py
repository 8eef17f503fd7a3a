"""The typed flags of vLLM's OpenAI-compatible server. None leaves the engine's default and emits no flag."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from l4serve.config.keys.base import (
    ByteCount,
    ConfigModel,
    Fraction,
    Image,
    Int,
    PositiveInt,
    ServedName,
    Source,
    Version,
    Word,
)


def _counted(limits: Mapping[str, Any]) -> Mapping[str, Any]:
    """Refuses what is neither a number of media nor an object with their size, on which the engine would stop."""
    for kind, most in limits.items():
        if not isinstance(most, Mapping) and not str(most).isdigit():
            raise ValueError(f"{most!r} of {kind} is not a number; write for example {{{kind}: 2}}")
    return limits


def _named(length: Any) -> Any:
    """vLLM's -1 by the name that it has here."""
    return "auto" if length == -1 else length


class LoraAdapter(ConfigModel):
    """One LoRA adapter, served under its own model name."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$", examples=["my-adapter"])]
    """The model name by which clients ask for the adapter."""
    path: Source
    """Where the adapter lies: a Hub id, or a path in the container."""


class Lora(ConfigModel):
    """LoRA serving; `lora: {}` turns it on for adapters that clients load while the server runs."""

    adapters: tuple[LoraAdapter, ...] = ()
    """Adapters loaded at start; none leaves them to requests, which VLLM_ALLOW_RUNTIME_LORA_UPDATING lets in."""
    max_rank: PositiveInt | None = None
    """Largest rank that an adapter may have; a larger one takes more memory."""
    max_loras: PositiveInt | None = None
    """Adapters that one batch may mix; each takes a place in the GPU's memory."""


class VllmEngine(ConfigModel):
    """vLLM: version, image and the flags that operators set."""

    kind: Literal["vllm"] = "vllm"
    """Picks vLLM as the engine, with its keys."""
    version: Version = "0.26.0"
    """Release of vLLM, which picks the contract and the default image."""
    image: Image | None = None
    """Container image that the pods run in place of the release's own."""
    contract: Version | None = None
    """Known version whose contract to apply when `version` lies outside the known range."""
    dtype: Literal["auto", "half", "float16", "bfloat16", "float", "float32"] | None = None
    """Number format of weights and activations; auto, as unset, follows the model's config."""
    quantization: Word | None = None
    """Quantisation method, such as awq, awq_marlin, gptq, fp8 or bitsandbytes; unset follows the checkpoint."""
    kv_cache_dtype: Word | None = None
    """Type of the KV cache, such as auto, fp8, fp8_e4m3 or fp8_e5m2; eight bits hold twice the tokens of sixteen."""
    max_model_len: Annotated[PositiveInt | Literal["auto"] | None, BeforeValidator(_named)] = None
    """Longest context, prompt and output, in tokens; auto (or -1, from 0.14.0) is as long as the cache holds."""
    tensor_parallel_size: PositiveInt | None = None
    """GPUs that each layer is sharded over; unset follows `gpus`."""
    pipeline_parallel_size: PositiveInt | None = None
    """Stages that the layers are split into; unset is 1."""
    gpu_memory_utilization: Fraction | None = None
    """Share of the GPU's memory that the engine may take, above 0 and at most 1."""
    max_num_seqs: PositiveInt | None = None
    """Sequences that one step may batch. More serve more users at once; each needs its own part of the KV cache."""
    max_num_batched_tokens: PositiveInt | None = None
    """Tokens that one step may batch. More make prompts start sooner and cost activation memory on the card."""
    block_size: PositiveInt | None = None
    """Tokens in one block of the KV cache. Smaller blocks waste less of the cache at the end of each sequence."""
    num_gpu_blocks_override: PositiveInt | None = None
    """Blocks of the KV cache, in place of what the engine measures; more than the card holds ends its start."""
    kv_cache_memory_bytes: ByteCount | None = None
    """KV cache of each GPU in bytes or as 4G (binary) or 4g (decimal); gpuMemoryUtilization then decides nothing."""
    swap_space: float | None = Field(None, ge=0, le=100_000)
    """CPU memory per GPU, in GiB, for sequences that are set aside; vLLM 0.18 and newer have no such option."""
    cpu_offload_gb: float | None = Field(None, ge=0, le=100_000)
    """Weights kept in CPU memory per GPU, in GiB; each step reads them over the bus."""
    kv_offloading_size: float | None = Field(None, gt=0, le=100_000)
    """KV cache that spills to CPU memory, in GiB, all GPUs of the pod together; the pod asks for that much more."""
    mamba_cache_dtype: Word | None = None
    """Type of the states of linear-attention layers, such as auto, float16 or float32."""
    mamba_ssm_cache_dtype: Word | None = None
    """Type of the recurrent part of those states alone; two bytes hold more sequences than four."""
    enable_prefix_caching: bool | None = None
    """Reuses KV blocks between prompts that share a prefix, whose first token then comes sooner."""
    enable_chunked_prefill: bool | None = None
    """Splits long prefills into chunks that batch with decodes, so that running answers do not stall."""
    enforce_eager: bool | None = None
    """Runs without CUDA graphs: a faster start and more memory for the cache, slower tokens."""
    cudagraph_capture_sizes: tuple[PositiveInt, ...] | None = Field(None, min_length=1)
    """Batch sizes to capture as CUDA graphs; fewer leave more memory, and other sizes are padded up."""
    max_cudagraph_capture_size: PositiveInt | None = None
    """Largest batch size to capture as a CUDA graph."""
    compilation_config: Mapping[str, Any] | None = None
    """Compilation and CUDA graphs, as the engine's JSON object; memory is not judged under settings that move it."""
    attention_backend: Word | None = None
    """Kernels that compute attention, such as FLASH_ATTN, FLASHINFER or TRITON_ATTN; unset lets the engine choose."""
    disable_custom_all_reduce: bool | None = None
    """Lets the GPUs exchange by NCCL in place of the engine's own all-reduce kernel."""
    calculate_kv_scales: bool | None = None
    """Computes the scales of an FP8 KV cache at run time."""
    trust_remote_code: bool | None = None
    """Runs code that the model's repository ships, inside the pod."""
    speculative_config: Mapping[str, Any] | None = None
    """Speculative decoding by a draft model or n-grams, as the engine's JSON object."""
    runner: Literal["auto", "generate", "pooling", "draft"] | None = None
    """What the server does with the model (from 0.10.1): pooling answers with vectors, scores or classes, no text."""
    convert: Literal["auto", "none", "embed", "classify", "reward"] | None = None
    """What a generating model is turned into, with `runner: pooling`."""
    task: Literal["auto", "generate", "embed", "embedding", "classify", "score", "reward", "transcription"] | None = (
        None
    )
    """What the model is served for, in releases before `runner` (up to 0.12)."""
    limit_mm_per_prompt: Annotated[Mapping[str, Any], AfterValidator(_counted)] | None = None
    """Most pictures, videos or sounds in one prompt, such as {image: 2}; 0 of all of them leaves the tower unloaded."""
    language_model_only: bool | None = None
    """Serves text alone: the vision or audio tower is not loaded."""
    skip_mm_profiling: bool | None = None
    """Sets no memory aside for the largest picture: more cache, and a large picture may end the engine."""
    mm_processor_kwargs: Mapping[str, Any] | None = None
    """Arguments of the model's picture or sound processor, such as {max_pixels: 1003520}; memory is then not judged."""
    lora: Lora | None = None
    """LoRA adapters that one base model serves, each under its own model name."""
    served_model_name: tuple[ServedName, ...] | None = Field(None, min_length=1)
    """Names by which clients ask for the model; unset is the model's id."""
    load_format: Word | None = None
    """Format of the weights, such as safetensors, runai_streamer or dummy."""
    tokenizer: Source | None = None
    """Tokenizer in place of the model's own: a Hub id, or a path in the container."""
    seed: Int | None = None
    """Seed of the random generators that sample tokens."""
    generation_config: Source | None = None
    """Where sampling defaults come from: auto (the model), vllm, or a path."""
    override_generation_config: Mapping[str, Any] | None = None
    """Sampling defaults to override, as a JSON object."""
    reasoning_parser: Word | None = None
    """Parser that parts a reasoning model's thinking from its answer."""
    enable_auto_tool_choice: bool | None = None
    """Leaves it to the model whether to call a tool; it needs `toolCallParser`."""
    tool_call_parser: Word | None = None
    """Parser that reads calls of tools out of the model's text."""
    chat_template: str | None = Field(None, min_length=1)
    """Chat template: a path in the container or the template itself."""
    max_logprobs: Int | None = Field(None, ge=-1)
    """Most log probabilities that a request may ask for; -1 is the whole vocabulary."""
