"""A run that stands for other limits is what those limits would have made."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from l4serve.planning.performance.engine_loop import EngineLoop
from l4serve.planning.performance.full_engine import FullEngine
from l4serve.planning.performance.kernel_rates import kernel_rates
from l4serve.planning.performance.known_runs import full_pace, observed
from l4serve.planning.performance.load import Load
from l4serve.planning.performance.loop_state import Limits
from l4serve.planning.performance.speed import loop_limits, speed_of, step_clock
from l4serve.planning.performance.step_time import StepClock
from tests.planning.performance.engines import served

SERVED = served()
CLOCK, LIMITS = step_clock(SERVED, kernel_rates()), loop_limits(SERVED)
limits = st.builds(
    Limits,
    sequences=st.sampled_from([4, 16, 64, 256]),
    batched_tokens=st.sampled_from([512, 2048, 8192]),
    cache_tokens=st.sampled_from([1500, 6000, 40_000]),
    longest=st.just(8192),
    chunks=st.booleans(),
)
loads = st.builds(
    Load,
    input_tokens=st.sampled_from([64, 256, 700]),
    output_tokens=st.sampled_from([1, 40, 128]),
    clients=st.sampled_from([1, 5, 24]),
    input_spread=st.sampled_from([0.0, 0.8]),
    output_spread=st.just(0.0),
) | st.builds(
    Load,
    input_tokens=st.sampled_from([64, 256]),
    output_tokens=st.sampled_from([8, 64]),
    rate=st.sampled_from([0.5, 4.0]),
    input_spread=st.just(0.0),
    output_spread=st.just(0.0),
)


def test_a_step_that_one_run_took_is_not_worked_out_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each question makes a clock of its own, and lengths that vary make many steps."""
    worked: list[int] = []
    once = StepClock._linear_time

    def counted(clock: StepClock, tokens: int) -> float:
        worked.append(tokens)
        return once(clock, tokens)

    monkeypatch.setattr(StepClock, "_linear_time", counted)
    load = Load(input_tokens=300, output_tokens=90, rate=2.0, input_spread=1.0, output_spread=1.0)
    own = replace(kernel_rates(), host=1.01 * kernel_rates().host)  # no other test has a clock of it
    speed_of(SERVED, load, own)
    first = len(worked)
    speed_of(SERVED, replace(load, rate=1.9), own)
    assert len(worked) - first < first / 4


@pytest.mark.slow
@given(st.lists(limits, min_size=2, max_size=5), loads)
@settings(max_examples=40, deadline=None)
def test_a_known_run_is_the_run_of_the_limits_that_were_asked(tried: list[Limits], load: Load) -> None:
    for one in tried:
        assert observed(CLOCK, one, load) == EngineLoop(CLOCK, one, load).run()


@pytest.mark.slow
@given(st.lists(limits, min_size=2, max_size=5), st.sampled_from([(64, 40), (256, 128), (700, 8)]), st.booleans())
@settings(max_examples=30, deadline=None)
def test_a_known_look_is_the_look_of_the_limits_that_were_asked(
    tried: list[Limits], lengths: tuple[int, int], varied: bool
) -> None:
    spread = 0.8 if varied else 0.0
    load = Load(input_tokens=lengths[0], output_tokens=lengths[1], input_spread=spread, output_spread=spread)
    for one in tried:
        assert full_pace(CLOCK, one, load) == FullEngine(CLOCK, one, replace(load, clients=1)).look()


def test_a_run_that_the_sequences_hold_back_stands_for_other_tokens_of_a_step() -> None:
    load = Load(input_tokens=256, output_tokens=64, rate=12.0)
    few = replace(LIMITS, sequences=16)
    first = observed(CLOCK, few, load)
    assert first.touched == {"sequences"}
    assert observed(CLOCK, replace(few, batched_tokens=8192), load) is first
    assert observed(CLOCK, replace(few, sequences=17), load) is not first


def test_a_run_that_a_step_holds_back_does_not_stand_for_a_cache_that_would_hold_it_back_first() -> None:
    load = Load(input_tokens=700, output_tokens=1, clients=24)
    wide = replace(LIMITS, cache_tokens=6000, chunks=False)
    first = observed(CLOCK, wide, load)
    assert first.touched == {"tokens"}
    assert observed(CLOCK, replace(wide, cache_tokens=1500), load).touched == {"cache"}


def test_limits_that_nothing_touches_share_a_run() -> None:
    load = Load(input_tokens=100, output_tokens=20, clients=2)
    first = observed(CLOCK, LIMITS, load)
    assert observed(CLOCK, replace(LIMITS, sequences=16, batched_tokens=512), load) is first
    assert observed(CLOCK, replace(LIMITS, sequences=1), load) is not first
