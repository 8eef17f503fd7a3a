"""Sample values of every typed engine field, from which command lines are generated."""

from collections.abc import Mapping
from typing import Any

_ADAPTERS = [{"name": "one", "path": "acme/one"}, {"name": "two", "path": "/vllm-workspace/adapters/two"}]
_TGI_ADAPTERS = [_ADAPTERS[0], {"name": "two", "path": "/usr/src/adapters/two"}]

VLLM: Mapping[str, tuple[Any, ...]] = {
    "dtype": ("auto", "half", "float16", "bfloat16", "float", "float32"),
    "quantization": ("awq_marlin", "gptq_marlin", "fp8", "bitsandbytes", "compressed-tensors"),
    "kvCacheDtype": ("auto", "fp8", "fp8_e4m3", "fp8_e5m2"),
    "maxModelLen": (600, 8192, 131072),
    "tensorParallelSize": (1, 2, 8),
    "pipelineParallelSize": (1, 2),
    "gpuMemoryUtilization": (0.5, 0.9, 0.95, 1.0),
    "maxNumSeqs": (1, 64, 1024),
    "maxNumBatchedTokens": (512, 2048, 16384),
    "blockSize": (16, 32),
    "swapSpace": (0.0, 4.0),
    "cpuOffloadGb": (0.0, 2.5),
    "enablePrefixCaching": (True, False),
    "enableChunkedPrefill": (True, False),
    "enforceEager": (True, False),
    "attentionBackend": ("FLASH_ATTN", "FLASHINFER", "TRITON_ATTN"),
    "disableCustomAllReduce": (True, False),
    "calculateKvScales": (True, False),
    "trustRemoteCode": (True, False),
    "speculativeConfig": (
        {"method": "ngram", "num_speculative_tokens": 3, "prompt_lookup_max": 4},
        {"model": "acme/draft", "num_speculative_tokens": 2},
    ),
    "lora": ({"adapters": _ADAPTERS[:1]}, {"adapters": _ADAPTERS, "maxRank": 64, "maxLoras": 2}),
    "servedModelName": (["chat"], ["chat", "chat-v2"]),
    "loadFormat": ("auto", "safetensors", "runai_streamer", "dummy"),
    "tokenizer": ("acme/tokenizer",),
    "seed": (0, 42),
    "generationConfig": ("auto", "vllm"),
    "overrideGenerationConfig": ({"temperature": 0.2}, {"top_p": 0.9, "max_new_tokens": 64}),
    "reasoningParser": ("deepseek_r1", "qwen3"),
    "enableAutoToolChoice": (True, False),
    "toolCallParser": ("hermes", "llama3_json"),
    "chatTemplate": ("/vllm-workspace/examples/chat.jinja",),
    "maxLogprobs": (0, 20),
}
TGI: Mapping[str, tuple[Any, ...]] = {
    "quantize": ("awq", "gptq", "eetq", "bitsandbytes", "bitsandbytes-nf4", "fp8"),
    "attention": ("paged", "flashdecoding", "flashinfer"),
    "numShard": (1, 2, 8),
    "maxInputTokens": (512, 4095),
    "maxInputLength": (512, 4095),
    "maxTotalTokens": (3072, 4096),
    "maxBatchPrefillTokens": (512, 8192),
    "maxBatchTotalTokens": (16384,),
    "maxBatchSize": (4, 32),
    "kvCacheDtype": ("fp8_e4m3fn", "fp8_e5m2"),
    "cudaMemoryFraction": (0.5, 0.95, 1.0),
    "maxConcurrentRequests": (1, 128),
    "dtype": ("float16", "bfloat16"),
    "waitingServedRatio": (0.3, 1.2),
    "maxWaitingTokens": (0, 20),
    "speculate": (0, 3),
    "loraAdapters": (_TGI_ADAPTERS[:1], _TGI_ADAPTERS),
    "cudaGraphs": ([0], [1, 2, 4]),
    "maxBestOf": (1, 4),
    "maxStopSequences": (1, 4),
    "trustRemoteCode": (True, False),
}
