"""Served models for the tests of the performance model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from l4serve.planning.machines.gpus import find_gpu
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.performance.speed import Served
from l4serve.planning.workload.judgement.fit_question import Question, subject_of
from l4serve.planning.workload.judgement.reported_names import as_checkpoint
from l4serve.planning.workload.judgement.subject import Subject


def served(model: str = "Qwen/Qwen3-1.7B", gpu: str = "nvidia-l4", **options: Any) -> Served:
    """A catalogued model under vLLM 0.26.0 with an L4's batch limits."""
    shape, card = find_model(model), find_gpu(gpu)
    assert shape is not None
    assert card is not None
    asked = ServingOptions(
        **{
            "engine": "vllm",
            "engine_version": "0.26.0",
            "default_max_num_seqs": 256,
            "default_max_num_batched_tokens": 2048,
            "attention_backend": "FLASH_ATTN",
            "max_model_len": 8192,
            **options,
        }
    )
    return Served(model=shape, gpu=card, options=asked, fit=estimate(shape, card, asked))


def asked(model: str, gpu: str, quantization: str | None = None, cache: str | None = None, cards: int = 1) -> Subject:
    """A catalogued model as `l4serve estimate` asks about it; a prequantised method makes it such a checkpoint."""
    shape = find_model(model)
    assert shape is not None
    shape, told = as_checkpoint(shape, quantization)
    question = Question(
        model=shape,
        engine="vllm",
        engine_version=None,
        accelerator=gpu,
        gpus=cards,
        settings={"quantization": told, "kvCache": cache},
    )
    return subject_of(question)


def with_cache(answer: Served, tokens: int) -> Served:
    """The same with a KV cache of so many tokens."""
    return replace(answer, fit=replace(answer.fit, kv_cache_tokens=tokens))
