"""What stays beside weights made FP8 while loading: the allocator's way, against starts that were measured."""

import pytest

from l4serve.planning.machines.gpus import find_gpu
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.online_loading import kept_beside
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.weights import layer_matrices
from l4serve.planning.models.catalogue import find_model

MEASURED = {
    "Qwen/Qwen2.5-14B-Instruct": 20.40,
    "microsoft/phi-4": 15.55,
    "google/gemma-2-9b-it": 7.48,
    "Qwen/Qwen3-4B": 2.32,
    "Qwen/Qwen3-8B": 0.37,
    "mistralai/Mistral-7B-Instruct-v0.3": 0.29,
}
"""MB that each layer held beyond its FP8 matrices on vLLM 0.26.0 with dummy weights, biases and norms (0.2 to 0.4)
among them; with PyTorch's expandable segments, which split every block, it was 0.22 for Qwen2.5 14B (2026-11-26)."""


def matrices(name: str) -> tuple[tuple[tuple[str, int], ...], int]:
    model = find_model(name)
    assert model is not None
    return layer_matrices(model, 1, 2), model.num_hidden_layers


@pytest.mark.parametrize("name", MEASURED)
def test_each_layer_keeps_what_was_measured(name: str) -> None:
    sizes, layers = matrices(name)
    kept = kept_beside(sizes, layers, 0.5) / layers / 1e6
    assert MEASURED[name] - 0.4 < kept <= MEASURED[name]


def test_a_block_that_is_20_mib_larger_is_left_alone() -> None:
    """A matrix of 36.7 MB takes the 52.4 MB of another and leaves the 73.4 MB alone, 20 MiB more than 52.4."""
    sizes, _ = matrices("Qwen/Qwen2.5-14B-Instruct")
    named = dict(sizes)
    assert (named["qkv"], named["o"]) == (73_400_320, 52_428_800)
    assert (kept_beside(sizes, 3, 0.5) - kept_beside(sizes, 2, 0.5)) == pytest.approx(20.4e6, rel=0.02)
    assert kept_beside(sizes[:2], 2, 0.5) - kept_beside(sizes[:2], 1, 0.5) == pytest.approx(16.8e6, rel=0.01)


def test_files_come_in_another_order() -> None:
    sizes, layers = matrices("Qwen/Qwen3-8B")
    assert kept_beside(sizes, layers, 0.5) == 0
    assert kept_beside(sizes, layers, 0.5, files=True) == pytest.approx(8.39e6 * layers, rel=0.01)


@pytest.mark.parametrize(
    ("name", "weights", "cache", "way"),
    [
        ("Qwen/Qwen2.5-14B-Instruct", 16.117, 3.2216, "dummy"),
        ("Qwen/Qwen3-8B", 8.7997, 9.6001, "dummy"),
        ("mistralai/Mistral-7B-Instruct-v0.3", 7.0085, 12.3047, "dummy"),
        ("Qwen/Qwen3-8B", 9.06, 9.26, None),
    ],
)
def test_the_cache_beside_fp8_weights_is_as_measured(name: str, weights: float, cache: float, way: str | None) -> None:
    """vLLM 0.26.0, utilisation 0.9 of an L4's 22.03 GiB: eager for the first, with CUDA graphs for the others. The last
    is a public log of a real L4 with a checkpoint's files (vfarcic-l4-qwen3-8b-fp8 of field_observations.jsonl)."""
    model, card = find_model(name), find_gpu("nvidia-l4")
    assert model is not None
    assert card is not None
    options = ServingOptions(
        engine="vllm",
        engine_version="0.26.0",
        quantization="fp8",
        load_format=way,
        gpu_memory_utilization=0.9,
        max_model_len=2048,
        default_max_num_seqs=256,
        default_max_num_batched_tokens=2048,
        enforce_eager="14B" in name,
    )
    found = estimate(model, card, options)
    assert found.weights_gib == pytest.approx(weights, rel=0.005)
    assert found.kv_room_gib == pytest.approx(cache, rel=0.012)
