"""What was measured on H100s with an L4's memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from benchmarks.performance.points import METRICS, Metric, Point, rows
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.models.hf_config import shape_from_config
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.performance.load import Load
from l4serve.planning.workload.judgement.fit_question import Question
from l4serve.planning.workload.judgement.reported_names import as_checkpoint

CONFIGS = files("l4serve.planning.memory").joinpath("data", "configs")
L4_GIB = 22.03
FEW_TOKENS = 16
"""Of answers of fewer tokens only the first one is compared."""
H100_MODELS = {
    "gemma-7b": "google/gemma-7b",
    "gemma-7b-awq": "google/gemma-7b-AWQ",
    "llama-3.1-8b": "meta-llama/Llama-3.1-8B-Instruct",
    "llama-3.1-8b-awq": "hugging-quants/Meta-Llama-3.1-8B-Instruct-AWQ-INT4",
    "llama-3.1-8b-fp8": "RedHatAI/Meta-Llama-3.1-8B-Instruct-FP8",
    "llama-3.1-8b-w4a16": "RedHatAI/Meta-Llama-3.1-8B-Instruct-quantized.w4a16",
    "qwen2.5-7b": "Qwen/Qwen2.5-7B-Instruct",
    "qwen2.5-7b-awq": "Qwen/Qwen2.5-7B-Instruct-AWQ",
    "qwen2.5-14b": "Qwen/Qwen2.5-14B-Instruct",
    "qwen2.5-14b-awq": "Qwen/Qwen2.5-14B-Instruct-AWQ",
    "qwen3-4b": "Qwen/Qwen3-4B",
    "qwen3-4b-fp8": "Qwen/Qwen3-4B-FP8",
    "qwen3-8b": "Qwen/Qwen3-8B",
    "qwen3-8b-fp8": "Qwen/Qwen3-8B-FP8",
    "qwen3-14b-awq": "Qwen/Qwen3-14B-AWQ",
    "qwen2.5-1.5b": "Qwen/Qwen2.5-1.5B-Instruct",
    "llama-3.2-3b": "meta-llama/Llama-3.2-3B-Instruct",
    "mistral-7b-v0.3": "mistralai/Mistral-7B-Instruct-v0.3",
    "mistral-7b-v0.3-awq": "solidrust/Mistral-7B-Instruct-v0.3-AWQ",
    "gemma-2-9b": "google/gemma-2-9b-it",
    "phi-4-awq": "microsoft/phi-4",
}


@cache
def h100_points() -> tuple[Point, ...]:
    """An H100 with an L4's memory: answers in which a token follows another, as requests that come at once."""
    return tuple(point for row in rows("h100_points.jsonl") for point in _h100_points(row))


@cache
def advised_points() -> tuple[Point, ...]:
    """The starts by which the advisor's picks are held against measurement; no constant was settled with them."""
    return tuple(point for row in rows("advised_points.jsonl") for point in _h100_points(row))


@cache
def unseen_points() -> tuple[Point, ...]:
    """Starts of models that no constant was settled with, measured after all of them were."""
    return tuple(point for row in rows("unseen_points.jsonl") for point in _h100_points(row))


@cache
def server_points() -> tuple[Point, ...]:
    """An engine in a process of its own under clients that wait for their answers: mixtures of experts, latent
    attention, adapters, eager kernels."""
    judged = (row for row in rows("server_points.jsonl") if "cpu_offload_gb" not in row["kwargs"])
    return tuple(point for row in judged for point in _server_points(row))


@cache
def host_points() -> tuple[Point, ...]:
    """Starts whose steps the host sets the pace of, in process and as servers: small models, eager kernels, experts,
    adapters, small chunks; and full caches."""
    return tuple(point for row in rows("host_points.jsonl") for point in _server_points(row))


@cache
def dense_points() -> tuple[Point, ...]:
    """Starts of dense models as servers, each predicted by constants that were settled before it was measured."""
    return tuple(point for row in rows("dense_points.jsonl") for point in _server_points(row))


@cache
def prefix_points() -> tuple[Point, ...]:
    """Starts of dense models as servers, each with clients whose prompts share a beginning and with others, predicted
    before it was measured."""
    return tuple(point for row in rows("prefix_points.jsonl") for point in _server_points(row))


def _server_points(row: Mapping[str, Any]) -> Iterator[Point]:
    for load in row["loads"]:
        if "note" in load:
            continue
        who = None if "rate" in load else load.get("clients", load.get("n"))
        read = {"itl": load.get("itl_s"), "ttft": load.get("ttft_s"), "tokens": load.get("out_tok_s")}
        measured: dict[Metric, float] = {
            name: read[name] * (1 if name == "tokens" else 1000) for name in METRICS if read[name]
        }
        if load["out"] < FEW_TOKENS:
            measured = {"ttft": measured["ttft"]}
        dealt = f"-{load['adapters']}-adapters" if "adapters" in load else ""
        at_once = "-at-once" if "n" in load and who else ""
        shared = load.get("shared", 0)
        same = f"-{shared}-shared" if shared else ""
        name = f"{row['id']}-{who or load['rate']}-{load['in']}-{load['out']}{same}{dealt}{at_once}"
        asked = Load(
            input_tokens=load["in"],
            output_tokens=load["out"],
            clients=who,
            rate=load.get("rate"),
            shared_tokens=shared,
        )
        question = server_question(row, load.get("adapters"))
        yield _point(row, row["id"], name, question, asked, measured, own_bound=True, at_once=bool(at_once))


