"""More bandwidth, fewer bits and more cards never make a decode slower, up to where something else is the limit."""

from functools import cache
from itertools import product
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from l4serve.planning.performance.bottleneck import AND
from l4serve.planning.performance.card_speeds import all_card_speeds
from l4serve.planning.performance.crowd import closed
from l4serve.planning.performance.kernel_rates import kernel_rates
from l4serve.planning.performance.load import Load, spread_as_asked
from l4serve.planning.performance.loop_state import Limits
from l4serve.planning.performance.model_work import model_work
from l4serve.planning.performance.speed import Speed
from l4serve.planning.performance.step_time import StepClock
from l4serve.planning.workload.judgement.judging import Judgement, judge
from l4serve.planning.workload.judgement.speed_question import subject_speed
from l4serve.planning.workload.judgement.subject import Subject
from tests.planning.performance.engines import asked

MODELS = (
    "Qwen/Qwen3-0.6B",
    "Qwen/Qwen2.5-7B-Instruct",
    "google/gemma-7b",
    "google/gemma-2-9b",
    "meta-llama/Llama-3.1-8B-Instruct",
    "meta-llama/Llama-3.3-70B-Instruct",
    "mistralai/Mixtral-8x7B-Instruct-v0.1",
    "Qwen/Qwen3-30B-A3B",
)
NARROWER = [(None, "fp8"), (None, "w8a8-int8"), (None, "awq"), (None, "gptq"), ("fp8", "awq"), ("w8a8-fp8", "gptq")]
BYTES_ARE_THE_LIMIT = 0.8
"""How long the operations on the weights may take, as a share of reading them."""
CARDS = sorted(all_card_speeds())


@cache
def clock(model: str, gpu: str, quantization: str | None, cache_type: str | None = None) -> StepClock:
    subject = asked(model, gpu, quantization, cache_type)
    assert subject.shape is not None
    work = model_work(subject.shape, subject.options)
    return StepClock(
        work=work, card=all_card_speeds()[gpu], rates=kernel_rates(), backend=subject.options.attention_backend
    )


@pytest.mark.parametrize("gpu", CARDS)
@given(
    st.sampled_from(MODELS),
    st.sampled_from(NARROWER),
    st.sampled_from([None, "fp8"]),
    st.integers(1, 256),
    st.integers(1, 8192),
)
@settings(max_examples=60, deadline=None)
def test_fewer_bits_of_weights_never_decode_slower_while_their_bytes_are_the_limit(
    gpu: str, model: str, formats: tuple[str | None, str], cache_type: str | None, sequences: int, context: int
) -> None:
    wide, narrow = (clock(model, gpu, name, cache_type) for name in formats)
    read, compute = narrow.weights(sequences)
    if max(compute, narrow.unpacked_and_multiplied(sequences, compute)) <= BYTES_ARE_THE_LIMIT * read:
        assert narrow.decoding(sequences, context) <= wide.decoding(sequences, context)


@pytest.mark.parametrize("gpu", CARDS)
def test_the_bytes_are_the_limit_of_at_least_sixteen_sequences(gpu: str) -> None:
    for model, formats, sequences in product(MODELS, NARROWER, (1, 2, 4, 8, 16)):
        wide, narrow = (clock(model, gpu, name) for name in formats)
        assert narrow.decoding(sequences, 512) <= wide.decoding(sequences, 512), (model, formats, sequences)


@pytest.mark.parametrize("gpu", CARDS)
@given(
    st.sampled_from(MODELS),
    st.sampled_from([None, "fp8", "w8a8-int8", "awq", "gptq"]),
    st.sampled_from([None, "fp8"]),
    st.integers(1, 256),
    st.integers(1, 32768),
    st.floats(1.001, 10),
)
@settings(max_examples=60, deadline=None)
def test_more_bandwidth_never_decodes_slower(
    gpu: str, model: str, quantization: str | None, cache_type: str | None, sequences: int, context: int, factor: float
) -> None:
    own = clock(model, gpu, quantization, cache_type)
    assert own.sped_up(read=factor).decoding(sequences, context) <= ROUNDED * own.decoding(sequences, context)


