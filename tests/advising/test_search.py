"""The advisor: pruned and exhaustive search agree, wishes are kept, and every candidate has one reason."""

import time
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from l4serve.advising.answer import Answer
from l4serve.advising.candidates import Candidate, Home, PodChoice, pod_choices
from l4serve.advising.homes import homes_of
from l4serve.advising.known_pods import Pods
from l4serve.advising.ranking import Judged, Wish, answer_ms, beats, describe, rank
from l4serve.advising.search import estimated, places, ruled_out, search
from l4serve.advising.sizing import missed
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.performance.engine_loop import EngineLoop
from l4serve.planning.performance.load import Load, spread_as_asked
from l4serve.planning.performance.loop_state import Observed
from l4serve.planning.workload.judgement.fit_question import Question, subject_of

LOAD = Load(input_tokens=256, output_tokens=128, clients=64)
THROUGHPUT = Wish(goal="throughput", load=LOAD)
BOUND_S = 4.0
"""For 500 candidates, twice what benchmarks/search_speed.py holds: tests share their machine."""


def asked(
    model: str = "google/gemma-7b", gpu: str = "nvidia-l4", **question: Any
) -> tuple[list[PodChoice], list[Home]]:
    shape = find_model(model)
    assert shape is not None
    base = subject_of(Question(model=shape, engine="vllm", engine_version=None, accelerator=gpu, gpus=1, **question))
    homes = homes_of(gpu, "on-demand", "us-central1")
    return list(pod_choices(base, (1, 2, 4, 8))), homes


def named(answer: Answer) -> list[tuple[object, ...]]:
    places = [(judged.candidate, judged.figures) for judged in answer.front]
    return [(str(c.pod.edit), c.home.shape.machine_type, c.replicas, f) for c, f in places]


@pytest.mark.parametrize(
    "wish",
    [
        THROUGHPUT,
        replace(THROUGHPUT, goal="cost", quality="8bit"),
        replace(THROUGHPUT, goal="latency", budget_usd_hour=2.0),
        replace(THROUGHPUT, ttft_ms=1000.0, itl_ms=80.0),
        replace(THROUGHPUT, goal="cost", load=replace(LOAD, clients=512), ttft_ms=300.0, itl_ms=45.0),
        replace(THROUGHPUT, goal="latency", load=replace(LOAD, clients=256), itl_ms=0.1, budget_usd_hour=9.0),
        Wish(goal="cost", load=replace(LOAD, clients=None, rate=9.0)),
        Wish(goal="latency", load=replace(LOAD, clients=None, rate=9.0), budget_usd_hour=9.0),
        Wish(goal="throughput", load=replace(LOAD, clients=None, rate=9.0), ttft_ms=300.0, itl_ms=60.0),
        Wish(goal="cost", load=replace(LOAD, clients=None, rate=5.0), itl_ms=1.0),
        Wish(goal="cost", load=replace(LOAD, clients=None, rate=5.0), ttft_ms=1.0, budget_usd_hour=0.9),
    ],
    ids=[
        "throughput",
        "cost",
        "latency",
        "promises",
        "many",
        "hopeless",
        "rate",
        "fast",
        "rate-promises",
        "no-itl",
        "no-ttft",
    ],
)
def test_pruned_and_exhaustive_search_agree(wish: Wish) -> None:
    pods, homes = asked()
    pods, homes = pods[::3], homes[:6:2]
    pruned, whole = search(pods, homes, wish), search(pods, homes, wish, prune=False)
    assert named(pruned) == named(whole)
    assert (pruned.winner is None) == (whole.winner is None)
    if pruned.winner and whole.winner:
        assert pruned.winner.candidate.pod.edit == whole.winner.candidate.pod.edit


def test_every_candidate_wins_or_has_one_reason() -> None:
    answer = search(*asked(), THROUGHPUT)
    assert answer.tried == len(answer.rejected) + 1
    assert all(rejected.reason for rejected in answer.rejected)


@pytest.mark.parametrize("clients", [64, 300, 512, 1000, 20_000])
def test_a_search_over_five_hundred_candidates_takes_no_longer_for_more_clients(clients: int) -> None:
    pods, homes = asked("Qwen/Qwen2.5-7B-Instruct")
    chat = spread_as_asked(replace(LOAD, clients=clients), None)
    began = time.process_time()
    answer = search(pods, homes[:1], replace(THROUGHPUT, load=chat))
    assert answer.tried >= 100
    assert time.process_time() - began < BOUND_S * answer.tried / 500


def test_a_search_for_a_rate_takes_no_longer() -> None:
    pods, homes = asked("Qwen/Qwen2.5-7B-Instruct")
    wish = Wish(goal="cost", load=replace(LOAD, clients=None, rate=20.0))
    began = time.process_time()
    answer = search(pods, homes, wish)
    assert answer.tried >= 500
    assert time.process_time() - began < BOUND_S * answer.tried / 500