def server_question(row: Mapping[str, Any], named: int | None = None) -> Question:
    """A start of a server as a question, whose requests name so many adapters: its model is one of the memory model's
    configs."""
    asked, name = row["kwargs"], row["model"]
    config = json.loads(CONFIGS.joinpath(f"{name}.json").read_text("utf-8"))
    adapters, graphs = row.get("adapters"), asked.get("compilation_config")
    more: dict[str, Any] = {}
    if adapters and named != 0:
        more["lora"] = {"maxLoras": named or adapters["count"], "maxRank": adapters["rank"]}
    if graphs:
        more["compilationConfig"] = graphs
    return _started(
        shape_from_config(config, model_id=name, source="benchmarks/performance/server_points.jsonl"),
        asked,
        row["utilization"],
        eager=asked.get("enforce_eager", False),
        attention_backend=asked.get("attention_backend"),
        more=more,
    )


@cache
def rate_points() -> tuple[Point, ...]:
    """Requests that come at a rate, whoever waits; nothing was settled with them but which step takes a newcomer."""
    return tuple(point for row in rows("rate_points.jsonl") for point in _rate_points(row))


def _rate_points(row: Mapping[str, Any]) -> Iterator[Point]:
    question = h100_question(row)
    for load in row["loads"]:
        name = f"{row['id']}-{load['rate']}-{load['in']}-{load['out']}"
        asked = Load(input_tokens=load["in"], output_tokens=load["out"], rate=load["rate"])
        measured: dict[Metric, float] = {"itl": 1000 * load["itl_s"], "ttft": 1000 * load["ttft_s"]}
        yield _point(row, row["id"], name, question, asked, measured, own_bound=True)


def h100_question(row: Mapping[str, Any]) -> Question:
    """A start on an H100 with an L4's memory as a question; the row's `kwargs` are vLLM's own arguments."""
    kwargs = row["kwargs"]
    shape = find_model(H100_MODELS[row["model"]])
    assert shape is not None, row["model"]
    if row["model"].endswith("-awq"):
        shape, _ = as_checkpoint(shape, "awq")
    share = round(kwargs["gpu_memory_utilization"] * row["total_gib"] / L4_GIB, 4)
    return _started(shape, kwargs, share)


def _started(shape: ModelShape, asked: Mapping[str, Any], share: float, **more: Any) -> Question:
    """A start of vLLM with these arguments of its own, and this share of an L4's memory."""
    return Question(
        model=shape,
        engine="vllm",
        engine_version="0.26.0",
        accelerator="nvidia-h100-80gb",
        gpus=1,
        settings={
            "quantization": asked.get("quantization"),
            "kvCache": asked.get("kv_cache_dtype"),
            "dtype": asked.get("dtype"),
            "length": asked["max_model_len"],
            "sequences": asked["max_num_seqs"],
            "batchTokens": asked["max_num_batched_tokens"],
            "memoryShare": share,
        },
        gpu_memory_gib=L4_GIB,
        **more,
    )


def _h100_points(row: Mapping[str, Any]) -> Iterator[Point]:
    question = h100_question(row)
    name = f"h100-{row.get('id', row['model'])}-{row['kwargs'].get('quantization', 'own')}"
    for load in row["loads"]:
        if load["out"] == 1:
            measured: dict[Metric, float] = {"ttft": 1000 * load["s"]}
        elif load["n"] == 1 and load["in"] <= load["out"]:
            measured = {"itl": 1000 * load["s"] / load["out"], "tokens": load["out_tok_s"]}
        else:
            measured = {"tokens": load["out_tok_s"]}
        asked = Load(input_tokens=load["in"], output_tokens=load["out"], clients=load["n"])
        named = f"{name}-{load['n']}-{load['in']}-{load['out']}"
        yield _point(row, name, named, question, asked, measured, at_once=load["n"] > 1)


def _point(
    row: Mapping[str, Any],
    start: str,
    name: str,
    question: Question,
    load: Load,
    measured: Mapping[Metric, float],
    *,
    own_bound: bool = False,
    at_once: bool = False,
) -> Point:
    """A point of one start, which nothing but its own loads shares host, model and harness with."""
    return Point(
        id=name,
        group=start,
        source="h100",
        family=start,
        question=question,
        load=load,
        measured=measured,
        row=row,
        own_bound=own_bound,
        at_once=at_once,
    )
