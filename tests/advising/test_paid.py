"""Cards of a machine that idle are paid, beside those that are used: the same pods run where that is least."""

from typing import Any

import pytest

from l4serve.advising.ranking import Wish
from l4serve.advising.search import search
from l4serve.cli.commands.advise_space import Space
from l4serve.planning.performance.load import Load

CHAT: dict[str, Any] = {"input_tokens": 512, "output_tokens": 256}
WISHES = [
    Wish(goal=goal, load=Load(**CHAT, **asked))
    for goal in ("latency", "throughput", "cost")
    for asked in ({"clients": 1}, {"clients": 16}, {"rate": 3.0})
]


@pytest.mark.parametrize("wish", WISHES, ids=[f"{wish.goal}, {wish.load.told}" for wish in WISHES])
def test_no_pod_wins_on_a_machine_where_more_is_paid_for_the_same_figures(wish: Wish) -> None:
    """A card of `a2-megagpu-16g` has the lowest price, but is sold with fifteen others."""
    space = Space("google/gemma-7b", ("nvidia-tesla-a100",), None, ("vllm",), None, "on-demand", "us-central1")
    pods, homes = space.candidates()
    pods = [pod for pod in pods if not {"engine.maxNumSeqs", "engine.maxNumBatchedTokens"} & pod.edit.keys()]
    winner = search(pods, homes, wish).winner
    assert winner is not None
    assert winner.candidate.bill == pytest.approx(winner.candidate.usd_per_hour)
    tokens = winner.figures.output_tokens_per_second
    assert tokens is not None
    assert winner.usd_per_million == pytest.approx(winner.candidate.bill / (tokens * 3600) * 1e6)


def test_the_dearer_machine_of_the_same_pods_is_rejected_by_what_is_paid() -> None:
    space = Space("google/gemma-7b", ("nvidia-tesla-a100",), None, ("vllm",), None, "on-demand", "us-central1")
    pods, homes = space.candidates()
    answer = search(pods[:1], homes, Wish(goal="cost", load=Load(**CHAT, clients=1)))
    told = {each.candidate.home.shape.name: each.reason for each in answer.rejected}
    assert "paid less for" in told["a2-megagpu-16g"]
    assert all(judged.candidate.home.shape.name != "a2-megagpu-16g" for judged in answer.front)
