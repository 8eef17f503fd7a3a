"""Nothing that costs no more than the winner is better, whatever else is asked beside it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from l4serve.advising.budget import ROUNDING, bought
from l4serve.advising.candidates import Candidate
from l4serve.advising.known_pods import Pods
from l4serve.advising.ranking import Judged, Wish, describe, rank
from l4serve.advising.search import estimated, places, ruled_out, search
from l4serve.advising.sizing import missed
from l4serve.advising.stack_advice import write_advice
from l4serve.planning.performance.load import Load, spread_as_asked
from tests.advising.test_autopilot_advice import planned, stack
from tests.advising.test_search import asked

MANY = Load(input_tokens=1024, output_tokens=256, clients=200)
FEW = replace(MANY, input_tokens=256, clients=24)
LATENCY = Wish(goal="latency", load=MANY)
TIGHTER: tuple[dict[str, Any], ...] = (
    {"itl_ms": 60.0},
    {"itl_ms": 25.0},
    {"ttft_ms": 400.0},
    {"budget_usd_hour": 25.0},
    {"budget_usd_hour": 6.0, "itl_ms": 60.0},
)


def won(wish: Wish, model: str = "Qwen/Qwen2.5-3B-Instruct") -> Judged:
    pods, homes = asked(model)
    winner = search(pods[::3], homes, wish).winner
    assert winner is not None
    return winner


@pytest.mark.parametrize("load", [MANY, FEW], ids=["many", "few"])
@pytest.mark.parametrize("goal", ["latency", "cost"])
def test_a_tighter_wish_gives_no_winner_that_is_both_better_and_no_dearer(goal: Any, load: Load) -> None:
    wish = Wish(goal=goal, load=load)
    loose = won(wish)
    for tighter in TIGHTER:
        tight = won(replace(wish, **tighter))
        dearer = tight.candidate.bill > loose.candidate.bill * (1 + ROUNDING)
        assert dearer or rank(wish, tight)[0] >= rank(wish, loose)[0], (tighter, describe(tight.candidate))


@pytest.mark.slow
@given(
    st.sampled_from([(64, 32), (128, 128), (1024, 128)]),
    st.sampled_from([2.0, 20.0, 60.0]),
    st.sampled_from([0.0, 0.6]),
    st.sampled_from(["Qwen/Qwen2.5-1.5B-Instruct", "meta-llama/Llama-3.1-8B-Instruct"]),
)
@example((128, 128), 60.0, 0.0, "meta-llama/Llama-3.1-8B-Instruct")
@settings(max_examples=1, deadline=None)
def test_at_a_rate_what_the_winner_costs_or_less_buys_no_faster_answer(
    lengths: tuple[int, int], rate: float, spread: float, model: str
) -> None:
    """With as many replicas as the winner has, a pod of fewer cards has a part of its money."""
    load = Load(input_tokens=lengths[0], output_tokens=lengths[1], rate=rate)
    wish = Wish(goal="latency", load=spread_as_asked(load, spread))
    pods, homes = asked(model)
    pods = [pod for pod in pods if "model.id" in pod.edit][::4]
    loose = search(pods, homes, wish).winner
    assert loose is not None
    bill, first = loose.candidate.bill, loose.figures.ttft_ms
    assert bill is not None
    assert first is not None
    promised = replace(wish, ttft_ms=0.9 * first)
    for tighter in (promised, *(replace(wish, budget_usd_hour=part * bill) for part in (1.0, 0.7))):
        tight = search(pods, homes, tighter).winner
        if tight is not None and (tight.candidate.bill or 0.0) <= bill * (1 + ROUNDING):
            assert rank(wish, tight)[0] >= rank(wish, loose)[0], describe(tight.candidate)


@pytest.mark.parametrize("asks", [{}, *TIGHTER[:2]], ids=["nothing", "loose", "tight"])
def test_no_pod_that_the_winner_s_money_buys_is_better_than_the_winner(asks: dict[str, Any]) -> None:
    wish = replace(LATENCY, **asks)
    pods, homes = asked("Qwen/Qwen2.5-3B-Instruct")
    winner = search(pods[::2], homes[::2], wish).winner
    assert winner is not None
    known = Pods(wish, remember=True)
    for pod, home in places(pods[::2], homes[::2]):
        count = bought(Candidate(pod=pod, home=home, replicas=1), winner.candidate.bill)
        candidate = Candidate(pod=pod, home=home, replicas=min(count or 0, MANY.clients or 0))
        if not candidate.replicas or ruled_out(candidate, wish):
            continue
        other, _ = estimated(candidate, wish, known)
        if other is not None and missed(other.speed, wish, candidate.replicas) is None:
            assert rank(wish, winner)[0] <= rank(wish, other)[0], describe(candidate)


@pytest.mark.parametrize("goal", ["throughput", "cost"])
def test_no_other_number_of_the_winner_s_replicas_is_better(goal: Any) -> None:
    """Three replicas have 100 of 300 clients each, whose steps the host launches as graphs; two and four are slower."""
    wish = Wish(goal=goal, load=spread_as_asked(Load(input_tokens=64, output_tokens=32, clients=300), 0.4))
    pods, homes = asked("Qwen/Qwen3-30B-A3B-GPTQ-Int4", "nvidia-rtx-pro-6000")
    winner = search(pods[:9], homes[:1], wish).winner
    assert winner is not None
    assert winner.candidate.replicas == 3
    known = Pods(wish, remember=True)
    for count in range(1, 9):
        other, _ = estimated(replace(winner.candidate, replicas=count), wish, known)
        assert other is not None
        assert rank(wish, winner)[0] <= rank(wish, other)[0], describe(other.candidate)


def test_a_replica_less_would_leave_some_replica_with_more_clients() -> None:
    """Of 200 clients the 35 replicas that 25 USD pay have six at most, and so have 34."""
    winner = won(replace(LATENCY, budget_usd_hour=25.0)).candidate
    assert -(-MANY.clients // (winner.replicas - 1)) > -(-MANY.clients // winner.replicas)


@pytest.mark.parametrize("asks", [{}, {"itl_ms": 60.0}, {"budget_usd_hour": 25.0}], ids=["nothing", "itl", "budget"])
def test_what_is_written_once_is_the_answer_the_second_time(asks: dict[str, Any]) -> None:
    wish = replace(LATENCY, **asks)
    first = stack(replicas=1)
    once = write_advice(first, planned(first).workloads[0], wish, planned).text
    assert once != first
    assert write_advice(once, planned(once).workloads[0], wish, planned).text == once
