"""What was measured on L4s: every point that says what it was measured under."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from benchmarks.performance.points import Metric, Point, rows
from l4serve.engines.releases.resolution import stand_in
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.performance.load import Load
from l4serve.planning.workload.judgement.fit_question import Question
from l4serve.planning.workload.judgement.reported_names import as_checkpoint, cache_named, release_named

REAL_PROMPT, SHORT_PROMPT = 200, 32
"""Tokens taken for "real prompts" (bytes-per-token's latency load) and "short prompts" (llm-inference-bench): one token
after another hardly depends on them, so only that is compared."""


def unjudged(row: Mapping[str, Any]) -> str | None:
    """Why a row is no question that an estimate could answer; None for one that is."""
    load = row["load"]
    if row["engine"] != "vllm":
        return f"{row['engine']}, which the project does not deploy"
    if row["load"]["kind"] == "closed_loop_fleet":
        return "conversations over a prefix cache, whose hits are not stated"
    if load["kind"] == "burst":
        return (
            "1,000 requests at once to vLLM 0.6.2, whose stand-in 0.8.0 refuses the model's quantised cross-attention"
        )
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
    """Measurements of L4s on hosts and of models that no constant was settled with."""
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
            rate=load.get("rate"),
            input_spread=1.0 if crowd else 0.0,
            output_spread=0.8 if crowd else 0.0,
        ),
        measured={metric: value for metric, value in measured.items() if value},
        row=row,
        own_bound="rate" in load,
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
