"""At a rate all that keep up serve the same tokens, and the goal of throughput is settled by what is paid."""

from dataclasses import replace
from functools import cache

import pytest

from l4serve.advising.advice_json import reasons
from l4serve.advising.answer import Answer
from l4serve.advising.candidates import table
from l4serve.advising.ranking import Judged, Wish, figure
from l4serve.advising.search import search
from l4serve.planning.performance.load import Load
from tests.advising.test_search import asked

LOAD = Load(input_tokens=512, output_tokens=256, rate=4.0)
MODEL, CARDS = "mistralai/Mistral-7B-v0.3", ("nvidia-l4", "nvidia-h100-80gb")
SPREADS = pytest.mark.parametrize("spread", [0.0, 0.6, 1.0])


@cache
def answered(spread: float, quality: str, budget: float | None) -> Answer:
    found = [asked(MODEL, card) for card in CARDS]
    return search(
        [pod for pods, _ in found for pod in pods[::3]],
        [home for _, homes in found for home in homes],
        wish_of(spread, quality, budget),
    )


def wish_of(spread: float, quality: str, budget: float | None) -> Wish:
    load = replace(LOAD, input_spread=spread, output_spread=spread)
    return Wish(goal="throughput", load=load, quality=quality, budget_usd_hour=budget)


@SPREADS
def test_whatever_keeps_up_serves_the_same_tokens(spread: float) -> None:
    front = answered(spread, "4bit", None).front
    assert len({judged.candidate.home.shape.accelerator for judged in front}) == len(CARDS)
    assert len({figure(judged.figures.output_tokens_per_second) for judged in front}) == 1


@SPREADS
@pytest.mark.parametrize("quality", ["4bit", "full"])
@pytest.mark.parametrize("budget", [None, 100.0])
def test_the_cheapest_of_the_quality_that_was_asked_for_wins(spread: float, quality: str, budget: float | None) -> None:
    answer = answered(spread, quality, budget)
    order = table()["quality"]

    def paid(judged: Judged) -> tuple[float, int]:
        assert judged.candidate.bill is not None
        return judged.candidate.bill, order.index(judged.candidate.pod.quality)

    assert answer.winner is not None
    assert paid(answer.winner) == min(map(paid, answer.front))
    told = reasons(answer, wish_of(spread, quality, budget))[0]
    assert told.endswith("tokens a second, as many as come, for the least of all that keep the wish")
