"""Every estimator under test, asked the same cases; the public ones run in an environment of their own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.estimators.cases import Case
from l4serve.planning.memory.constants import Constants
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.generations import vllm_generation
from l4serve.planning.memory.kv_cache import kv_bytes_per_token
from l4serve.planning.memory.rank_parameters import rank_parameters
from l4serve.planning.memory.weights import weight_bytes

PUBLIC_TOOLS = ("vramcalc", "vramscout", "vllm-wizard", "llm-d-planner")
FLAT_RESERVE_GIB = 2.27
UNBOUNDED = 100_000_000
WORKER = Path(__file__).with_name("worker.py")


@dataclass(frozen=True)
class Answer:
    """What a tool says of a case: cache tokens and a verdict, or why it cannot say."""

    tokens: float | None
    fits: bool | None
    cannot: str | None = None
    sure: bool = True


def ask_own_model(cases: tuple[Case, ...], constants: Constants | None = None) -> dict[str, Answer]:
    """The project's memory model."""
    answers = {}
    for case in cases:
        fit = estimate(case.model, case.gpu, case.options, constants)
        tokens = fit.largest_max_model_len if case.counts_longest else fit.kv_cache_tokens
        answers[case.id] = Answer(tokens, fit.fits, None, not fit.margin_is_uncertain)
    return answers


def ask_flat_reserve(cases: tuple[Case, ...]) -> dict[str, Answer]:
    """Weights and a flat reserve of 2.27 GiB, the rest is cache that every layer fills."""
    answers = {}
    for case in cases:
        question = _question(case)
        left = question["utilization"] * question["gpuTotalGib"] - question["weightsGib"] - FLAT_RESERVE_GIB
        if not question["kvBytesPerToken"]:
            answers[case.id] = Answer(None, None, "no cache that grows by the token")
            continue
        tokens = max(0.0, left * 2**30 / question["kvBytesPerToken"])
        answers[case.id] = Answer(tokens, tokens >= question["maxModelLen"])
    return answers


def ask_public_tools(cases: tuple[Case, ...], python: Path) -> dict[str, dict[str, Answer]]:
    """The tools from PyPI, run by the interpreter of the environment that has them."""
    questions = json.dumps([_question(case) for case in cases])
    answers: dict[str, dict[str, Answer]] = {}
    for tool in PUBLIC_TOOLS:
        done = subprocess.run(
            [str(python), str(WORKER), tool], input=questions, capture_output=True, text=True, check=False, timeout=600
        )
        if done.returncode:
            raise RuntimeError(f"{tool} failed: {done.stderr.strip()[-400:]}")
        rows = json.loads(done.stdout.splitlines()[-1])
        answers[tool] = {row["id"]: _answer(row, case) for row, case in zip(rows, cases, strict=True)}
    return answers


def _answer(row: Mapping[str, object], case: Case) -> Answer:
    tokens = row.get("tokens")
    if not isinstance(tokens, (int, float)):
        return Answer(None, None, str(row.get("cannot")))
    return Answer(float(tokens), tokens >= _question(case)["maxModelLen"])


def _question(case: Case) -> dict[str, Any]:
    """The case in plain values; limits of the model's context are lifted so that tools report what memory allows."""
    options = case.options
    config = {**case.config, "max_position_embeddings": UNBOUNDED}
    if "text_config" in config:
        config["text_config"] = {**config["text_config"], "max_position_embeddings": UNBOUNDED}
    weights = options.weights_gib
    return {
        "id": case.id,
        "model": case.model.id,
        "config": config,
        "parameters": rank_parameters(case.model).total,
        "gpuTotalGib": case.gpu.total_gib,
        "utilization": options.gpu_memory_utilization or vllm_generation(options.engine_version).default_utilization,
        "maxModelLen": options.max_model_len or case.model.max_position_embeddings,
        "tensorParallel": options.tensor_parallel_size,
        "dtype": options.dtype or case.model.torch_dtype,
        "quantization": (case.model.quantization.method if case.model.quantization else None) or options.quantization,
        "onlineQuantization": case.model.quantization is None and options.quantization is not None,
        "kvDtype": options.kv_cache_dtype or "auto",
        "batchedTokens": options.max_num_batched_tokens,
        "weightsGib": weights if weights is not None else weight_bytes(case.model, options) / 2**30,
        "kvBytesPerToken": kv_bytes_per_token(case.model, options),
    }
