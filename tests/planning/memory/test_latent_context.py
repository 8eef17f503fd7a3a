"""Latent attention makes keys and values of a step's context at once, which a profile counts since vLLM 0.11.0."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from l4serve.planning.machines.gpus import find_gpu
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.values.quantity import GIB


def deepseek() -> ModelShape:
    """DeepSeek V3 with five layers and 32 experts, as it was measured: 2.696 GiB of activations, 4.017 GiB of cache."""
    model = find_model("deepseek-ai/DeepSeek-V3")
    assert model is not None
    assert model.moe is not None
    return replace(model, num_hidden_layers=5, quantization=None, moe=replace(model.moe, num_experts=32))


def fitted(model: ModelShape, version: str, **changes: Any) -> Fit:
    gpu = find_gpu("nvidia-l4")
    assert gpu is not None
    given = {
        "max_model_len": 4096,
        "max_num_seqs": 256,
        "max_num_batched_tokens": 2048,
        "gpu_memory_utilization": 0.9,
        "enforce_eager": True,
        "load_format": "dummy",
    }
    return estimate(model, gpu, ServingOptions(engine="vllm", engine_version=version, **{**given, **changes}))


def test_the_keys_and_values_of_a_context_are_counted() -> None:
    found = fitted(deepseek(), "0.26.0")
    assert found.activation_gib == pytest.approx(2.696, rel=0.04)
    assert found.kv_room_gib == pytest.approx(4.017, rel=0.04)


def test_a_release_before_0_11_profiles_no_context() -> None:
    assert fitted(deepseek(), "0.10.2").activation_gib < fitted(deepseek(), "0.11.0").activation_gib - 1


def test_they_grow_with_the_context_up_to_65536_tokens() -> None:
    """Of each token 128 heads keep 128 numbers of a key and 128 of a value, in two bytes: 64 KiB."""
    each = 128 * 256 * 2 / GIB
    peaks = [fitted(deepseek(), "0.26.0", max_model_len=n).activation_gib for n in (2048, 4096, 8192, 16384)]
    steps = [after - before for before, after in pairwise(peaks)]
    assert steps == pytest.approx([16384 * each, 32768 * each, 0.0], abs=0.001)


def test_sequences_ask_for_four_blocks_each() -> None:
    few, many = (fitted(deepseek(), "0.26.0", max_model_len=512, max_num_seqs=n).activation_gib for n in (64, 256))
    assert many - few == pytest.approx((256 - 64) * 64 * 128 * 256 * 2 / GIB, abs=0.001)


def test_ranks_share_the_heads() -> None:
    one, two = (fitted(deepseek(), "0.26.0", tensor_parallel_size=n, max_model_len=8192).activation_gib for n in (1, 2))
    assert two < 0.6 * one


def test_a_model_with_keys_of_its_own_is_as_before() -> None:
    model = find_model("Qwen/Qwen2.5-7B-Instruct")
    assert model is not None
    assert fitted(model, "0.10.2").activation_gib == pytest.approx(fitted(model, "0.11.0").activation_gib)
