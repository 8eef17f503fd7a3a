"""Observed engine starts as cases: what was asked, and what the engine answered."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from l4serve.planning.machines.gpus import Gpu, find_gpu
from l4serve.planning.memory.drafts import with_draft
from l4serve.planning.memory.options import LoraOptions, ServingOptions
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.models.hf_config import shape_from_config
from l4serve.planning.models.model_shape import ModelShape

MEMORY = files("l4serve.planning.memory").joinpath("data")
MODELS = files("l4serve.planning.models").joinpath("data")
PARTS = (
    "weights_gib",
    "peak_activation_gib",
    "non_torch_gib",
    "cuda_graph_gib",
    "kv_cache_gib",
    "used_after_start_gib",
    "cached_after_start_gib",
)
REFUSED = ("no_fit_kv", "oom_cudagraph")
MODEL_TYPES = {
    "LlamaForCausalLM": "llama",
    "MistralForCausalLM": "mistral",
    "MixtralForCausalLM": "mixtral",
    "GemmaForCausalLM": "gemma",
    "Gemma2ForCausalLM": "gemma2",
    "Gemma3ForCausalLM": "gemma3_text",
    "Gemma3ForConditionalGeneration": "gemma3",
    "Qwen2ForCausalLM": "qwen2",
    "Qwen3ForCausalLM": "qwen3",
    "Qwen3MoeForCausalLM": "qwen3_moe",
    "Phi3ForCausalLM": "phi3",
    "FalconForCausalLM": "falcon",
    "GptOssForCausalLM": "gpt_oss",
    "DeepseekV2ForCausalLM": "deepseek_v2",
    "GraniteForCausalLM": "granite",
    "GraniteMoeForCausalLM": "granitemoe",
    "OlmoeForCausalLM": "olmoe",
    "Qwen2MoeForCausalLM": "qwen2_moe",
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One observed start.

    `tokens` is the engine's own count of cache tokens, or of the longest context that it would have accepted
    (`counts_longest`), None where it printed neither.
    """

    id: str
    origin: str
    family: str
    machine: str
    model: ModelShape
    gpu: Gpu
    options: ServingOptions
    config: dict[str, Any]
    tokens: int | None
    counts_longest: bool
    fits: bool | None
    parts: dict[str, float]


@cache
def all_cases() -> tuple[Case, ...]:
    """Every judged case, field and measured."""
    return field_cases() + measured_cases()


def measured_cases() -> tuple[Case, ...]:
    """Starts of vLLM 0.26.0 under an L4's memory budget."""
    return tuple(_measured_case(record) for record in _lines("measured_vllm_0_26_0.jsonl"))


def field_cases() -> tuple[Case, ...]:
    """The field observations that state enough to be judged."""
    return tuple(_field_case(record) for record in field_records() if "case" in record)


@cache
def field_records() -> tuple[dict[str, Any], ...]:
    """Every field observation, judged or not."""
    return _lines("field_observations.jsonl")


def _lines(name: str) -> tuple[dict[str, Any], ...]:
    text = MEMORY.joinpath(name).read_text(encoding="utf-8")
    return tuple(json.loads(line) for line in text.splitlines() if line.strip())


@cache
def _catalogue_configs() -> dict[str, dict[str, Any]]:
    entries = json.loads(MODELS.joinpath("catalogue.json").read_text(encoding="utf-8"))["models"]
    return {
        name.lower(): e["config"] for e in entries for name in (e["id"], *e.get("aliases", ()), *e.get("mirrors", ()))
    }


def with_model_type(config: dict[str, Any]) -> dict[str, Any]:
    """The config with the model_type that some tools look at, where it is missing."""
    return {"model_type": MODEL_TYPES.get(config["architectures"][0], "unknown"), **config}


