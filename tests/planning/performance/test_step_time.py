"""The time of one step: what it is made of, and which way it moves."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from l4serve.planning.performance.card_speeds import all_card_speeds, bound_of
from l4serve.planning.performance.kernel_rates import kernel_rates
from l4serve.planning.performance.load import Load
from l4serve.planning.performance.speed import speed_of, step_clock
from l4serve.planning.performance.step_rows import steps_until, stretch
from l4serve.planning.performance.step_time import Batch, StepClock
from tests.planning.performance.engines import served

ONE = Batch(decoding=1, cached=300)
batches = st.builds(
    Batch,
    decoding=st.integers(1, 256),
    cached=st.integers(1, 200_000),
    prefilling=st.integers(0, 2048),
    attended=st.integers(0, 2_000_000),
)


def clock(model: str = "Qwen/Qwen3-1.7B", **options: Any) -> StepClock:
    return step_clock(served(model, **options), kernel_rates())


def test_a_step_of_one_sequence_reads_the_weights_once() -> None:
    read = (clock().work.plain_bytes + clock().work.head_bytes) / clock().card.read_bytes
    assert clock().host + read < clock().seconds(ONE) < clock().host + 1.1 * read


def test_a_prompt_computes_what_its_tokens_take() -> None:
    prompt = Batch(prefilling=2048, attended=2048 * 1024, finished=1)
    operations = 2048 * clock().work.operations + 2048 * 1024 * clock().work.attended
    assert clock().seconds(prompt) > operations / clock().card.rate("bfloat16")


def test_without_cuda_graphs_the_host_launches_every_kernel() -> None:
    assert clock(enforce_eager=True).seconds(ONE) > clock().seconds(ONE) + 0.001


@given(batches, st.floats(1.01, 10))
@settings(max_examples=60, deadline=None)
def test_more_bandwidth_never_makes_a_step_slower(batch: Batch, factor: float) -> None:
    own = clock()
    faster = replace(own, card=replace(own.card, read_bytes=own.card.read_bytes * factor))
    assert faster.seconds(batch) <= own.seconds(batch)


@pytest.mark.parametrize("model", ["Qwen/Qwen3-1.7B", "google/gemma-7b", "Qwen/Qwen2.5-7B-Instruct"])
@given(sequences=st.integers(1, 256))
@settings(max_examples=30, deadline=None)
def test_fewer_bits_never_make_a_decode_step_of_few_sequences_slower(model: str, sequences: int) -> None:
    plain, eight = clock(model), clock(model, quantization="fp8")
    assert sum(eight.decode(sequences)[:1]) <= sum(plain.decode(sequences)[:1])


@given(batches)
@settings(max_examples=60, deadline=None)
def test_more_cards_never_make_a_step_slower_where_exchange_is_free(batch: Batch) -> None:
    times = []
    for cards in (1, 2, 4):
        own = clock("meta-llama/Llama-3.1-8B-Instruct", tensor_parallel_size=cards)
        card = replace(own.card, link_latency=0.0, link_bytes=1e18)
        times.append(replace(own, card=card).seconds(batch))
    assert times == sorted(times, reverse=True)


def test_an_exchange_over_pcie_costs_more_than_over_nvlink() -> None:
    split = clock("meta-llama/Llama-3.1-8B-Instruct", tensor_parallel_size=2)
    whole = replace(split, ranks=1)
    assert split.seconds(ONE) - whole.seconds(ONE) >= 2 * 32 * split.card.link_latency


def test_eight_bits_of_gptq_are_read_as_such_and_multiplied_in_sixteen() -> None:
    gptq, fp8 = clock("Qwen/Qwen2.5-7B-Instruct-GPTQ-Int8"), clock("Qwen/Qwen2.5-7B-Instruct", quantization="fp8")
    four = clock("Qwen/Qwen2.5-7B-Instruct-GPTQ-Int4")
    by_marlin = gptq.rates.read_eight_bit / gptq.rates.read_four_bit
    assert gptq.weights(1)[0] == pytest.approx(by_marlin * fp8.weights(1)[0], rel=0.03)
    assert gptq.weights(2048)[1] == pytest.approx(four.weights(2048)[1])
    assert gptq.weights(2048)[1] > 1.5 * fp8.weights(2048)[1]


def test_unpacking_and_multiplying_add_up_where_one_does_not_hide_the_other() -> None:
    row = clock("Qwen/Qwen2.5-7B-Instruct-AWQ", gpu="nvidia-h100-80gb")
    assert row.decode(64)[0] > 1.15 * row.decode(1)[0]
    plain = replace(row, rates=replace(row.rates, unpack_overlap=row.rates.overlap))
    assert plain.decode(64)[0] < 0.95 * row.decode(64)[0]
    assert plain.decode(1)[0] == pytest.approx(row.decode(1)[0], rel=0.005)


def test_a_layer_waits_for_each_of_its_kernels() -> None:
    dense, experts = clock("Qwen/Qwen3-4B"), clock("Qwen/Qwen3-30B-A3B")
    latent = clock("deepseek-ai/DeepSeek-V2-Lite-Chat")
    each = [(row.host - row.rates.host) / row.work.layers / row.rates.layer for row in (dense, experts, latent)]
    assert each == pytest.approx([1.0, 19 / 14, 33 / 14])


def test_a_mixture_wakes_more_experts_with_more_tokens() -> None:
    work = clock("mistralai/Mixtral-8x7B-Instruct-v0.1").work
    assert work.expert_share(1) == pytest.approx(2 / 8)
    assert work.expert_share(1) < work.expert_share(8) < work.expert_share(64) <= 1


def test_scales_of_blocks_compute_whole_tiles_and_less_in_a_second() -> None:
    blocks, one_scale = clock("Qwen/Qwen3-8B-FP8"), clock("Qwen/Qwen3-8B", quantization="fp8")
    (_, one), (_, tile), (_, more) = (blocks.weights(tokens) for tokens in (1, 64, 65))
    assert one == tile < more
    assert blocks.weights(2048)[1] == pytest.approx(one_scale.weights(2048)[1] / 0.8, rel=0.01)


def test_scales_of_blocks_cost_each_layer_of_a_hopper_more() -> None:
    blocks, one_scale = (
        clock("Qwen/Qwen3-8B-FP8", gpu="nvidia-h100-80gb"),
        clock("Qwen/Qwen3-8B", gpu="nvidia-h100-80gb", quantization="fp8"),
    )
    one, many = (blocks.decode(n)[0] - one_scale.decode(n)[0] for n in (1, 32))
    assert one == pytest.approx(36 * 11e-6, rel=0.2)
    assert many == pytest.approx(36 * 36e-6, rel=0.2)


def test_no_card_makes_tokens_faster_than_the_host_hands_them_out() -> None:
    small = clock("Qwen/Qwen2.5-0.5B-Instruct", gpu="nvidia-h100-80gb")
    assert small.decoding(1, 256) == small.rates.least_step
    assert small.decoding(200, 256) == 200 * small.rates.sequence > small.worked(200, 256)


def test_another_host_may_be_quicker_where_the_card_waits_for_it() -> None:
    one = Load(input_tokens=128, output_tokens=128, clients=1)
    for model, least in (("Qwen/Qwen2.5-0.5B-Instruct", 0.86 / 1.3), ("Qwen/Qwen3-8B", 0.86)):
        said = speed_of(served(model, gpu="nvidia-h100-80gb"), one)
        assert said.low.itl_ms is not None
        assert said.figures.itl_ms is not None
        assert said.low.itl_ms / said.figures.itl_ms == pytest.approx(least, rel=0.01)


def test_a_layer_in_no_graph_takes_the_host_longer_than_one_in_parts_of_them() -> None:
    row = clock("Qwen/Qwen2.5-0.5B-Instruct", gpu="nvidia-h100-80gb")
    eager = clock("Qwen/Qwen2.5-0.5B-Instruct", enforce_eager=True).launched(1)
    assert row.launched(513) - row.launched(512) == pytest.approx(row.work.layers * row.card.launches.compiled)
    assert row.launched(512) < eager < row.launched(513), "compiled kernels take the host longer than eager ones"


def test_attention_of_a_hopper_card_reads_as_fast_for_many_sequences_as_for_one() -> None:
    def each(sequences: int, gpu: str, **options: Any) -> float:
        return clock("Qwen/Qwen3-4B", gpu=gpu, attention_backend="FLASH_ATTN", **options).decode(sequences)[1]

    assert each(64, "nvidia-h100-80gb") == each(1, "nvidia-h100-80gb")
    assert each(64, "nvidia-l4") > each(1, "nvidia-l4")
    eight_bit = each(64, "nvidia-h100-80gb", kv_cache_dtype="fp8")
    assert eight_bit == each(1, "nvidia-h100-80gb", kv_cache_dtype="fp8")
    assert 0.7 < eight_bit / each(1, "nvidia-h100-80gb") < 1, "half of the bytes, at not half of the time"


def test_what_sequences_share_is_read_from_memory_once() -> None:
    alone = clock("Qwen/Qwen3-4B")
    sharing = replace(alone, shared=1024)
    assert sharing.decoding(1, 1100) == alone.decoding(1, 1100)
    spared = alone.decoding(32, 1100) - sharing.decoding(32, 1100)
    read = 31 * 1024 * alone.decode(32)[1]
    assert spared == pytest.approx(read * (1 - 1 / kernel_rates().near_read))
    batch = Batch(decoding=32, cached=32 * 1100)
    assert alone.seconds(batch) - sharing.seconds(batch) == pytest.approx(spared)
    assert alone.worked(32, 1100) - sharing.worked(32, 1100) == pytest.approx(spared)


def test_a_first_token_may_be_as_late_as_a_slow_host_launches_its_prompt() -> None:
    late = {}
    for gpu in ("nvidia-l4", "nvidia-h100-80gb"):
        load = Load(input_tokens=1024, output_tokens=16, clients=1)
        said = speed_of(served("Qwen/Qwen2.5-0.5B-Instruct", gpu=gpu), load)
        late[gpu] = (said.bound.wait.more + 1) / (bound_of(all_card_speeds()[gpu], 1).wait.more + 1)
    assert late["nvidia-h100-80gb"] == pytest.approx(1.8)
    assert 1 <= late["nvidia-l4"] < 1.8


@pytest.mark.parametrize("growing", [0.0, 1e-7, 2e-5, 1e-3])
@pytest.mark.parametrize("first", [0.001, 0.0023, 0.02])
@pytest.mark.parametrize("seconds", [0.0, 0.0009, 0.01, 0.5, 7.0])
def test_steps_until_a_moment_are_as_few_as_pass_it(first: float, growing: float, seconds: float) -> None:
    least = kernel_rates().least_step
    count = steps_until(least, first, growing, seconds)
    assert stretch(least, first, growing, count) >= seconds * (1 - 1e-9)
    assert stretch(least, first, growing, count - 1) <= seconds * (1 + 1e-9)


BLOCK_FP8 = json.loads(Path("benchmarks/performance/block_fp8.json").read_text("utf-8"))["l4"]


@pytest.mark.parametrize("measured", BLOCK_FP8["kernels"], ids=lambda row: str(row["kernel"]))
def test_fp8_weights_with_a_scale_for_each_block_take_what_the_kernel_of_the_release_takes(
    measured: dict[str, Any],
) -> None:
    row = clock(BLOCK_FP8["model"], engine_version=measured["release"], attention_backend="FLASHINFER")
    prompt = BLOCK_FP8["input"]
    whole = Batch(prefilling=prompt, attended=prompt * prompt / 2, finished=1)
    assert 1000 * (row.seconds(whole) + row.rates.request) == pytest.approx(measured["promptMs"], rel=0.1)
    assert 1000 * row.decoding(1, prompt + 32) == pytest.approx(measured["tokenMs"], rel=0.05)
    assert 1000 * row.decoding(16, 256 + 128) == pytest.approx(measured["tokenOfSixteenMs"], rel=0.05)
