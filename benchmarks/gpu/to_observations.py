"""Turns the probe's records into the observations that the memory model is judged on.

    to_observations.py RECORDS.jsonl... > measured_vllm_0_26_0.jsonl

Left out, and named on stderr: a start that failed for a reason other than memory before its cache was sized, a
repetition, a start with a warm compilation cache (a new pod has none), an architecture that the memory model does not
read, and a GPTQ checkpoint without weights files. vLLM reads from those files which
layers are quantised: a bare config.json makes it keep every layer but the experts in 16 bits.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from l4serve.planning.models.architecture_traits import traits_of
from l4serve.planning.models.hf_config import shape_from_config
from l4serve.planning.models.hf_values import ModelConfigError

GIB = 2**30
L4_GIB = 22.03
CONFIGS = Path(__file__).parents[2] / "l4serve/planning/memory/data/configs"
OTHER_CONFIGS = Path(__file__).with_name("configs")
SOURCE = "this project's benchmarks/gpu/probe.py"
GPU = "L4 memory budget (22.03 GiB) on an {}"
MEMORY_REFUSALS = ("No available memory for the cache blocks", "To serve at least one request")
ASKED = (
    "env",
    "speculative_config",
    "limit_mm_per_prompt",
    "language_model_only",
    "skip_mm_profiling",
    "mamba_ssm_cache_dtype",
    "enable_prefix_caching",
    "cpu_offload_gb",
    "kv_cache_memory_bytes",
    "block_size",
    "runner",
    "adapters",
)
"""Arguments of a point that an observation repeats as they are."""
AFTER_THE_CACHE = ("No module named 'flashinfer'", "Tokenizer not available", "KeyError: '0-")
"""What stopped the measuring program once the cache was sized and says nothing of memory: a start all the same."""
BYTE_FIELDS = {
    "weights_gib": "weights_bytes",
    "peak_activation_gib": "peak_activation_bytes",
    "non_torch_gib": "non_torch_bytes",
    "cuda_graph_gib": "cuda_graph_bytes",
    "cuda_graph_subtracted_gib": "cuda_graph_estimate_bytes",
    "kv_cache_gib": "kv_cache_bytes",
    "used_after_start_gib": "used_after_start_bytes",
}


def first(pattern: str, lines: list[str]) -> re.Match[str] | None:
    """The first match of a pattern over log lines."""
    return next((found for line in lines if (found := re.search(pattern, line))), None)


def number(found: re.Match[str] | None) -> float | None:
    return float(found[1].replace(",", "")) if found else None


def sliding_layers(config: dict[str, Any]) -> bool:
    return bool(config.get("sliding_window"))


def kv_tokens(record: dict[str, Any], config: dict[str, Any]) -> tuple[int | None, bool]:
    """The size of the KV cache in tokens, and whether it was derived from the blocks (of a model without a window)."""
    printed = number(first(r"GPU KV cache size: ([\d,]+) tokens", record["log"]))
    if printed is not None:
        return int(printed), False
    by_tokens = not sliding_layers(config) and "stateSpace" not in traits_of(config["architectures"][0])
    if record.get("gpu_blocks") and by_tokens:
        return record["gpu_blocks"] * record["block_size"], True
    return None, False


def outcome(record: dict[str, Any]) -> str | None:
    """fit, the kind of memory refusal or death under load, or None when something else stopped the start."""
    error = record.get("error")
    if any("OutOfMemoryError" in load.get("error", "") for load in record.get("loads", [])):
        return "oom_under_load"
    if error is None or any(words in error for words in AFTER_THE_CACHE):
        return "fit"
    if MEMORY_REFUSALS[0] in error:
        return "no_fit_no_memory"
    return "no_fit_kv" if MEMORY_REFUSALS[1] in error else None


def config_name(point: dict[str, Any]) -> str:
    """The config that a point was made from; other folders held random weights too."""
    return str(point["model"]).removesuffix("-bnb").removesuffix("-real")


def kind(record: dict[str, Any], config: dict[str, Any]) -> str:
    """Which of the error tables an observation belongs to."""
    point = record["point"]
    if point.get("tensor_parallel_size", 1) > 1:
        return "parallel"
    if "speculative_config" in point:
        return "speculation"
    if "linear_num_value_heads" in config.get("text_config", config):
        return "hybrid"
    if "stateSpace" in traits_of(config["architectures"][0]) or config.get("is_encoder_decoder"):
        return "state"
    seen = shape_from_config(config, model_id=point["model"], source=SOURCE)
    return "vision" if seen.extra_parameters else "text"


def config_of(point: dict[str, Any]) -> dict[str, Any]:
    """The config.json of a point's model; those that the memory model does not read lie beside this program."""
    name = f"{config_name(point)}.json"
    known = CONFIGS / name
    config: dict[str, Any] = json.loads((known if known.exists() else OTHER_CONFIGS / name).read_text())
    return config


