"""More clients than run at once: the engine's pace no longer changes, and who waits, waits as Little's law says."""

import time
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from l4serve.planning.performance.bounded_figures import Figures
from l4serve.planning.performance.crowd import closed, places_of
from l4serve.planning.performance.engine_loop import EngineLoop
from l4serve.planning.performance.full_engine import pace_of
from l4serve.planning.performance.kernel_rates import kernel_rates
from l4serve.planning.performance.load import Load, spread_as_asked
from l4serve.planning.performance.loop_state import Limits, Observed
from l4serve.planning.performance.speed import loop_limits, speed_of, step_clock
from l4serve.planning.performance.step_time import StepClock
from tests.planning.performance.engines import served, with_cache

CHAT = Load(input_tokens=512, output_tokens=256, clients=1)
LARGE, TIGHT = "Qwen/Qwen2.5-1.5B-Instruct", "Qwen/Qwen2.5-7B-Instruct"


def engine(model: str, **options: Any) -> tuple[StepClock, Limits]:
    subject = served(model, **options)
    return step_clock(subject, kernel_rates()), loop_limits(subject)


def followed(clock: StepClock, limits: Limits, load: Load, waves: int) -> Observed:
    """The load followed step by step, with the first two of so many waves left out."""
    loop = EngineLoop(clock, limits, load)
    assert load.clients is not None
    loop.skip = 2 * load.clients
    loop.sent.extend(0.0 for _ in range(load.clients))
    while loop.finished < waves * load.clients:
        loop._advance()
    return loop.seen


@pytest.mark.parametrize("lengths", [(512, 256), (2000, 100), (100, 800)])
@pytest.mark.parametrize(("model", "options"), [(LARGE, {"max_num_seqs": 16}), (LARGE, {}), (TIGHT, {})])
def test_clients_of_equal_lengths_who_wait_find_the_pace_that_a_long_look_finds(
    model: str, options: dict[str, Any], lengths: tuple[int, int]
) -> None:
    clock, limits = engine(model, **options)
    load = Load(input_tokens=lengths[0], output_tokens=lengths[1])
    clients = 5 * places_of(limits, load)
    load = replace(load, clients=clients)
    long, found = followed(clock, limits, load, waves=6), closed(clock, limits, load)
    # Where the cache makes sequences give their blocks back, waves go on differing from each other.
    close = 0.03 if model == TIGHT else 0.01
    assert found.total / found.requests == pytest.approx(long.total / long.requests, rel=close)
    assert found.itl / found.decoded == pytest.approx(long.itl / long.decoded, rel=close)
    assert found.ttft / found.requests == pytest.approx(long.ttft / long.requests, rel=close)