def _field_case(record: dict[str, Any]) -> Case:
    asked = record["case"]
    model = find_model(asked["model"])
    assert model is not None, f"{record['id']}: {asked['model']} is not in the catalogue"
    major, minor = asked["computeCapability"].split(".")
    total = asked.get("gpuTotalGib") or record["total_gpu_gib"]
    free = record.get("free_at_start_gib")
    gpu = Gpu(
        name=asked.get("gpuName", record["gpu"]),
        total_gib=total,
        lowest_total_gib=total,
        compute_capability=(int(major), int(minor)),
        context_gib=total - free if free else 0.2,
        fp16_tflops=None,
        link=None,
        source=record["source"],
    )
    options = ServingOptions(
        engine="vllm",
        engine_version=asked["engineVersion"],
        tensor_parallel_size=asked.get("tensorParallel", 1),
        dtype=asked.get("dtype"),
        quantization=asked.get("quantization"),
        max_model_len=asked["maxModelLen"],
        max_num_seqs=asked.get("maxNumSeqs"),
        max_num_batched_tokens=asked.get("maxNumBatchedTokens"),
        gpu_memory_utilization=asked["utilization"],
        enforce_eager=asked.get("enforceEager", False),
        weights_gib=asked.get("weightsGib"),
        flashinfer_sampler=asked.get("flashinferSampler"),
        lora=LoraOptions(max_loras=asked["maxLoras"], max_lora_rank=asked["maxLoraRank"])
        if "maxLoras" in asked
        else None,
    )
    return Case(
        id=record["id"],
        origin="field",
        family=model.architecture,
        machine=record["gpu"],
        model=model,
        gpu=gpu,
        options=options,
        config=with_model_type(_catalogue_configs()[asked["model"].lower()]),
        tokens=record.get("kv_tokens"),
        counts_longest=False,
        fits=record["outcome"] not in REFUSED,
        parts=_parts(record),
    )


def _parts(record: dict[str, Any]) -> dict[str, float]:
    return {key: record[key] for key in PARTS if record.get(key) is not None}


def _asked(record: dict[str, Any]) -> dict[str, Any]:
    """The options that only some starts set, the draft's weights and cache among them."""
    limits, speculative = record.get("limit_mm_per_prompt"), record.get("speculative_config", {})
    runner = record.get("env", {}).get("VLLM_USE_V2_MODEL_RUNNER")
    adapters = record.get("adapters")
    return {
        "lora": LoraOptions(max_loras=adapters["count"], max_lora_rank=adapters["rank"]) if adapters else None,
        "speculative_method": speculative.get("method"),
        "num_speculative_tokens": speculative.get("num_speculative_tokens", 0),
        "multimodal_limits": limits,
        "language_model_only": record.get("language_model_only", False),
        "skip_multimodal_profiling": record.get("skip_mm_profiling", False),
        "mamba_ssm_cache_dtype": record.get("mamba_ssm_cache_dtype"),
        "enable_prefix_caching": record.get("enable_prefix_caching"),
        "cpu_offload_gib": record.get("cpu_offload_gb", 0.0),
        "kv_cache_memory_bytes": record.get("kv_cache_memory_bytes"),
        "pooling": record.get("runner") == "pooling",
        "v2_model_runner": None if runner is None else runner == "1",
    }


def _measured_case(record: dict[str, Any]) -> Case:
    config = json.loads(MEMORY.joinpath(record["config"]).read_text(encoding="utf-8"))
    model = shape_from_config(config, model_id=record["model"], source=record["source"])
    gpu = find_gpu("nvidia-l4")
    assert gpu is not None
    options = ServingOptions(
        engine="vllm",
        engine_version=record["engine_version"],
        tensor_parallel_size=record["tp"],
        dtype=record["dtype"],
        quantization=record.get("quantization") if model.quantization is None else None,
        kv_cache_dtype=record["kv_cache_dtype"],
        max_model_len=record["max_model_len"],
        max_num_seqs=record["max_num_seqs"],
        max_num_batched_tokens=record["max_num_batched_tokens"],
        gpu_memory_utilization=record["gpu_memory_utilization"],
        enforce_eager=record["enforce_eager"],
        load_format="dummy",
        **_asked(record),
    )
    options, _ = with_draft(options, record.get("speculative_config"), model)
    tokens, longest = record.get("kv_tokens"), record.get("estimated_max_model_len")
    return Case(
        id=record["id"].removeprefix("measured-0.26.0-"),
        origin="measured" if record.get("kind", "text") == "text" else f"measured-{record['kind']}",
        family=model.architecture,
        machine=record["card"],
        model=model,
        gpu=gpu,
        options=options,
        config=with_model_type(config),
        tokens=tokens or longest,
        counts_longest=not tokens and longest is not None,
        fits=record["outcome"] == "fit",
        parts=_parts(record),
    )
