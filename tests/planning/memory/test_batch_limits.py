"""Batch limits that a release fills in where the config leaves them open."""

from typing import Any

import pytest

from l4serve.planning.machines.gpus import find_gpu
from l4serve.planning.memory.generations import vllm_generation
from l4serve.planning.memory.options import LoraOptions, ServingOptions
from l4serve.planning.memory.vllm import batch_limits
from l4serve.planning.models.catalogue import find_model

L4 = find_gpu("nvidia-l4")
assert L4 is not None


def batched_tokens(version: str, model: str = "meta-llama/Llama-3.1-8B-Instruct", **asked: Any) -> int:
    facts = find_model(model)
    assert facts is not None
    assert L4 is not None
    options = ServingOptions(engine="vllm", engine_version=version, max_model_len=40_000, **asked)
    return batch_limits(facts, options, vllm_generation(version)).batched_tokens


@pytest.mark.parametrize(("version", "chunk"), [("0.6.4", 512), ("0.6.6", 2048), ("0.7.3", 2048)])
def test_v0_splits_the_prefill_of_a_long_context(version: str, chunk: int) -> None:
    assert batched_tokens(version) == chunk


@pytest.mark.parametrize(
    "asked", [{"lora": LoraOptions()}, {"num_speculative_tokens": 3}, {"model": "mistralai/Mistral-7B-Instruct-v0.1"}]
)
def test_v0_profiles_the_whole_context_with_adapters_drafts_or_windows(asked: dict[str, Any]) -> None:
    assert batched_tokens("0.6.6", **asked) == 40_000
    assert batched_tokens("0.26.0", **asked) == 2048


@pytest.mark.parametrize(("version", "sequences"), [("0.7.2", 256), ("0.8.0", 1024)])
def test_what_a_release_takes_by_card_is_not_taken_by_v0(version: str, sequences: int) -> None:
    facts = find_model("google/gemma-2-27b-it")
    assert facts is not None
    options = ServingOptions(
        engine="vllm", engine_version=version, default_max_num_seqs=1024, default_max_num_batched_tokens=2048
    )
    assert batch_limits(facts, options, vllm_generation(version)).seqs == sequences