@pytest.mark.parametrize("times", [3, 6, 12])
@pytest.mark.parametrize("lengths", [(32, 1000), (64, 400)])
def test_who_gives_its_blocks_back_again_and_again_waits_within_its_answer(
    lengths: tuple[int, int], times: int
) -> None:
    """Tokens of clients that many prompts let in at once were said to take three quarters of their time."""
    clock, limits = engine(TIGHT)
    limits = replace(limits, cache_tokens=3000)
    load = Load(input_tokens=lengths[0], output_tokens=lengths[1])
    load = replace(load, clients=times * places_of(limits, load))
    long, found = followed(clock, limits, load, waves=12), closed(clock, limits, load)
    # Where all take a block at once, who gives his back changes with every wave.
    assert found.itl / found.decoded == pytest.approx(long.itl / long.decoded, rel=0.08)
    assert found.total / found.requests == pytest.approx(long.total / long.requests, rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("lengths", [(512, 256), (2000, 100), (100, 800)])
@pytest.mark.parametrize("options", [{}, {"max_num_seqs": 16}, {"max_num_seqs": 64, "engine_version": "0.7.3"}])
def test_a_crowd_finds_the_pace_that_a_long_look_finds(options: dict[str, Any], lengths: tuple[int, int]) -> None:
    clock, limits = engine(LARGE, **options)
    load = Load(input_tokens=lengths[0], output_tokens=lengths[1], input_spread=1.0, output_spread=0.8)
    clients = 3 * places_of(limits, replace(load))
    load = replace(load, clients=clients)
    long, found = (pace_of(seen, clients) for seen in (followed(clock, limits, load, 12), closed(clock, limits, load)))
    assert found.requests * found.output == pytest.approx(long.requests * long.output, rel=0.02)
    assert found.itl == pytest.approx(long.itl, rel=0.035)
    assert found.running == pytest.approx(long.running, rel=0.03)


@pytest.mark.parametrize(
    ("model", "options"),
    [(LARGE, {}), (TIGHT, {}), (LARGE, {"max_num_seqs": 48}), (LARGE, {"gpu": "nvidia-h100-80gb"})],
)
def test_more_clients_never_wait_less_and_none_of_them_is_a_step(model: str, options: dict[str, Any]) -> None:
    subject = served(model, **options)
    counts = [*range(8, 64, 8), *range(64, 640, 24), 1000, 2000, 20_000]

    def figures(clients: int) -> Figures:
        return speed_of(subject, spread_as_asked(replace(CHAT, clients=clients), None)).figures

    found = [figures(clients) for clients in counts]
    for before, after in pairwise(found):
        assert after.end_to_end_ms is not None
        assert before.end_to_end_ms is not None
        assert before.end_to_end_ms <= after.end_to_end_ms
    for clients in (256, 512, 2 * places_of(loop_limits(subject), CHAT)):
        last, first = figures(clients), figures(clients + 1)
        assert first.output_tokens_per_second == pytest.approx(last.output_tokens_per_second, rel=0.01)
        assert first.end_to_end_ms == pytest.approx(last.end_to_end_ms, rel=0.02)


def test_twenty_thousand_clients_take_no_longer_to_judge_than_a_hundred() -> None:
    began = time.process_time()
    for number in range(20):
        load = Load(input_tokens=500 + number, output_tokens=250, clients=20_000)
        speed_of(served(LARGE), spread_as_asked(load, None))
    assert time.process_time() - began < 1.0


def test_a_sequence_that_gave_its_blocks_back_still_makes_its_whole_answer() -> None:
    """One that starts again was once taken for ended when its first start would have ended."""

    class Counted(EngineLoop):
        made = 0

        def _pass(self, seconds: float, steps: int, count: int = 1, beside: int = 0) -> None:
            self.made += self.decoding * steps * count + beside
            super()._pass(seconds, steps, count, beside)

    clock, limits = engine(LARGE)
    load = Load(input_tokens=64, output_tokens=400, clients=24)
    loop = Counted(clock, replace(limits, cache_tokens=4000), load)
    loop.run()
    assert loop.seen.touched
    assert loop.made >= 400 * loop.finished


@pytest.mark.parametrize("chunks", [True, False])
@pytest.mark.parametrize("output", [1, 2])
def test_answers_that_end_in_one_step_have_a_pace(output: int, *, chunks: bool) -> None:
    clock, limits = engine(LARGE)
    load = Load(input_tokens=500, output_tokens=output, clients=20_000, input_spread=0.3, output_spread=0.3)
    few = replace(limits, batched_tokens=256 if chunks else 16, cache_tokens=10**7, chunks=chunks)
    found = closed(clock, few, load)
    assert 0 <= found.ttft <= found.total


@pytest.mark.parametrize(("model", "options"), [(LARGE, {}), (LARGE, {"max_num_seqs": 16}), (TIGHT, {})])
def test_the_most_that_is_served_is_what_more_clients_than_places_are_served(
    model: str, options: dict[str, Any]
) -> None:
    subject = served(model, **options)
    most = speed_of(subject, replace(CHAT, clients=None, rate=1e5)).most_requests
    clock, limits = engine(model, **options)
    crowd = replace(CHAT, clients=3 * places_of(limits, CHAT))
    long = pace_of(followed(clock, limits, crowd, waves=6), 3 * places_of(limits, CHAT))
    # Waves of equal requests overfill a short cache a block at once; requests that come when they like do less.
    assert most == pytest.approx(long.requests, rel=0.2 if model == TIGHT else 0.04)


@pytest.mark.parametrize("clients", [2, 3, 5, 9, 17, 40])
@pytest.mark.parametrize("spread", [0.5, 1.0, 2.0])
def test_no_first_token_comes_before_it_is_asked_for(clients: int, spread: float) -> None:
    """Lengths that vary much are cut by the context: more run at once than of their mean, and no more than ask."""
    engine = with_cache(served("Qwen/Qwen2.5-7B-Instruct"), 88_000)
    load = Load(input_tokens=8000, output_tokens=128, clients=clients, input_spread=spread, output_spread=spread)
    found = speed_of(engine, load)
    first, running = found.figures.ttft_ms, found.figures.running_requests
    assert first is not None
    assert running is not None
    assert (found.low.ttft_ms or 0) < first < (found.high.ttft_ms or 0)
    assert first > 100
    assert running <= clients + 1e-9


@pytest.mark.parametrize("lengths", [(256, 256), (64, 512), (1024, 64)])
@pytest.mark.parametrize(
    ("clients", "spread", "sequences"),
    [
        *((clients, None, None) for clients in (257, 270, 300, 350, 400, 511, 512, 700)),
        *((clients, spread, 64) for clients in (48, 65, 70, 96, 130) for spread in (0.5, 1.0, 1.5, 2.0)),
    ],
)
@pytest.mark.parametrize("model", ["Qwen/Qwen3-4B", "Qwen/Qwen3-0.6B"])
def test_a_first_token_takes_a_step_at_the_least_whoever_is_in_the_crowd(
    model: str, clients: int, spread: float | None, sequences: int | None, lengths: tuple[int, int]
) -> None:
    """Of two paces a first token is between theirs: what was left of mean times and lengths came to be negative."""
    limit = {} if sequences is None else {"max_num_seqs": sequences}
    subject = served(model, gpu="nvidia-h100-80gb", quantization="fp8", **limit)
    asked = spread_as_asked(Load(input_tokens=lengths[0], output_tokens=lengths[1], clients=clients), spread)
    found = speed_of(subject, asked)
    assert found.figures.ttft_ms is not None
    assert found.figures.itl_ms is not None
    assert found.figures.ttft_ms >= 0.9 * found.figures.itl_ms
    assert (found.low.ttft_ms or 0) < found.figures.ttft_ms < (found.high.ttft_ms or 0)
