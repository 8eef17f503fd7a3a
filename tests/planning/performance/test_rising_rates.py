"""The more requests come, the longer each waits: no chance of how they meet makes a higher rate look quicker."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from l4serve.planning.performance.kernel_rates import kernel_rates
from l4serve.planning.performance.known_runs import observed
from l4serve.planning.performance.load import Load
from l4serve.planning.performance.open_load import SHARES
from l4serve.planning.performance.speed import Served, loop_limits, speed_of, step_clock
from tests.planning.performance.engines import served

STEP = 0.04
"""By how much a first token may come earlier at a higher rate: requests meet steps elsewhere."""
LONG_ANSWERS: Any = {"input_tokens": 300, "output_tokens": 1000}
ENGINES = {
    "few places": (served("Qwen/Qwen2.5-14B-Instruct-AWQ"), 2000, 300),
    "short prompts": (served("Qwen/Qwen2.5-1.5B-Instruct"), 64, 128),
    "long prompts": (served("Qwen/Qwen2.5-7B-Instruct", quantization="fp8"), 4000, 64),
}


def wait(engine: Served, prompt: int, answer: int, share: float) -> float:
    most = speed_of(engine, Load(input_tokens=prompt, output_tokens=answer, rate=0.01)).most_requests
    assert most is not None
    load = Load(input_tokens=prompt, output_tokens=answer, rate=share * most)
    found = speed_of(engine, load).figures
    assert found.ttft_ms is not None
    assert found.end_to_end_ms is not None
    assert found.end_to_end_ms >= found.ttft_ms
    return found.ttft_ms


@pytest.mark.parametrize("name", ENGINES)
def test_a_first_token_close_to_the_most_never_comes_earlier_at_a_higher_rate(name: str) -> None:
    shares = [SHARES[0] + step * (0.999 - SHARES[0]) / 20 for step in range(21)]
    found = [wait(*ENGINES[name], share) for share in shares]
    assert all(less <= more * 1.0001 for less, more in pairwise(found)), found
    assert found[-1] > 1.05 * found[0]


@pytest.mark.parametrize(("rate", "waited"), [(0.05, 0.07), (0.1, 0.075), (0.2, 0.085)])
def test_who_comes_to_a_few_long_answers_waits_for_two_steps_and_the_prompt(rate: float, waited: float) -> None:
    engine = served("Qwen/Qwen3-1.7B")
    seen = observed(step_clock(engine, kernel_rates()), loop_limits(engine), Load(**LONG_ANSWERS, rate=rate))
    assert max(seen.firsts) < waited, "a step takes 16 ms, a prompt 28"


def test_a_first_token_comes_no_earlier_where_more_long_answers_are_made() -> None:
    found = [
        speed_of(served("Qwen/Qwen3-1.7B"), Load(**LONG_ANSWERS, rate=n / 20)).figures.ttft_ms for n in range(1, 13)
    ]
    assert found == sorted(found)


@pytest.mark.parametrize("spread", [0.3, 0.6, 1.0])
def test_clients_of_varied_lengths_wait_the_longer_the_more_there_are_and_one_as_at_a_rate_near_none(
    spread: float,
) -> None:
    """Of a few clients only their own first lengths were followed, by which four were answered sooner than two."""
    lengths: Any = {"input_tokens": 512, "output_tokens": 128, "input_spread": spread, "output_spread": spread}
    loads = Load(**lengths, rate=0.001), *(Load(**lengths, clients=clients) for clients in (1, 2, 3, 4, 6, 8, 16, 64))
    quiet, *answers = (speed_of(served("Qwen/Qwen3-1.7B"), load).figures.end_to_end_ms for load in loads)
    assert answers == sorted(answers)
    assert answers[0] == pytest.approx(quiet, rel=0.01), "of more requests at a rate, whose lengths are others"


@pytest.mark.slow
@given(st.sampled_from(sorted(ENGINES)), st.floats(0.02, 0.999), st.floats(0.02, 0.999))
@settings(max_examples=60, deadline=None)
def test_a_first_token_comes_no_earlier_at_a_higher_rate(name: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    less, more = (wait(*ENGINES[name], share) for share in (low, high))
    assert less <= more * (1.0001 if low >= SHARES[0] else 1 + STEP)