def test_pods_that_differ_in_what_no_run_touches_share_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack has one machine, so no pod's run serves another machine."""
    ran: list[Load] = []

    class Counted(EngineLoop):
        def run(self) -> Observed:
            ran.append(self.load)
            return super().run()

    monkeypatch.setattr("l4serve.planning.performance.known_runs.EngineLoop", Counted)
    pods, homes = asked("Qwen/Qwen2.5-1.5B-Instruct", gpu_memory_gib=21.9)
    wish = Wish(goal="cost", load=replace(LOAD, clients=None, rate=40.0, input_tokens=500, output_tokens=250))
    answer = search(pods, homes[:1], wish)
    assert answer.winner is not None
    assert answer.tried >= 90
    assert len([load for load in ran if load.rate is not None]) < 0.6 * answer.tried


def test_gemma_gains_without_another_checkpoint() -> None:
    """Measured on an H100 with an L4's memory: 1,471 tokens/s in 16 bits, 4,963 in FP8."""
    pods, homes = asked(gpu="nvidia-h100-80gb", gpu_memory_gib=22.03)
    answer = search([pod for pod in pods if pod.subject.layout.gpus == 1], homes, THROUGHPUT)
    assert answer.winner is not None
    assert answer.winner.candidate.pod.edit["engine.quantization"] == "fp8"
    assert "model.id" not in answer.winner.candidate.pod.edit


@pytest.mark.parametrize("clients", [1, 2, 5])
def test_replicas_serve_no_more_clients_than_there_are(clients: int) -> None:
    pods, homes = asked("Qwen/Qwen2.5-7B-Instruct")
    answer = search(pods[:4], homes[:1], Wish(goal="latency", load=replace(LOAD, clients=clients)))
    assert answer.winner is not None
    for judged in (answer.winner, *answer.front):
        figures = judged.figures
        assert judged.candidate.replicas <= clients
        assert figures.requests_per_second * figures.end_to_end_ms / 1000 == pytest.approx(clients)


def test_the_replicas_that_a_workload_has_are_tried() -> None:
    pods, homes = asked("Qwen/Qwen2.5-7B-Instruct")
    homes = [replace(homes[0], configured=6, most_replicas=7)]
    answer = search(pods[:2], homes, Wish(goal="latency", load=LOAD))
    assert answer.winner is not None
    assert answer.winner.candidate.replicas == 6


def test_a_budget_buys_the_replicas_that_answer_a_rate_soonest() -> None:
    pods, homes = asked("Qwen/Qwen2.5-7B-Instruct")
    wish = Wish(goal="latency", load=replace(LOAD, clients=None, rate=9.0))
    one = next(home for home in homes if home.shape.gpus == 1)
    few, many = (search(pods[:9], [one], replace(wish, budget_usd_hour=usd)).winner for usd in (3.0, 12.0))
    assert few is not None
    assert many is not None
    assert few.candidate.replicas < many.candidate.replicas
    assert answer_ms(many.figures, wish) < answer_ms(few.figures, wish)
    assert many.candidate.bill + one.usd_per_hour > 12.0


@pytest.mark.parametrize("goal", ["throughput", "cost"])
def test_no_other_is_better_in_all_than_the_winner_under_a_rate(goal: Any) -> None:
    """Tokens a second equal the rate, so that the goal leaves all open."""
    pods, homes = asked("meta-llama/Llama-3.1-8B-Instruct")
    wish = Wish(goal=goal, load=replace(LOAD, clients=None, rate=3.0, input_tokens=512, output_tokens=256))
    answer = search(pods, [replace(homes[0], most_replicas=3)], wish)
    assert answer.winner is not None
    best = answer.winner
    alike = [j for j in answer.front if j is not best and j.candidate.pod.quality == best.candidate.pod.quality]
    as_dear = [j for j in alike if j.candidate.bill == best.candidate.bill]
    worse = [j for j in as_dear if rank(wish, j)[0] == rank(wish, best)[0]]
    assert all(answer_ms(best.figures, wish) <= 1.005 * answer_ms(j.figures, wish) for j in worse)


MANY = replace(LOAD, clients=512)
GOALS = [
    replace(THROUGHPUT, goal="latency"),
    THROUGHPUT,
    replace(THROUGHPUT, goal="cost"),
    replace(THROUGHPUT, goal="throughput", budget_usd_hour=4.0),
    Wish(goal="cost", load=MANY, ttft_ms=1000.0, itl_ms=45.0),
    Wish(goal="throughput", load=MANY, ttft_ms=1000.0, itl_ms=45.0),
    Wish(goal="latency", load=MANY, budget_usd_hour=9.0),
    Wish(goal="throughput", load=MANY, budget_usd_hour=9.0),
    *(
        Wish(goal=goal, load=replace(LOAD, clients=None, rate=rate), ttft_ms=first)
        for goal in ("latency", "throughput", "cost")
        for rate, first in ((9.0, None), (30.0, 300.0))
    ),
]