@pytest.mark.parametrize("gpu", CARDS)
@given(
    st.sampled_from(MODELS),
    st.sampled_from([None, "fp8", "awq"]),
    st.integers(1, 400),
    st.sampled_from([(256, 128), (1024, 64), (32, 512)]),
    st.floats(1.05, 8),
)
@settings(max_examples=8, deadline=None)
def test_more_bandwidth_never_serves_clients_slower(
    gpu: str, model: str, quantization: str | None, clients: int, lengths: tuple[int, int], factor: float
) -> None:
    """Other requests may meet in a step, for which a token may come a little later."""
    own, limits = (
        clock(model, gpu, quantization),
        Limits(sequences=256, batched_tokens=2048, cache_tokens=400_000, longest=4096),
    )
    load = Load(input_tokens=lengths[0], output_tokens=lengths[1], clients=clients)
    slow, fast = (closed(each, limits, load) for each in (own, own.sped_up(read=factor)))
    assert fast.total / fast.requests <= STEPS_MEET * slow.total / slow.requests
    assert fast.itl / fast.decoded <= STEPS_MEET * slow.itl / slow.decoded


@pytest.mark.parametrize("gpu", CARDS)
@given(st.sampled_from(MODELS), st.sampled_from([None, "fp8", "awq"]), st.integers(1, 256), st.integers(1, 32768))
@settings(max_examples=40, deadline=None)
def test_fewer_bits_of_cache_never_decode_slower(
    gpu: str, model: str, quantization: str | None, sequences: int, context: int
) -> None:
    wide, narrow = (clock(model, gpu, quantization, name) for name in (None, "fp8"))
    assert narrow.decoding(sequences, context) <= wide.decoding(sequences, context)


@cache
def judged(model: str, gpu: str, quantization: str | None, cards: int) -> tuple[Subject, Judgement]:
    subject = asked(model, gpu, quantization, cards=cards)
    return subject, judge(subject)


@cache
def speed(
    model: str, gpu: str, quantization: str | None, cards: int, clients: int, lengths: tuple[int, int] = (256, 128)
) -> Speed:
    load = spread_as_asked(Load(input_tokens=lengths[0], output_tokens=lengths[1], clients=clients), None)
    return subject_speed(*judged(model, gpu, quantization, cards), load)


def each_token(found: Speed) -> float:
    assert found.figures.itl_ms is not None
    return found.figures.itl_ms


ROUNDED = 1 + 1e-9
STEPS_MEET = 1.05
"""Where the host launches prompts as long as the card computes less, other requests meet in a step."""
SLOWER_BY = {"interconnect", "compute"}
"""Limits under which fewer bits may be slower: what is multiplied in 16 bits is unpacked first, prompts above all."""


def named(found: Speed) -> set[str]:
    return set(str(found.limited_by).split(AND))


@pytest.mark.parametrize("gpu", CARDS)
@given(
    st.sampled_from(MODELS),
    st.sampled_from(NARROWER),
    st.sampled_from([1, 2, 4, 8]),
    st.integers(1, 600),
    st.sampled_from([(256, 128), (1024, 64), (32, 512), (512, 16)]),
)
@example("Qwen/Qwen3-0.6B", (None, "fp8"), 2, 200, (256, 128))
@example("Qwen/Qwen3-0.6B", ("fp8", "awq"), 1, 64, (1024, 64))
@example("google/gemma-2-9b", (None, "fp8"), 4, 400, (256, 128))
@example("Qwen/Qwen3-30B-A3B", ("fp8", "awq"), 8, 178, (256, 128))
@example("Qwen/Qwen3-30B-A3B", ("fp8", "awq"), 8, 129, (256, 128))
@settings(max_examples=20, deadline=None)
def test_fewer_bits_never_serve_a_token_slower_but_where_computing_or_the_exchange_is_named(
    gpu: str, model: str, formats: tuple[str | None, str], cards: int, clients: int, lengths: tuple[int, int]
) -> None:
    wide, narrow = (speed(model, gpu, name, cards, clients, lengths) for name in formats)
    if not (wide.judged and narrow.judged) or named(narrow) & SLOWER_BY:
        return
    if narrow.figures.running_requests == pytest.approx(wide.figures.running_requests, rel=0.01):
        assert each_token(narrow) <= STEPS_MEET * each_token(wide), (narrow.limited_by, wide.limited_by)


