"""The measured points, as questions that `l4serve estimate` takes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from l4serve.engines.resolution import stand_in
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.models.hf_config import shape_from_config
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.performance.kernel_rates import KernelRates
from l4serve.planning.performance.load import Load
from l4serve.planning.performance.speed import Speed
from l4serve.planning.workload.fit_question import Question, subject_of
from l4serve.planning.workload.judging import judge
from l4serve.planning.workload.reported_names import as_checkpoint, cache_named, release_named
from l4serve.planning.workload.speed_question import subject_speed

FOLDER = Path(__file__).parent
CONFIGS = files("l4serve.planning.memory").joinpath("data", "configs")
Metric = Literal["itl", "ttft", "tokens"]
METRICS: tuple[Metric, ...] = ("itl", "ttft", "tokens")
SATURATED_ABOVE = 64
"""Clients from which tokens a second are what the engine can do, and no matter of who asks."""
REAL_PROMPT, SHORT_PROMPT = 200, 32
"""Tokens taken for "real prompts" (bytes-per-token's latency load) and "short prompts" (llm-inference-bench): one token
after another hardly depends on them, so only that is compared."""
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


@dataclass(frozen=True)
class Point:
    """One measurement: what was asked, and the figures that were read, in milliseconds and tokens a second."""

    id: str
    group: str
    source: str
    family: str
    """Points of one family share host, model and harness: constants for it are settled without any of them."""
    question: Question
    load: Load
    measured: Mapping[Metric, float]
    row: Mapping[str, Any]
    own_bound: bool = False
    """Whether the answer's own bound is asked, which cases and queues widen, in place of its card's."""

    @property
    def saturated(self) -> bool:
        """Whether more clients asked than the engine could serve at once."""
        return (self.load.clients or 0) >= SATURATED_ABOVE


def predicted(point: Point, rates: KernelRates | None = None) -> Speed:
    """The model's answer for a point."""
    subject = subject_of(point.question)
    return subject_speed(subject, judge(subject), point.load, rates)


def figures(speed: Speed) -> dict[Metric, float | None]:
    """The answer's figures by metric."""
    found = speed.figures
    return {"itl": found.itl_ms, "ttft": found.ttft_ms, "tokens": found.output_tokens_per_second}


def rows(name: str) -> list[dict[str, Any]]:
    """The rows of a file of points."""
    return [json.loads(line) for line in (FOLDER / name).read_text("utf-8").splitlines()]


def unjudged(row: Mapping[str, Any]) -> str | None:
    """Why a row is no question that an estimate could answer; None for one that is."""
    load = row["load"]
    if row["engine"] != "vllm":
        return f"{row['engine']}, which the project does not deploy"
    if row["load"]["kind"] == "closed_loop_fleet":
        return "conversations over a prefix cache, whose hits are not stated"
    if load["kind"] == "burst":
        return "1,000 requests at once, and a vision model's text half is not in the catalogue"
    if row.get("config", {}).get("speculative") == "on (kind not noted)":
        return "speculation of a kind that is not noted"
    if load["kind"] in ("rate", "unstated", "mlperf_offline"):
        return "the load's lengths or rate are not stated"
    if load.get("name") in ("multi_turn", "shared_prefix"):
        return "conversations: the lengths of prompts are not stated"
    if load.get("bucket"):
        return "a bucket of lengths up to 512 tokens"
    if load.get("name", "").startswith("latency") and "itl_ms" not in row:
        return "prompts of unstated lengths, and no time of a token"
    return None


@cache
def l4_points() -> tuple[Point, ...]:
    """Every point of an L4 that says what it was measured under."""
    return tuple(_l4_point(row) for row in rows("l4_points.jsonl") if unjudged(row) is None)


@cache
def other_host_points() -> tuple[Point, ...]:
    """Measurements of an L4 on a host and of a model that no constant was settled with."""
    return tuple(_l4_point(row) for row in rows("other_host_points.jsonl"))


def _l4_point(row: Mapping[str, Any]) -> Point:
    load = row["load"]
    shape = find_model(row["model"])
    assert shape is not None, row["model"]
    prompt = row.get("input_tokens") or (SHORT_PROMPT if load["kind"] == "offline_batch" else REAL_PROMPT)
    measured: dict[Metric, float] = {"itl": row.get("itl_ms"), "ttft": row.get("ttft_ms")}
    measured["tokens"] = row.get("output_tokens_per_s")
    if not row.get("input_tokens"):
        measured = {"itl": row["itl_ms"]}
    crowd = "lognormal" in load.get("name", "")
    return Point(
        id=row["id"],
        group=row["group"],
        source=row["source"].split(" ")[0],
        family=_family(row),
        question=l4_question(row, shape),
        load=Load(
            input_tokens=round(prompt),
            output_tokens=round(row.get("output_tokens") or 192),
            clients=load.get("concurrency") or load.get("batch"),
            input_spread=1.0 if crowd else 0.0,
            output_spread=0.8 if crowd else 0.0,
        ),
        measured={metric: value for metric, value in measured.items() if value},
        row=row,
    )


def l4_question(row: Mapping[str, Any], shape: ModelShape) -> Question:
    """A row's model on an L4, by the names that its source gives to weights, cache and release."""
    config, version = row.get("config", {}), release_named(row["engine_version"])
    shape, method = as_checkpoint(shape, row["weights"])
    return Question(
        model=shape,
        engine="vllm",
        engine_version=version,
        accelerator="nvidia-l4",
        gpus=row["tp"],
        settings={
            "quantization": method,
            "kvCache": cache_named(row["kv_cache"]),
            "length": config.get("max_model_len"),
            "sequences": config.get("max_num_seqs"),
            "batchTokens": config.get("max_num_batched_tokens"),
            "memoryShare": config.get("gpu_memory_utilization"),
        },
        contract=stand_in("vllm", version),
        attention_backend=config.get("attention"),
    )


def _family(row: Mapping[str, Any]) -> str:
    """Host, model and width of weights: what a fitted constant could have learnt a point from."""
    wide = "4" if "int4" in row["weights"] else "8" if "8" in row["weights"] else "16"
    return f"{row['source'].split(' ')[0]} {row['model']} {wide}"


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


def _server_points(row: Mapping[str, Any]) -> Iterator[Point]:
    for load in row["loads"]:
        if "note" in load:
            continue
        who = load.get("clients", load.get("n"))
        read = {"itl": load.get("itl_s"), "ttft": load.get("ttft_s"), "tokens": load.get("out_tok_s")}
        measured: dict[Metric, float] = {
            name: read[name] * (1 if name == "tokens" else 1000) for name in METRICS if read[name]
        }
        if load["out"] < FEW_TOKENS:
            measured = {"ttft": measured["ttft"]}
        dealt = f"-{load['adapters']}-adapters" if "adapters" in load else ""
        yield Point(
            id=f"{row['id']}-{who}-{load['in']}-{load['out']}{dealt}{'' if 'clients' in load else '-at-once'}",
            group=row["id"],
            source="h100",
            family=row["id"],
            question=server_question(row, load.get("adapters")),
            load=Load(input_tokens=load["in"], output_tokens=load["out"], clients=who),
            measured=measured,
            row=row,
            own_bound=True,
        )


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
    return Question(
        model=shape_from_config(config, model_id=name, source="benchmarks/performance/server_points.jsonl"),
        engine="vllm",
        engine_version="0.26.0",
        accelerator="nvidia-h100-80gb",
        gpus=1,
        settings={
            "quantization": asked.get("quantization"),
            "length": asked["max_model_len"],
            "sequences": asked["max_num_seqs"],
            "batchTokens": asked["max_num_batched_tokens"],
            "memoryShare": row["utilization"],
        },
        eager=asked.get("enforce_eager", False),
        gpu_memory_gib=22.03,
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
        yield Point(
            id=f"{row['id']}-{load['rate']}-{load['in']}-{load['out']}",
            group=row["id"],
            source="h100",
            family=row["id"],
            question=question,
            load=Load(input_tokens=load["in"], output_tokens=load["out"], rate=load["rate"]),
            measured={"itl": 1000 * load["itl_s"], "ttft": 1000 * load["ttft_s"]},
            row=row,
            own_bound=True,
        )


def h100_question(row: Mapping[str, Any]) -> Question:
    """A start on an H100 with an L4's memory as a question; the row's `kwargs` are vLLM's own arguments."""
    kwargs = row["kwargs"]
    shape = find_model(H100_MODELS[row["model"]])
    assert shape is not None, row["model"]
    if row["model"].endswith("-awq"):
        shape, _ = as_checkpoint(shape, "awq")
    return Question(
        model=shape,
        engine="vllm",
        engine_version="0.26.0",
        accelerator="nvidia-h100-80gb",
        gpus=1,
        settings={
            "quantization": kwargs.get("quantization"),
            "kvCache": kwargs.get("kv_cache_dtype"),
            "dtype": kwargs.get("dtype"),
            "length": kwargs["max_model_len"],
            "sequences": kwargs["max_num_seqs"],
            "batchTokens": kwargs["max_num_batched_tokens"],
            "memoryShare": round(kwargs["gpu_memory_utilization"] * row["total_gib"] / 22.03, 4),
        },
        gpu_memory_gib=22.03,
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
        yield Point(
            id=f"{name}-{load['n']}-{load['in']}-{load['out']}",
            group=name,
            source="h100",
            family=name,
            question=question,
            load=Load(input_tokens=load["in"], output_tokens=load["out"], clients=load["n"]),
            measured=measured,
            row=row,
        )
