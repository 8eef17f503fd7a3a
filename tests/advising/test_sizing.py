"""Sizing for a rate: more traffic, more variance and a stricter percentile never need fewer replicas."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from l4serve.advising.candidates import pod_choices
from l4serve.advising.ranking import Judged, Wish
from l4serve.advising.search import search
from l4serve.advising.sizing import Curve, Limits, Replica, curve_of, fewest, limits_of, size
from l4serve.advising.traffic import Traffic
from l4serve.cli.advise_space import homes_of
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.performance.load import Load
from l4serve.planning.workload.fit_question import Question, subject_of

CURVE = Curve((1, 2, 4, 8), (1.0, 1.9, 3.5, 6.0), (0.1, 0.12, 0.18, 0.3), (0.01, 0.011, 0.013, 0.02))
WAIT = Limits(wait=1.0)
LOAD = Load(input_tokens=256, output_tokens=128, rate=8.0, input_spread=0.0, output_spread=0.0)
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


@given(st.floats(0.1, 50), st.floats(1.01, 3))
@settings(max_examples=40, deadline=None)
def test_a_higher_rate_never_needs_fewer(rate: float, more: float) -> None:
    counts = [fewest(CURVE, Traffic(rate=r), WAIT) for r in (rate, rate * more)]
    assert counts[0] <= counts[1]


@given(st.floats(0.1, 30), st.floats(0, 5), st.floats(60, 99))
@settings(max_examples=40, deadline=None)
def test_variance_and_percentile_never_save_a_replica(rate: float, variance: float, percentile: float) -> None:
    def count(**changed: float) -> int:
        traffic = Traffic(**{"rate": rate, "arrival_cv2": variance, "percentile": percentile, **changed})
        found = fewest(CURVE, traffic, Limits(wait=0.5))
        assert found is not None
        return found

    assert count() <= count(arrival_cv2=variance + 4)
    assert count() <= count(percentile=percentile + 0.9)


@given(st.floats(0.05, 5.9))
@settings(max_examples=40, deadline=None)
def test_the_chances_of_a_replica_s_states_add_up(rate: float) -> None:
    replica = Replica(curve=CURVE, rate=rate, traffic=Traffic(rate=rate))
    assert sum(replica.states) == pytest.approx(1)
    assert 0 <= replica.running <= CURVE.places


def test_a_replica_that_does_not_keep_up_waits_forever() -> None:
    assert Replica(curve=CURVE, rate=7.0, traffic=Traffic(rate=7.0)).wait() == float("inf")


def test_one_place_is_the_queue_of_the_textbook() -> None:
    """M/M/1 at half load: half of all wait, and 95 % at most ln(10) / (mu - lambda)."""
    one = Curve((1,), (1.0,), (0.0,), (0.0,))
    replica = Replica(curve=one, rate=0.5, traffic=Traffic(rate=0.5))
    assert replica.states[0] == pytest.approx(0.5)
    assert replica.wait() == pytest.approx(4.605, rel=0.01)


def at(rate: float, *, ttft_ms: float | None = None, itl_ms: float | None = None) -> Wish:
    load, traffic = replace(LOAD, rate=rate), Traffic(rate=rate)
    return replace(WISH, load=load, traffic=traffic, ttft_ms=ttft_ms, itl_ms=itl_ms)


def test_the_fewest_replicas_keep_every_promise(winner: Judged) -> None:
    curve = curve_of(winner.candidate.pod.subject, winner.judgement, LOAD)
    for wish in (at(60.0, ttft_ms=500.0), at(60.0, itl_ms=20.0)):
        limits, traffic = limits_of(wish), Traffic(rate=60.0)
        found = fewest(curve, traffic, limits)
        assert found is not None
        assert limits.kept(Replica(curve=curve, rate=60.0 / found, traffic=traffic))
        assert not limits.kept(Replica(curve=curve, rate=60.0 / max(1, found - 1), traffic=traffic))


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
        assert found.figures.ttft_ms is not None


def test_no_more_replicas_are_tried_than_a_place_holds() -> None:
    shape = find_model("Qwen/Qwen2.5-1.5B-Instruct")
    assert shape is not None
    question = Question(model=shape, engine="vllm", engine_version=None, accelerator="nvidia-l4", gpus=1)
    pods = list(pod_choices(subject_of(question), (1,)))[:1]
    home, wish = homes_of("nvidia-l4", "on-demand", "us-central1")[0], at(20.0, itl_ms=14.0)
    free = search(pods, [home], wish).winner
    assert free is not None
    needed = free.candidate.replicas
    assert search(pods, [replace(home, most_replicas=needed)], wish).winner is not None
    tight = search(pods, [replace(home, most_replicas=needed - 1)], wish)
    assert tight.winner is None
    assert all(rejected.candidate.replicas < needed for rejected in tight.rejected)


def test_thresholds_leave_room_for_the_start_of_another(winner: Judged) -> None:
    calm, steep = (size(winner, replace(WISH, traffic=Traffic(rate=8.0, growth_per_minute=g))) for g in (0.0, 1.0))
    assert calm is not None
    assert steep is not None
    assert steep.running_target < calm.running_target
    assert calm.start_lag_seconds > 180
    assert calm.queue_target >= 1