def test_the_page_says_how_much_later_a_token_may_come_where_other_requests_meet() -> None:
    wide, narrow = (speed("Qwen/Qwen3-30B-A3B", "nvidia-h200-141gb", name, 8, 129) for name in ("fp8", "awq"))
    assert named(narrow) == {"host"}
    later = 100 * (each_token(narrow) / each_token(wide) - 1)
    page = Path("docs/performance-model.md").read_text("utf-8")
    assert f"a token may come up to {later:.1f} % later for that alone" in page


def test_what_is_unpacked_to_no_gain_is_limited_by_computing() -> None:
    wide, narrow = (speed("Qwen/Qwen3-4B", "nvidia-a100-80gb", name, 2, 200) for name in (None, "fp8"))
    assert each_token(narrow) > each_token(wide)
    assert (wide.limited_by, narrow.limited_by) == ("compute", "compute")
    assert speed("Qwen/Qwen2.5-7B-Instruct", "nvidia-a100-80gb", "fp8", 1, 4).limited_by == "memory bandwidth"


@pytest.mark.parametrize("gpu", CARDS)
def test_more_cards_never_decode_slower_where_their_exchange_is_not_the_limit(gpu: str) -> None:
    models = ("Qwen/Qwen3-0.6B", "Qwen/Qwen3-8B", "meta-llama/Llama-3.3-70B-Instruct")
    for model, quantization, clients in product(models, (None, "awq"), (1, 16)):
        for cards in (1, 2, 4):
            fewer, more = (speed(model, gpu, quantization, count, clients) for count in (cards, 2 * cards))
            if fewer.judged and more.judged and "interconnect" not in named(more):
                assert each_token(more) <= ROUNDED * each_token(fewer), (model, quantization, clients, cards)


@pytest.mark.parametrize("gpu", CARDS)
@given(
    st.sampled_from(MODELS),
    st.sampled_from([None, "fp8", "awq"]),
    st.sampled_from([1, 2, 4]),
    st.integers(1, 600),
    st.sampled_from([(256, 128), (1024, 64), (32, 512)]),
)
@example("Qwen/Qwen3-0.6B", None, 1, 10, (32, 512))
@settings(max_examples=15, deadline=None)
def test_more_cards_never_serve_as_many_slower_where_their_exchange_is_not_the_limit(
    gpu: str, model: str, quantization: str | None, cards: int, clients: int, lengths: tuple[int, int]
) -> None:
    fewer, more = (speed(model, gpu, quantization, count, clients, lengths) for count in (cards, 2 * cards))
    if not (fewer.judged and more.judged) or "interconnect" in named(more):
        return
    if more.figures.running_requests == pytest.approx(fewer.figures.running_requests, rel=0.01):
        assert each_token(more) <= STEPS_MEET * each_token(fewer), (fewer.limited_by, more.limited_by)


def test_the_exchange_is_named_where_it_makes_a_small_model_slower() -> None:
    one, two = (speed("Qwen/Qwen3-0.6B", "nvidia-tesla-t4", "awq", cards, 1) for cards in (1, 2))
    assert each_token(two) > each_token(one)
    assert "interconnect" in named(two)


def test_a_mixture_unpacks_the_experts_that_its_tokens_wake() -> None:
    mixture = clock("Qwen/Qwen3-30B-A3B", "nvidia-l4", "awq")
    every = mixture.work.expert_weights / mixture.card.unpacked_weights
    assert mixture.weights(1)[0] < every < mixture.weights(256)[0]
