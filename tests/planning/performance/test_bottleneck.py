"""What limits is what would help: twice as much of it serves faster, and of nothing else much faster."""

from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from l4serve.planning.performance.bottleneck import AND, NEARLY, gained
from l4serve.planning.performance.load import Load, spread_as_asked
from l4serve.planning.performance.speed import speed_of
from l4serve.planning.workload.judgement.judging import Judgement, judge
from l4serve.planning.workload.judgement.speed_question import subject_speed
from l4serve.planning.workload.judgement.subject import Subject
from tests.planning.performance.engines import asked, served
from tests.planning.performance.test_monotone_laws import CARDS, MODELS

FORMATS = [None, "fp8", "awq", "w8a8-int8", "gptq"]
LENGTHS = [(256, 128), (1024, 64), (32, 512), (512, 16), (2000, 200)]


@cache
def judged(model: str, gpu: str, quantization: str | None, cards: int) -> tuple[Subject, Judgement]:
    subject = asked(model, gpu, quantization, cards=cards)
    return subject, judge(subject)


@pytest.mark.parametrize("gpu", CARDS)
@given(
    st.sampled_from(MODELS),
    st.sampled_from(FORMATS),
    st.sampled_from([1, 1, 2, 4]),
    st.sampled_from([1, 8, 64, 200, 300, 600]),
    st.sampled_from(LENGTHS),
)
@settings(max_examples=10, deadline=None)
def test_more_of_what_is_named_serves_faster_and_more_of_nothing_else_gains_more(
    gpu: str, model: str, quantization: str | None, cards: int, clients: int, lengths: tuple[int, int]
) -> None:
    load = spread_as_asked(Load(input_tokens=lengths[0], output_tokens=lengths[1], clients=clients), None)
    speed = subject_speed(*judged(model, gpu, quantization, cards), load)
    if not speed.judged:
        return
    assert speed.held_by is not None
    gains = gained(speed.held_by.args[0], load)  # type: ignore[attr-defined]
    named = str(speed.limited_by).split(AND)
    assert all(gains[name] > 0 for name in named)
    assert max(gains[name] for name in named) >= NEARLY * max(gains.values())


@pytest.mark.parametrize(
    ("options", "load", "named"),
    [
        ({}, Load(input_tokens=256, output_tokens=128, clients=1), "memory bandwidth"),
        ({"max_num_seqs": 8}, Load(input_tokens=64, output_tokens=512, clients=64), "max sequences"),
        ({"max_num_batched_tokens": 64}, Load(input_tokens=1024, output_tokens=16, clients=64), "max batched tokens"),
        (
            {"gpu": "nvidia-h100-80gb", "enforce_eager": True},
            Load(input_tokens=64, output_tokens=512, clients=8),
            "host",
        ),
        ({"model": "google/gemma-7b"}, Load(input_tokens=512, output_tokens=64, clients=32), "KV cache"),
        ({"model": "Qwen/Qwen2.5-7B-Instruct"}, Load(input_tokens=2000, output_tokens=8, clients=64), "compute"),
        ({}, Load(input_tokens=1024, output_tokens=16, rate=500.0), "compute"),
        ({"max_num_seqs": 4}, Load(input_tokens=64, output_tokens=512, rate=500.0), "max sequences"),
    ],
)
def test_each_limit_is_named_where_more_of_it_helps(options: dict[str, Any], load: Load, named: str) -> None:
    """Where a step's tokens are computed without a pause, more of them in a step were once said to help."""
    assert speed_of(served(**options), load).limited_by == named


def test_a_limit_that_can_be_set_is_named_before_a_card_that_gains_hardly_more() -> None:
    load = Load(input_tokens=64, output_tokens=512, clients=64)
    speed = speed_of(served(max_num_seqs=8), load)
    assert speed.held_by is not None
    gains = gained(speed.held_by.args[0], load)  # type: ignore[attr-defined]
    assert NEARLY * gains["memory bandwidth"] <= gains["max sequences"] < gains["memory bandwidth"]
    assert speed.limited_by == "max sequences"


def test_weights_that_are_multiplied_slower_than_wider_ones_name_computing_beside_what_helps_more() -> None:
    """FP8 is multiplied twice as fast as what 4 bits are unpacked to, where most of a step reads the cache."""
    load = Load(input_tokens=32, output_tokens=512, clients=128)
    four = subject_speed(*judged("Qwen/Qwen3-4B", "nvidia-h100-80gb", "gptq", 1), load)
    eight = subject_speed(*judged("Qwen/Qwen3-4B", "nvidia-h100-80gb", "fp8", 1), load)
    assert four.figures.itl_ms is not None
    assert eight.figures.itl_ms is not None
    assert four.figures.itl_ms > eight.figures.itl_ms
    assert (eight.limited_by, four.limited_by) == ("memory bandwidth", "memory bandwidth and compute")
