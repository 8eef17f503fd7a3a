"""The typed flags of Text Generation Inference's launcher. None leaves the engine's default and emits no flag."""

from typing import Literal

from pydantic import Field

from l4serve.config.keys.base import ConfigModel, Count, Fraction, Image, PositiveInt, Version, Word
from l4serve.config.keys.vllm import LoraAdapter


class TgiEngine(ConfigModel):
    """TGI: version, image and the launcher flags that operators set."""

    kind: Literal["tgi"] = "tgi"
    """Picks TGI as the engine, with its keys."""
    version: Version = "3.3.7"
    """Release of TGI, which picks the contract and the default image."""
    image: Image | None = None
    """Container image that the pods run in place of the release's own."""
    contract: Version | None = None
    """Known version whose contract to apply when `version` lies outside the known range."""
    quantize: Word | None = None
    """Quantisation method, such as awq, gptq, eetq, bitsandbytes, bitsandbytes-nf4 or fp8; unset leaves 16 bits."""
    attention: Literal["paged", "flashdecoding", "flashinfer"] | None = None
    """Kernels that compute attention; passed in the environment where the launcher has no flag."""
    num_shard: PositiveInt | None = None
    """GPUs that the model is sharded over; unset follows `gpus`."""
    max_input_tokens: PositiveInt | None = None
    """Longest prompt in tokens that a request may have."""
    max_input_length: PositiveInt | None = None
    """Longest prompt in tokens, by the flag's older name."""
    max_total_tokens: PositiveInt | None = None
    """Most tokens of a request, prompt and answer together."""
    max_batch_prefill_tokens: PositiveInt | None = None
    """Tokens of prompts that one prefill may batch; more start prompts sooner and take memory."""
    max_batch_total_tokens: PositiveInt | None = None
    """Tokens that all running requests may hold; unset is measured at warm-up."""
    max_batch_size: PositiveInt | None = None
    """Requests that one batch may hold at most."""
    kv_cache_dtype: Word | None = None
    """Type of the KV cache, such as fp8_e4m3fn or fp8_e5m2; eight bits hold twice the tokens of sixteen."""
    cuda_memory_fraction: Fraction | None = None
    """Share of the GPU's memory that the engine may take, above 0 and at most 1."""
    max_concurrent_requests: PositiveInt | None = None
    """Requests in flight before new ones are refused."""
    dtype: Literal["float16", "bfloat16"] | None = None
    """Number format of weights and activations, two bytes each."""
    waiting_served_ratio: float | None = Field(None, gt=0, le=1000)
    """Waiting to running requests at which a prefill interrupts decoding."""
    max_waiting_tokens: Count | None = None
    """Decoded tokens after which waiting requests may interrupt."""
    speculate: Count | None = None
    """Tokens to guess ahead in each step, by Medusa heads or n-grams."""
    lora_adapters: tuple[LoraAdapter, ...] | None = Field(None, min_length=1)
    """LoRA adapters loaded at start, each served under a name of its own."""
    cuda_graphs: tuple[Count, ...] | None = None
    """Batch sizes to capture as CUDA graphs; a single 0 turns them off."""
    max_best_of: PositiveInt | None = None
    """Largest best_of that a request may ask for."""
    max_stop_sequences: PositiveInt | None = None
    """Stop sequences that a request may name at most."""
    trust_remote_code: bool | None = None
    """Runs code that the model's repository ships, inside the pod."""