def quantization(config: dict[str, Any], point: dict[str, Any]) -> str | None:
    block = config.get("quantization_config", {})
    asked: str | None = point.get("quantization") or block.get("quant_method")
    return asked


def fault(record: dict[str, Any], config: dict[str, Any]) -> str | None:
    """Why a record is no observation of what a new pod would see, or None when it is one."""
    if record.get("requested_bytes") is None and "v2_model_runner" not in record and "error" in record:
        return f"no profile was run: {record['error'][:90]}"
    if outcome(record) is None:
        return str(record["error"])[:120]
    if record["point"]["utilization"] > 1:
        return "more than the smaller card has"
    if record["point"].get("compile_cache") == "warm":
        return "warm compilation cache"
    if any(key in record["point"] for key in ("offload_group_size", "mm_processor_kwargs", "compilation_config")):
        return "an argument that the memory model does not judge"
    if isinstance(record["point"].get("limit_mm_per_prompt", {}).get("image"), dict):
        return "a size of pictures that the memory model does not judge"
    try:
        shape_from_config(config, model_id=record["point"]["model"], source=SOURCE)
    except ModelConfigError as error:
        return f"not read by the memory model: {error}"
    tower = record.get("tower", {}).get("allocated_peak", 0) - record.get("weights_bytes", 0)
    if "Gemma4" in config["architectures"][0] and tower > record.get("peak_activation_bytes", 0):
        return "frames are encoded in chunks that grow with the larger card"
    if record.get("cuda_graph_estimate_bytes") and any("FLASH_ATTN_MLA attention backend" in x for x in record["log"]):
        return "graphs of a backend for latent attention that only larger cards have"
    if "repeats" in record["point"]:
        return f"repeats {record['point']['repeats']}"
    if quantization(config, record["point"]) == "gptq":
        return "GPTQ without weights files keeps dense layers in 16 bits"
    return None


def cached_gib(record: dict[str, Any]) -> float | None:
    """What PyTorch held after a start and had in no use, which it gives back where the card is full."""
    held = record.get("after_warm_up")
    return round((held["reserved"] - held["allocated"]) / GIB, 4) if held else None


def observation(record: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """One observation in the fields that published ones have."""
    result, point = outcome(record), record["point"]
    tokens, derived = kv_tokens(record, config)
    dtype = first(r"dtype=torch\.(\w+)", record["log"])
    backend = first(r"Using (?:AttentionBackendEnum\.)?([A-Z_\d]+) (?:attention )?backend", record["log"])
    estimate = first(r"estimated maximum model length is (\d+)", [record.get("error", "")])
    limit = point.get("max_model_len") or config.get("max_position_embeddings")
    return {
        "id": f"measured-0.26.0-{point['id']}",
        "source": SOURCE,
        "gpu": GPU.format("H200" if "H200" in record["gpu_name"] else "H100"),
        "gpu_count": point.get("tensor_parallel_size", 1),
        "kind": kind(record, config),
        "total_gpu_gib": L4_GIB,
        "card": record["gpu_name"],
        "native_capability": record.get("native_capability", False),
        "engine": "vllm",
        "engine_version": "0.26.0",
        "engine_gen": "V1",
        "model_runner": "V2" if record["v2_model_runner"] else "V1",
        "model": config_name(point),
        "config": f"configs/{config_name(point)}.json",
        "dtype": dtype[1] if dtype else (config.get("torch_dtype") or config["text_config"]["dtype"]),
        "quantization": quantization(config, point),
        "kv_cache_dtype": point.get("kv_cache_dtype", "auto"),
        "tp": point.get("tensor_parallel_size", 1),
        "gpu_memory_utilization": point["utilization"],
        "max_model_len": limit,
        "max_num_batched_tokens": point.get("max_num_batched_tokens", 2048),
        "max_num_seqs": point.get("max_num_seqs", 256),
        "enforce_eager": point.get("enforce_eager", False),
        "attention_backend": backend[1] if backend else None,
        **{name: point[name] for name in ASKED if name in point},
        "outcome": result,
        **{name: round(record[key] / GIB, 4) for name, key in BYTE_FIELDS.items() if record.get(key) is not None},
        "cached_after_start_gib": cached_gib(record),
        "gpu_blocks": record.get("gpu_blocks"),
        "block_size": record.get("block_size"),
        "kv_tokens": tokens,
        "kv_tokens_derived": derived,
        "max_concurrency": number(
            first(r"Maximum concurrency for [\d,]+ tokens per request: ([\d.]+)x", record["log"])
        ),
        "estimated_max_model_len": int(estimate[1]) if estimate else None,
        "quote": record.get("error", "")[:420] or None,
        "grade": "A",
    }


def main(paths: list[str]) -> int:
    for path in paths:
        for line in Path(path).read_text().splitlines():
            record = json.loads(line)
            config = config_of(record["point"])
            why = fault(record, config)
            if why:
                print(f"left out: {record['point']['id']}: {why}", file=sys.stderr)
                continue
            found = observation(record, config)
            print(json.dumps({key: value for key, value in found.items() if value is not None}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