@pytest.mark.parametrize("wish", GOALS, ids=[f"{wish.goal}-{index}" for index, wish in enumerate(GOALS)])
def test_the_winner_is_the_best_of_all_that_keep_the_wish(wish: Wish) -> None:
    """Every pod with every count of replicas up to the winner's, each judged for itself."""
    pods, homes = asked("Qwen/Qwen2.5-7B-Instruct")
    pods, homes = pods[::7], homes[:6:2]
    winner = search(pods, homes, wish).winner
    assert winner is not None
    many = wish.load.rate is not None or wish.load.clients == MANY.clients or wish.budget_usd_hour is not None
    counts = range(1, winner.candidate.replicas + 1) if many else (1, 2, 4)
    kept: list[Judged] = []
    for pod, home in places(pods, homes):
        for replicas in counts:
            candidate = Candidate(pod=pod, home=home, replicas=replicas)
            other, _ = estimated(candidate, wish, Pods(wish, remember=False))
            if ruled_out(candidate, wish) or other is None or missed(other.speed, wish, replicas):
                continue
            kept.append(other)
    best = min(kept, key=partial(rank, wish))
    assert rank(wish, winner)[0] == rank(wish, best)[0], describe(best.candidate)
    assert rank(wish, winner) <= rank(wish, best) or beats(winner, best), describe(best.candidate)


@pytest.mark.parametrize(
    ("gpu", "release", "why"),
    [
        ("nvidia-l4", "0.10.0", "an FP8 cache under the V0 engine was measured only over prefixes that were cached"),
        ("nvidia-l4", "0.8.5", "an FP8 cache under the V0 engine was measured only over prefixes that were cached"),
        ("nvidia-tesla-a100", None, "nobody measured an FP8 cache"),
    ],
)
def test_a_cache_that_a_rule_calls_slower_loses(gpu: str, release: str | None, why: str) -> None:
    shape = find_model("Qwen/Qwen2.5-7B-Instruct")
    assert shape is not None
    base = subject_of(Question(model=shape, engine="vllm", engine_version=release, accelerator=gpu, gpus=1))
    answer = search(pod_choices(base, (1,)), homes_of(gpu, "on-demand", "us-central1")[:1], THROUGHPUT)
    assert answer.winner is not None
    assert all("engine.kvCacheDtype" not in judged.candidate.pod.edit for judged in answer.front)
    lost = [r.reason for r in answer.rejected if "engine.kvCacheDtype" in r.candidate.pod.edit]
    assert any(why in reason for reason in lost)


def test_promises_and_limits_are_kept() -> None:
    wish = replace(THROUGHPUT, itl_ms=60.0, ttft_ms=2000.0, budget_usd_hour=3.0, quality="8bit")
    answer = search(*asked("Qwen/Qwen2.5-7B-Instruct"), wish)
    assert answer.front
    for judged in answer.front:
        assert judged.figures.itl_ms <= 60.0
        assert judged.figures.ttft_ms <= 2000.0
        assert judged.candidate.usd_per_hour <= 3.0
        assert judged.candidate.pod.quality in ("full", "8bit")


def test_a_budget_is_held_against_whole_machines() -> None:
    pods, homes = asked(gpu="nvidia-h100-80gb")
    one = [pod for pod in pods if pod.subject.layout.gpus == 1][:2]
    eight = [home for home in homes if home.shape.gpus == 8 and home.usd_per_hour is not None]
    assert eight
    answer = search(one, eight, replace(THROUGHPUT, budget_usd_hour=50.0))
    assert answer.winner is None
    assert "8g" in answer.rejected[0].reason
    shared = [replace(home, shared=True) for home in eight]
    assert search(one, shared, replace(THROUGHPUT, budget_usd_hour=50.0)).winner is not None


def test_of_machines_that_are_as_good_the_one_that_is_filled_wins() -> None:
    pods, homes = asked("Qwen/Qwen2.5-7B-Instruct")
    four = [pod for pod in pods if pod.subject.layout.gpus == 4][:2]
    by_cards = {count: next(home for home in homes if home.shape.gpus == count) for count in (8, 4)}
    answer = search(four, list(by_cards.values()), Wish(goal="latency", load=replace(LOAD, clients=1)))
    assert answer.winner is not None
    assert answer.winner.candidate.home is by_cards[4]


def test_replicas_carry_a_rate_that_one_cannot() -> None:
    pods, homes = asked("Qwen/Qwen2.5-7B-Instruct")
    wish = Wish(goal="cost", load=replace(LOAD, clients=None, rate=12.0), quality="full")
    winner = search(pods[:1], homes[:1], wish).winner
    assert winner is not None
    assert winner.candidate.replicas > 1
    alone = search(pods[:1], [replace(homes[0], most_replicas=1)], wish)
    assert alone.winner is None
    assert "1 replica does not keep up" in alone.rejected[0].reason


def test_a_wish_that_nothing_keeps_has_no_winner() -> None:
    answer = search(*asked(), replace(THROUGHPUT, itl_ms=0.5))
    assert answer.winner is None
    assert answer.front == ()


def test_every_pod_of_the_front_passes_the_one_judgement() -> None:
    for judged in search(*asked(), THROUGHPUT).front:
        assert judged.judgement.refusals == ()
        assert judged.judgement.fit is not None
        assert judged.judgement.fit.fits
