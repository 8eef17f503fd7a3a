"""An engine under a load: laws that hold whatever the figures, and what is not judged."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from l4serve.planning.performance.bounded_figures import Figures
from l4serve.planning.performance.card_speeds import all_card_speeds
from l4serve.planning.performance.kernel_rates import kernel_rates
from l4serve.planning.performance.known_runs import observed
from l4serve.planning.performance.load import Load, spread_as_asked
from l4serve.planning.performance.prefixes import OFTEN
from l4serve.planning.performance.speed import Speed, loop_limits, speed_of, step_clock
from tests.each_case import each
from tests.planning.performance.engines import served, with_cache

ROUNDING = 1e-9
CHAT = Load(input_tokens=256, output_tokens=128, clients=1)


def figures(speed: Speed) -> Figures:
    assert not speed.not_judged
    return speed.figures


def test_clients_tokens_and_latency_agree_as_little_says() -> None:
    for clients in (1, 8, 64):
        found = figures(speed_of(served(), replace(CHAT, clients=clients)))
        assert found.requests_per_second * found.end_to_end_ms / 1000 == pytest.approx(clients)
        assert found.output_tokens_per_second == pytest.approx(128 * found.requests_per_second)


def test_one_client_waits_for_its_prompt_and_then_reads_one_token_a_step() -> None:
    found = figures(speed_of(served(), CHAT))
    assert found.end_to_end_ms == pytest.approx(found.ttft_ms + 127 * found.itl_ms)


def test_more_clients_make_more_tokens_and_wait_longer() -> None:
    found = [figures(speed_of(served(), replace(CHAT, clients=n))) for n in (1, 4, 16, 64, 256)]
    assert [f.output_tokens_per_second for f in found] == sorted(f.output_tokens_per_second for f in found)
    assert [f.end_to_end_ms for f in found] == sorted(f.end_to_end_ms for f in found)


def test_a_cache_for_few_tokens_holds_the_load_back() -> None:
    load = replace(CHAT, clients=64)
    small = speed_of(with_cache(served(), 4000), load)
    assert small.limited_by == "KV cache"
    assert figures(small).running_requests < 4000 / 256
    assert figures(small).output_tokens_per_second < figures(speed_of(served(), load)).output_tokens_per_second


def test_fewer_sequences_than_clients_hold_the_load_back() -> None:
    few = speed_of(served(max_num_seqs=4), replace(CHAT, clients=32))
    assert few.limited_by == "max sequences"
    assert figures(few).running_requests == pytest.approx(4, rel=0.1)


def test_sequences_that_outgrow_the_cache_are_computed_anew() -> None:
    load = Load(input_tokens=64, output_tokens=1024, clients=8)
    tight = figures(speed_of(with_cache(served(), 4000), load))
    roomy = figures(speed_of(served(), load))
    assert tight.output_tokens_per_second < roomy.output_tokens_per_second


def test_a_rate_below_the_capacity_is_served_and_one_above_it_is_not() -> None:
    calm = speed_of(served(), replace(CHAT, clients=None, rate=1.0))
    assert figures(calm).requests_per_second == 1.0
    assert calm.low.requests_per_second == calm.high.requests_per_second == 1.0
    assert calm.low.running_requests < calm.figures.running_requests < calm.high.running_requests
    flooded = speed_of(served(), replace(CHAT, clients=None, rate=1000.0))
    assert flooded.figures.ttft_ms is None
    assert "without end" in flooded.not_judged[0]
    assert flooded.figures.requests_per_second < 100


def test_every_figure_that_is_missing_under_too_high_a_rate_has_its_reason() -> None:
    flooded = speed_of(served(), replace(CHAT, output_tokens=1, clients=None, rate=1000.0))
    assert flooded.figures.itl_ms is None
    assert [reason.split(":")[0] for reason in flooded.not_judged] == ["itlMs", "ttftMs, endToEndMs"]


def test_more_than_can_be_served_is_one_speed_and_no_more_than_full_places_make() -> None:
    flooded = [speed_of(served(), replace(CHAT, clients=None, rate=rate)).figures for rate in (50.0, 200.0, 1000.0)]
    assert len(set(flooded)) == 1
    most = flooded[0].requests_per_second
    assert most is not None
    for share in (0.5, 0.9, 0.98):
        speed = speed_of(served(), replace(CHAT, clients=None, rate=share * most))
        assert speed.figures.ttft_ms is not None
        assert (speed.high.ttft_ms is None) == (share * (1 + speed.bound.slower) >= 1)
    over = speed_of(served(), replace(CHAT, clients=None, rate=1.01 * most))
    assert over.figures.ttft_ms is None


@pytest.mark.parametrize("share", [0.3, 0.6, 0.8, 0.88])
def test_the_bound_of_a_rate_holds_the_queue_of_a_slower_card(share: float) -> None:
    """Close to the most that is served a card a tenth slower waits several times as long."""
    subject = served()
    most = speed_of(subject, replace(CHAT, clients=None, rate=1.0)).most_requests
    assert most is not None
    speed = speed_of(subject, load := replace(CHAT, clients=None, rate=share * most))
    clock, limits = step_clock(subject, kernel_rates()), loop_limits(subject)
    fast, slow = (observed(clock.slowed(speed.bound.token.at(side)), limits, load) for side in (-1, 1))
    assert speed.low.ttft_ms <= 1000 * fast.ttft / fast.requests
    assert speed.low.itl_ms <= (1 + ROUNDING) * 1000 * fast.itl / fast.decoded
    assert speed.high.ttft_ms >= 1000 * slow.ttft / slow.requests
    assert 1.01 * speed.high.itl_ms >= 1000 * slow.itl / slow.decoded, "others meet in its steps"
    assert speed.low.ttft_ms < speed.figures.ttft_ms < speed.high.ttft_ms
    if share > 0.85:
        assert speed.high.itl_ms > 1.2 * speed.figures.itl_ms


def test_one_token_of_an_answer_and_a_rare_request_count_as_they_run() -> None:
    one = speed_of(served(), replace(CHAT, output_tokens=1)).figures
    assert one.running_requests == pytest.approx(1, rel=0.2)
    rare = figures(speed_of(served(), replace(CHAT, clients=None, rate=0.001)))
    assert rare.running_requests == pytest.approx(0.001 * rare.end_to_end_ms / 1000, rel=0.3)


def test_requests_wait_longer_at_a_higher_rate() -> None:
    waits = [figures(speed_of(served(), replace(CHAT, clients=None, rate=r))).ttft_ms for r in (0.5, 4.0, 10.0)]
    assert waits == sorted(waits)


def test_a_crowd_has_lengths_that_vary() -> None:
    many = replace(CHAT, clients=512)
    crowd = speed_of(served(), spread_as_asked(many, None))
    assert "crowd" in crowd.assumed[0]
    assert crowd.figures == speed_of(served(), replace(many, input_spread=1.0, output_spread=0.8)).figures
    alike = speed_of(served(), spread_as_asked(many, 0.0))
    assert alike.assumed == (OFTEN,)
    assert crowd.figures.end_to_end_ms > alike.figures.end_to_end_ms


@pytest.mark.parametrize("model", ["Qwen/Qwen3-1.7B", "Qwen/Qwen2.5-7B-Instruct"])
def test_one_client_more_than_run_at_once_changes_little(model: str) -> None:
    """The spread of lengths comes in with the clients; each of them adds a part of an answer to the mean wait."""
    subject = served(model)
    loads = (spread_as_asked(replace(CHAT, clients=n), None) for n in range(240, 281, 2))
    found = [figures(speed_of(subject, load)) for load in loads]
    for before, after in pairwise(found):
        assert after.output_tokens_per_second == pytest.approx(before.output_tokens_per_second, rel=0.02)
        assert after.end_to_end_ms == pytest.approx(before.end_to_end_ms, rel=0.03)
        assert abs(after.ttft_ms - before.ttft_ms) < 0.02 * before.end_to_end_ms


@pytest.mark.parametrize("places", [8, 16, 32])
def test_equal_requests_in_a_closed_loop_wait_for_the_places_that_a_limit_leaves(places: int) -> None:
    full = figures(speed_of(served(max_num_seqs=places), replace(CHAT, clients=places)))
    queued = speed_of(served(max_num_seqs=places), replace(CHAT, clients=4 * places))
    assert queued.assumed == (OFTEN,)
    found = figures(queued)
    assert found.output_tokens_per_second == pytest.approx(full.output_tokens_per_second, rel=0.02)
    assert found.end_to_end_ms == pytest.approx(4 * full.end_to_end_ms, rel=0.02)
    assert found.ttft_ms - full.ttft_ms == pytest.approx(3 * full.end_to_end_ms, rel=0.06)


def test_the_bounds_enclose_the_figure() -> None:
    speed = speed_of(served(), replace(CHAT, clients=8))
    for name in ("ttft_ms", "itl_ms", "output_tokens_per_second", "requests_per_second", "end_to_end_ms"):
        assert getattr(speed.low, name) < getattr(speed.figures, name) < getattr(speed.high, name)


@pytest.mark.parametrize("output", [2, 128])
def test_a_whole_answer_is_bounded_by_its_first_token_and_the_rest(output: int) -> None:
    speed = speed_of(served(max_num_seqs=4), replace(CHAT, output_tokens=output, clients=64))
    for part in (speed.low, speed.figures, speed.high):
        assert part.ttft_ms is not None
        assert part.itl_ms is not None
        assert part.end_to_end_ms == pytest.approx(part.ttft_ms + (output - 1) * part.itl_ms)


@each(all_card_speeds(), str)
def test_every_card_of_the_table_is_judged(gpu: str) -> None:
    options = {"dtype": "float16"} if gpu == "nvidia-tesla-t4" else {}
    found = speed_of(served(gpu=gpu, **options), CHAT)
    assert figures(found).itl_ms > 0


@pytest.mark.parametrize(
    ("gpu", "model"),
    [("nvidia-l4", "Qwen/Qwen2.5-0.5B-Instruct"), ("nvidia-a100-80gb", "Qwen/Qwen2.5-7B-Instruct")],
)
def test_kernels_that_the_host_launches_have_a_wider_bound(gpu: str, model: str) -> None:
    """An A800 took 22 ms for a token of Qwen2.5 7B without graphs, and 13 with them."""
    graphs, eager = (speed_of(served(model, gpu, enforce_eager=eager), CHAT) for eager in (False, True))
    assert eager.bound.token.more > graphs.bound.token.more + 0.05
    assert eager.bound.rate.less > graphs.bound.rate.less
    for name in ("ttft_ms", "itl_ms", "end_to_end_ms"):
        assert getattr(eager.high, name) > getattr(graphs.high, name)
    assert eager.low.output_tokens_per_second < graphs.low.output_tokens_per_second
    if gpu == "nvidia-a100-80gb":
        assert eager.low.itl_ms < 22 * graphs.figures.itl_ms / 13 < eager.high.itl_ms


def test_a_large_model_s_eager_kernels_are_launched_while_the_card_works() -> None:
    """Measured on an H100: prompts of 1,900 tokens of Qwen2.5 7B took 45 ms without graphs, and 47 with them."""
    graphs, eager = (
        speed_of(served("Qwen/Qwen2.5-7B-Instruct", enforce_eager=eager), CHAT).figures for eager in (False, True)
    )
    assert graphs.itl_ms is not None
    assert graphs.itl_ms < eager.itl_ms < 1.02 * graphs.itl_ms
    assert eager.ttft_ms == pytest.approx(graphs.ttft_ms, rel=0.02)


def test_a_card_that_nobody_measured_has_a_wider_bound() -> None:
    model = "Qwen/Qwen2.5-7B-Instruct"
    l4, h200 = (speed_of(served(model, gpu), CHAT) for gpu in ("nvidia-l4", "nvidia-h200-141gb"))
    assert h200.bound.slower > l4.bound.slower
    pair = speed_of(served(model, tensor_parallel_size=2), CHAT)
    assert pair.bound.slower > h200.bound.slower


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"pipeline_parallel_size": 2}, "pipeline"),
        ({"num_speculative_tokens": 4}, "drafted"),
        ({"cpu_offload_gib": 1.0}, "host memory"),
    ],
)
def test_what_no_data_supports_is_not_judged(options: dict[str, Any], reason: str) -> None:
    speed = speed_of(served(**options), CHAT)
    assert not speed.judged
    assert reason in speed.not_judged[0]


@pytest.mark.parametrize("lengths", [{"input_tokens": 9000}, {"output_tokens": 8192}])
def test_a_request_longer_than_the_context_is_not_judged(lengths: dict[str, Any]) -> None:
    assert "longer than the context of 8192" in speed_of(served(), replace(CHAT, **lengths)).not_judged[0]


def test_a_step_that_is_scheduled_ahead_takes_no_newcomer() -> None:
    load = Load(input_tokens=256, output_tokens=128, rate=2.0)
    ahead, older = (figures(speed_of(served(engine_version=version), load)) for version in ("0.14.0", "0.13.0"))
    assert ahead.itl_ms == pytest.approx(older.itl_ms, rel=0.02)
    assert ahead.ttft_ms - older.ttft_ms == pytest.approx(older.itl_ms, rel=0.25)


def test_prompts_come_in_steps_of_their_own_where_a_release_falls_back_to_its_old_engine() -> None:
    load = Load(input_tokens=2000, output_tokens=100, clients=16)
    old, new = (
        speed_of(served("Qwen/Qwen2.5-1.5B-Instruct", gpu, engine_version="0.10.0"), load)
        for gpu in ("nvidia-tesla-t4", "nvidia-l4")
    )
    assert figures(old).ttft_ms > 2 * figures(new).ttft_ms


def test_an_idle_engine_takes_a_request_at_once() -> None:
    rare = Load(input_tokens=256, output_tokens=2, rate=0.01)
    ahead, older = (figures(speed_of(served(engine_version=version), rare)) for version in ("0.14.0", "0.13.0"))
    assert ahead.ttft_ms == pytest.approx(older.ttft_ms)
