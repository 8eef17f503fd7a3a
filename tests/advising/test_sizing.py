"""Sizing for a rate: the least count that keeps the promises by the estimate of one replica at its part of the rate."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from l4serve.advising.budget import MOST_REPLICAS
from l4serve.advising.candidates import pod_choices
from l4serve.advising.homes import homes_of
from l4serve.advising.load_share import share_of
from l4serve.advising.ranking import Judged, Wish
from l4serve.advising.search import search
from l4serve.advising.sizing import EASED, Needed, fewest, least, missed, size
from l4serve.advising.traffic import Traffic
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.performance.load import Load
from l4serve.planning.performance.speed import Speed, speed_of
from l4serve.planning.performance.waits import at_percentile
from l4serve.planning.workload.judgement.fit_question import Question, subject_of
from l4serve.planning.workload.judgement.speed_question import subject_speed
from tests.planning.performance.engines import served

LOAD = Load(input_tokens=256, output_tokens=128, rate=8.0)
WISH = Wish(goal="cost", load=LOAD, quality="8bit")


@pytest.fixture(scope="module")
def winner() -> Judged:
    shape = find_model("Qwen/Qwen2.5-1.5B-Instruct")
    assert shape is not None
    question = Question(model=shape, engine="vllm", engine_version=None, accelerator="nvidia-l4", gpus=1)
    pods = list(pod_choices(subject_of(question), (1,)))[:2]
    found = search(pods, homes_of("nvidia-l4", "on-demand", "us-central1")[:1], at(1.0))
    assert found.winner is not None
    return found.winner


def at(
    rate: float,
    cv2: float = 1.0,
    percentile: float | None = None,
    ttft_ms: float | None = None,
    itl_ms: float | None = None,
) -> Wish:
    load = replace(LOAD, rate=rate, arrival_cv2=cv2)
    return replace(WISH, load=load, traffic=Traffic(percentile=percentile), ttft_ms=ttft_ms, itl_ms=itl_ms)


def needed(judged: Judged, wish: Wish) -> Needed:
    def speed_of_part(replicas: int) -> Speed:
        return subject_speed(judged.candidate.pod.subject, judged.judgement, share_of(wish.load, replicas))

    alone = replace(wish.load, rate=None, clients=1)
    return fewest(speed_of_part, subject_speed(judged.candidate.pod.subject, judged.judgement, alone), wish)


WISHES = [
    at(60.0),
    at(60.0, ttft_ms=300.0),
    at(60.0, ttft_ms=110.0),
    at(60.0, ttft_ms=300.0, percentile=95.0),
    at(60.0, ttft_ms=300.0, cv2=4.0),
    at(60.0, itl_ms=20.0),
]


@pytest.mark.parametrize("wish", WISHES, ids=[str(index) for index in range(len(WISHES))])
def test_the_size_is_the_least_count_that_keeps_the_promises_by_the_estimate(winner: Judged, wish: Wish) -> None:
    found = needed(winner, wish).replicas
    assert found is not None

    def miss(replicas: int) -> str | None:
        part = replace(wish.load, rate=60.0 / replicas)
        speed = subject_speed(winner.candidate.pod.subject, winner.judgement, part)
        if wish.ttft_ms is not None and wish.traffic.percentile is None and speed.figures.ttft_ms is not None:
            kept = speed.slowest_keeps_up and speed.figures.ttft_ms <= wish.ttft_ms
            assert (missed(speed, wish, replicas) is None) == kept
        return missed(speed, wish, replicas)

    assert miss(found) is None
    assert all(miss(fewer) for fewer in range(1, found))


def test_seven_billion_parameters_in_full_need_three_cards_for_twenty_requests_a_second() -> None:
    """One of three replicas has its first token after some 216 ms; a size by full places alone asked for 27."""
    shape = find_model("Qwen/Qwen2.5-7B-Instruct")
    assert shape is not None
    question = Question(model=shape, engine="vllm", engine_version=None, accelerator="nvidia-l4", gpus=1)
    pods = list(pod_choices(subject_of(question), (1,)))[:1]
    wish = replace(at(20.0, ttft_ms=400.0), quality="full")
    found = search(pods, homes_of("nvidia-l4", "on-demand", "us-central1")[:1], wish).winner
    assert found is not None
    assert found.candidate.replicas == 3
    sized = size(found, wish)
    assert sized is not None
    part = subject_speed(found.candidate.pod.subject, found.judgement, replace(wish.load, rate=20.0 / 3))
    assert sized.ttft_ms == part.figures.ttft_ms == found.figures.ttft_ms
    assert sized.ttft_ms < 400.0


@given(st.integers(1, MOST_REPLICAS + 50), st.integers(0, 400), st.integers(1, 1200))
@settings(max_examples=200, deadline=None)
def test_the_least_count_is_found_wherever_the_search_begins(threshold: int, low: int, begin: int) -> None:
    asked: list[int] = []

    def kept(count: int) -> bool:
        asked.append(count)
        return count >= threshold

    answer = max(threshold, low + 1)
    assert least(kept, low, max(low + 1, begin)) == (answer if answer <= MOST_REPLICAS else None)
    assert len(asked) <= 35


@pytest.mark.parametrize("begin", [1, 9, 12, 30])
def test_a_count_that_wobbles_hides_no_lesser_one(begin: int) -> None:
    assert least(lambda count: count >= 10 and count != 11, 3, max(4, begin)) == 10


def test_what_misses_by_more_than_a_wobble_ends_the_search() -> None:
    asked: list[int] = []

    def kept(count: int) -> bool:
        asked.append(count)
        return count >= 10

    assert least(kept, 3, 10, lambda _count: False) == 10
    assert asked == [10, 9], "8 and 7 miss by more still"
    assert least(lambda count: count >= 10 and count != 11, 3, 12, lambda count: count >= 9) == 10


def test_more_requests_variance_and_a_stricter_percentile_never_save_a_replica(winner: Judged) -> None:
    counts = {
        (rate, cv2, percentile): needed(winner, at(rate, cv2, percentile, ttft_ms=200.0)).replicas
        for rate in (20.0, 60.0)
        for cv2 in (0.0, 1.0, 6.0)
        for percentile in (50.0, 95.0)
    }
    for (rate, cv2, percentile), count in counts.items():
        assert count is not None
        for worse in ((60.0, cv2, percentile), (rate, 6.0, percentile), (rate, cv2, 95.0)):
            assert count <= (counts[worse] or 0)
    assert counts[60.0, 1.0, 50.0] < counts[60.0, 6.0, 95.0]


def test_one_place_is_the_queue_of_the_textbook() -> None:
    """M/D/1: the mean wait for a place is load / (1 - load) / 2 services; without variance nobody waits."""
    one = served(max_num_seqs=1)
    alone = speed_of(one, replace(LOAD, rate=None, clients=1)).figures.end_to_end_ms
    assert alone is not None
    waits = {}
    for cv2 in (0.0, 1.0, 4.0):
        load = replace(LOAD, rate=600.0 / alone, arrival_cv2=cv2)
        waits[cv2] = speed_of(one, load).waits.place
    assert max(waits[0.0]) < 0.05 * alone
    assert sum(waits[1.0]) / len(waits[1.0]) == pytest.approx(0.6 / 0.4 / 2 * alone, rel=0.4)
    assert (at_percentile(waits[4.0], 95) or 0) > (at_percentile(waits[1.0], 95) or 0)


def test_what_one_client_misses_no_count_keeps(winner: Judged) -> None:
    for wish in (at(5.0, itl_ms=1.0), at(5.0, ttft_ms=1.0)):
        found = needed(winner, wish)
        assert found.replicas is None
        assert "even for a single client" in str(found.reason)


@pytest.mark.parametrize("times", [0.85, 0.95, 1.05])
def test_a_promise_out_of_reach_is_seen_from_the_most_replicas_alone(winner: Judged, times: float) -> None:
    """The lengths vary: a single client says nothing of the longest prompts."""
    wish = at(60.0, percentile=99.0, ttft_ms=1.0)
    wish = replace(wish, load=replace(wish.load, input_spread=1.0, output_spread=1.0))
    subject, judgement, counts = winner.candidate.pod.subject, winner.judgement, list[int]()

    def speed_of_part(replicas: int) -> Speed:
        counts.append(replicas)
        return subject_speed(subject, judgement, share_of(wish.load, replicas))

    best = at_percentile(speed_of_part(MOST_REPLICAS).waits.first_token, 99.0)
    assert best is not None
    alone = subject_speed(subject, judgement, replace(wish.load, rate=None, clients=1))
    found = fewest(speed_of_part, alone, replace(wish, ttft_ms=times * best))
    assert (found.replicas is not None) == (times > 1)
    assert found.replicas or str(MOST_REPLICAS) in str(found.reason)
    assert (len(set(counts)) <= 3) == (EASED * times < 1)


def test_the_winner_has_as_many_replicas_as_its_size() -> None:
    shape = find_model("Qwen/Qwen2.5-1.5B-Instruct")
    assert shape is not None
    question = Question(model=shape, engine="vllm", engine_version=None, accelerator="nvidia-l4", gpus=1)
    pods = list(pod_choices(subject_of(question), (1,)))[:2]
    homes = homes_of("nvidia-l4", "on-demand", "us-central1")[:1]
    for rate in (1.0, 40.0, 400.0):
        found = search(pods, homes, at(rate)).winner
        assert found is not None, rate
        sized = size(found, at(rate))
        assert sized is not None
        assert sized.replicas == found.candidate.replicas <= sized.headroom_replicas
        assert sized.utilisation < 1
        assert sized.ttft_ms == found.figures.ttft_ms
        assert sized.ttft_ms <= sized.ttft_at_percentile_ms


def test_no_more_replicas_are_tried_than_a_place_holds() -> None:
    shape = find_model("Qwen/Qwen2.5-1.5B-Instruct")
    assert shape is not None
    question = Question(model=shape, engine="vllm", engine_version=None, accelerator="nvidia-l4", gpus=1)
    pods = list(pod_choices(subject_of(question), (1,)))[:1]
    home, wish = homes_of("nvidia-l4", "on-demand", "us-central1")[0], at(20.0, itl_ms=14.0)
    free = search(pods, [home], wish).winner
    assert free is not None
    count = free.candidate.replicas
    assert search(pods, [replace(home, most_replicas=count)], wish).winner is not None
    tight = search(pods, [replace(home, most_replicas=count - 1)], wish)
    assert tight.winner is None
    assert all(rejected.candidate.replicas < count for rejected in tight.rejected)


def test_thresholds_leave_room_for_the_start_of_another(winner: Judged) -> None:
    calm, steep = (size(winner, replace(WISH, traffic=Traffic(growth_per_minute=g))) for g in (0.0, 1.0))
    assert calm is not None
    assert steep is not None
    assert steep.running_target < calm.running_target
    assert calm.start_lag_seconds > 180
    assert calm.queue_target >= 1


def test_a_rate_that_no_count_serves_names_the_most_that_were_tried(winner: Judged) -> None:
    found = needed(winner, at(1e6))
    assert found.replicas is None
    assert found.reason is not None
    assert found.reason.startswith("with 1000 replicas, the most that are tried: ")
    assert "1000 replicas do not keep up with 1e+06 requests a second" in found.reason
    alone = subject_speed(winner.candidate.pod.subject, winner.judgement, at(1e6).load)
    assert missed(alone, at(1e6), 1) == "1 replica does not keep up with 1e+06 requests a second"


@pytest.mark.parametrize("percentile", [90.0, 95.0, 99.0, 99.9])
@pytest.mark.parametrize("sigma", [0.5, 1.0])
def test_what_the_lengths_of_one_client_break_is_looked_for_with_no_count(sigma: float, percentile: float) -> None:
    engine = served("Qwen/Qwen2.5-7B-Instruct", quantization="fp8")
    load = replace(LOAD, rate=20.0, input_spread=sigma, output_spread=sigma)
    alone = speed_of(engine, replace(load, rate=None, clients=1))
    first = at_percentile(alone.waits.first_token, percentile)
    assert first is not None
    wish = replace(at(20.0, percentile=percentile, ttft_ms=first / EASED * 0.999), load=load)

    def never(replicas: int) -> Speed:
        pytest.fail(f"{replicas} replicas are followed")

    reason = fewest(never, alone, wish).reason
    assert reason is not None
    assert reason.endswith("even for a single client")
    part = replace(load, rate=20.0 / MOST_REPLICAS)
    assert missed(speed_of(engine, part), wish, MOST_REPLICAS) is not None
