"""What is printed of a front beats no other member, in JSON as in the table, and the winner is on it."""

from dataclasses import replace
from functools import cache
from itertools import permutations
from typing import Any

import pytest

from l4serve.advising.advice_json import answer_json, reasons
from l4serve.advising.answer import Answer
from l4serve.advising.candidates import pod_choices
from l4serve.advising.homes import homes_of
from l4serve.advising.ranking import Wish, beats, rank
from l4serve.advising.search import search
from l4serve.cli.answers.advice_text import advice_page
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.performance.load import Load
from l4serve.planning.workload.judgement.fit_question import Question, subject_of
from tests.advising.test_search import asked

CHAT = Load(input_tokens=512, output_tokens=256, clients=64)
WISHES = [
    *(Wish(goal=goal, load=CHAT) for goal in ("latency", "throughput", "cost")),
    Wish(goal="cost", load=replace(CHAT, clients=None, rate=9.0)),
    Wish(goal="throughput", load=replace(CHAT, clients=600)),
    Wish(goal="latency", load=replace(CHAT, clients=1)),
]
QUALITY = ["full", "8bit", "4bit"]


@cache
def answered(wish: Wish) -> Answer:
    shape = find_model("Qwen/Qwen2.5-7B-Instruct")
    assert shape is not None
    base = subject_of(Question(model=shape, engine="vllm", engine_version=None, accelerator="nvidia-l4", gpus=1))
    return search(pod_choices(base, (1, 2, 4)), homes_of("nvidia-l4", "on-demand", "us-central1"), wish)


def in_json(judged: dict[str, Any]) -> tuple[float, ...]:
    found = judged["estimate"]
    less_is_better = (found["ttftMs"], found["itlMs"], found["usdPerMillionOutputTokens"])
    return (-found["outputTokensPerSecond"], *less_is_better, QUALITY.index(judged["quality"]))


def in_table(page: str) -> list[tuple[float, ...]]:
    """The rows of a front, whose cells the terminal shares with the page."""
    front = page.split("<h2>Front</h2>")[1].split("</table>")[0]
    rows = [row.split("<td>")[2:] for row in front.split("<tr>")[2:]]
    numbers = [[float(cell.removesuffix(" ms").replace(",", "")) for cell in cells[:4]] for cells in rows]
    return [
        (first, each, -tokens, price, QUALITY.index(cells[4].split("<")[0]))
        for (first, each, tokens, price), cells in zip(numbers, rows, strict=True)
    ]


def beaten(rows: list[tuple[float, ...]]) -> list[tuple[Any, Any]]:
    return [
        (one, other)
        for one, other in permutations(rows, 2)
        if one != other and all(a <= b for a, b in zip(one, other, strict=True))
    ]


@pytest.mark.parametrize("wish", WISHES, ids=[f"{each.goal}-{index}" for index, each in enumerate(WISHES)])
def test_no_member_of_a_front_is_beaten_by_another_as_printed(wish: Wish) -> None:
    answer = answered(wish)
    document = answer_json(answer, wish)
    assert not beaten([in_json(judged) for judged in document["front"]])
    rows = in_table(advice_page(answer, wish))
    assert len(rows) == len(answer.front)
    assert not beaten(rows)
    assert len(set(rows)) == len(rows)


@pytest.mark.parametrize(
    ("model", "clients", "spread"), [("microsoft/phi-4", 2, 0.8), ("mistralai/Mistral-7B-v0.3", 300, 0.0)]
)
def test_a_winner_is_not_beaten_by_more_of_another_card(model: str, clients: int, spread: float) -> None:
    """A large card makes most of all for each GPU; two small ones may make more for less money, and sooner."""
    load = Load(input_tokens=2000, output_tokens=50, clients=clients, input_spread=spread, output_spread=spread)
    wish = Wish(goal="throughput", load=load)
    found = [asked(model, card) for card in ("nvidia-a100-80gb", "nvidia-tesla-a100")]
    pods = [pod for choices, _ in found for pod in choices[::3]]
    answer = search(pods, [home for _, homes in found for home in homes], wish)
    assert answer.winner is not None
    assert not beaten([in_json(judged) for judged in answer_json(answer, wish)["front"]])
    assert rank(wish, answer.winner) == min(rank(wish, judged) for judged in answer.front)
    assert reasons(answer, wish)[0].endswith("tokens a second a GPU, the most of the front")


@pytest.mark.parametrize("wish", WISHES, ids=[f"{each.goal}-{index}" for index, each in enumerate(WISHES)])
def test_no_other_is_as_good_by_the_goal_and_beats_the_winner(wish: Wish) -> None:
    answer = answered(wish)
    assert answer.winner in answer.front
    alike = [j for j in answer.front if rank(wish, j)[0] == rank(wish, answer.winner)[0]]
    assert not any(beats(judged, answer.winner) for judged in alike)
    for reason in (rejected.reason for rejected in answer.rejected if " against " in rejected.reason):
        ours, theirs = reason.split(": ")[1].split(" against ")
        assert ours != theirs
