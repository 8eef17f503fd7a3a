"""The cache layout follows the engine's: blocks, groups, windows, states."""

import pytest

from l4serve.planning.machines.gpus import find_gpu
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.kv_cache import KvLayout, kv_bytes_per_token, kv_layout
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.models.model_shape import ModelShape

L4 = find_gpu("nvidia-l4")
assert L4 is not None
PLAIN = ServingOptions(engine="vllm", engine_version="0.26.0")


def facts(model_id: str) -> ModelShape:
    model = find_model(model_id)
    assert model is not None, model_id
    return model


def layout(model_id: str, options: ServingOptions = PLAIN, *, grouped: bool = True) -> KvLayout:
    return kv_layout(facts(model_id), options, grouped=grouped, in_flight_tokens=2048)


@pytest.mark.parametrize(
    ("model_id", "expected"),
    [
        ("google/gemma-7b", 458752),
        ("meta-llama/Llama-3.1-8B", 131072),
        ("Qwen/Qwen2.5-7B-Instruct", 57344),
        ("Qwen/Qwen3-8B", 147456),
        ("tiiuae/falcon-7b", 8192),
        ("openai/gpt-oss-20b", 49152),
        ("deepseek-ai/DeepSeek-V2-Lite", 27 * 576 * 2),
    ],
)
def test_bytes_per_token(model_id: str, expected: int) -> None:
    assert kv_bytes_per_token(facts(model_id), PLAIN) == expected


def test_eight_bits_halve_a_token_and_two_ranks_halve_it_again() -> None:
    llama = facts("meta-llama/Llama-3.1-8B")
    both = ServingOptions(engine="vllm", engine_version="0.26.0", kv_cache_dtype="fp8", tensor_parallel_size=2)
    assert kv_bytes_per_token(llama, both) == 131072 // 4


def test_one_kv_head_is_copied_to_every_rank() -> None:
    two = ServingOptions(engine="vllm", engine_version="0.26.0", tensor_parallel_size=2)
    assert kv_bytes_per_token(facts("tiiuae/falcon-7b"), two) == 8192


def test_gemma_3_gets_groups_of_its_smallest_layer_kind() -> None:
    found = layout("google/gemma-3-4b-it")
    assert (found.full_groups, found.sliding_groups) == (1, 6)
    assert found.block_bytes == 5 * 16 * 4096


def test_without_groups_every_layer_keeps_every_token() -> None:
    old = layout("google/gemma-3-4b-it", grouped=False)
    assert (old.full_groups, old.sliding_groups) == (1, 0)
    assert old.block_bytes == 34 * 16 * 4096


def test_alternating_layers_make_two_groups() -> None:
    found = layout("openai/gpt-oss-20b")
    assert (found.full_groups, found.sliding_groups) == (1, 1)


def test_a_sliding_group_stops_growing_at_its_window() -> None:
    found = layout("openai/gpt-oss-20b")
    beyond = found.blocks_for(40_000) - found.blocks_for(20_000)
    assert beyond == 20_000 // 16


def test_a_linear_attention_model_holds_a_state_for_each_sequence() -> None:
    found = layout("Qwen/Qwen3.5-27B")
    assert found.state_blocks == 3
    assert found.full_groups == 1
    assert found.full_block % 16 == 0


@pytest.mark.parametrize("blocks", [1, 7, 100, 4096])
def test_the_longest_sequence_is_the_last_that_fits(blocks: int) -> None:
    for model_id in ("google/gemma-3-4b-it", "meta-llama/Llama-3.1-8B"):
        found = layout(model_id)
        longest = found.longest(blocks, 1 << 20)
        assert longest == 0 or found.blocks_for(longest) <= blocks
        assert found.blocks_for(longest + 1) > blocks


def answer(model_id: str, **asked: object) -> Fit:
    return estimate(facts(model_id), L4, ServingOptions(engine="vllm", **asked))  # type: ignore[arg-type]


def test_sliding_windows_save_cache_only_since_groups_exist() -> None:
    old = answer("google/gemma-3-4b-it", engine_version="0.8.5", max_model_len=32768)
    new = answer("google/gemma-3-4b-it", engine_version="0.10.0", max_model_len=32768)
    assert new.kv_cache_tokens > 2 * old.kv_cache_tokens


def test_an_old_card_and_an_eight_bit_cache_fall_back_to_the_v0_rules() -> None:
    t4 = find_gpu("nvidia-tesla-t4")
    assert t4 is not None
    qwen = facts("Qwen/Qwen2.5-1.5B-Instruct")
    on_v0 = estimate(qwen, t4, ServingOptions(engine="vllm", engine_version="0.9.2", max_model_len=16384))
    same = estimate(qwen, t4, ServingOptions(engine="vllm", engine_version="0.7.3", max_model_len=16384))
    assert on_v0 == same


def test_loading_without_streaming_needs_room_for_the_plain_weights() -> None:
    old = answer("Qwen/Qwen2.5-14B-Instruct", engine_version="0.13.0", quantization="fp8", max_model_len=2048)
    new = answer("Qwen/Qwen2.5-14B-Instruct", engine_version="0.26.0", quantization="fp8", max_model_len=2048)
    assert any("loading" in reason for reason in old.reasons)
    assert not any("loading" in reason for reason in new.reasons)


@pytest.mark.parametrize(
    ("version", "fits"), [("0.12.0", True), ("0.13.0", False), ("0.14.1", False), ("0.15.1", False), ("0.16.0", True)]
)
def test_releases_that_hold_plain_and_narrow_weights_at_once(version: str, *, fits: bool) -> None:
    asked = answer("google/gemma-7b", engine_version=version, quantization="fp8", max_model_len=2048)
    held = [reason for reason in asked.reasons if "loading holds 23." in reason]
    assert (asked.fits, bool(held)) == (fits, not fits)


def test_graphs_that_are_not_counted_must_fit_outside_the_share() -> None:
    tight = answer("meta-llama/Llama-3.1-8B", engine_version="0.10.0", max_model_len=4096, gpu_memory_utilization=0.99)
    eager = answer(
        "meta-llama/Llama-3.1-8B",
        engine_version="0.10.0",
        max_model_len=4096,
        gpu_memory_utilization=0.99,
        enforce_eager=True,
    )
    assert any("CUDA graphs" in reason for reason in tight.reasons)
    assert eager.fits
