"""What is better: the axes of the front, the order that a goal puts on it, and why a candidate is behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from l4serve.advising.candidates import Candidate, table
from l4serve.advising.traffic import USUAL_TRAFFIC, Traffic
from l4serve.config.frozen import frozen
from l4serve.planning.performance.load import Load
from l4serve.planning.performance.speed import Figures, Speed
from l4serve.planning.workload.judging import Judgement

Goal = Literal["latency", "throughput", "cost"]


@frozen(kw_only=True)
class Wish:
    """What is asked of the advisor: a goal, a load on all replicas together, and what an answer must keep."""

    goal: Goal
    load: Load
    ttft_ms: float | None = None
    itl_ms: float | None = None
    budget_usd_hour: float | None = None
    quality: str = "4bit"
    """The worst class of quality that is taken."""
    traffic: Traffic = USUAL_TRAFFIC
    """Of a rate: whom a promise holds for, and how the rate may grow."""


@frozen(kw_only=True)
class Judged:
    """A candidate that was judged and estimated. Figures are of all replicas together."""

    candidate: Candidate
    judgement: Judgement
    speed: Speed
    """Of one replica, under its part of the load."""
    times: float
    """How many times that part the load is."""
    figures: Figures

    @property
    def usd_per_million(self) -> float | None:
        """USD for a million tokens under the load."""
        tokens, price = self.figures.output_tokens_per_second, self.candidate.usd_per_hour
        return None if price is None or not tokens else price / (tokens * 3600) * 1e6


def axes_of(judged: Judged) -> tuple[float, ...]:
    """What a front is drawn over, the less the better: tokens/s, TTFT, ITL, price of a token to three figures (machines
    of one family differ by rounding), quality."""
    figures = judged.figures
    infinite = float("inf")
    return (
        -(figures.output_tokens_per_second or 0.0),
        figures.ttft_ms if figures.ttft_ms is not None else infinite,
        figures.itl_ms if figures.itl_ms is not None else infinite,
        float(f"{judged.usd_per_million:.3g}") if judged.usd_per_million is not None else float(judged.candidate.gpus),
        float(table()["quality"].index(judged.candidate.pod.quality)),
    )


def front_of(kept: Sequence[Judged], winner: Judged | None = None) -> Iterator[Judged]:
    """The winner, and the candidates that no other beats or equals in everything; of equals the one whose machines cost
    least, then the one with the shortest edit."""
    ordered = sorted(kept, key=lambda j: (axes_of(j), j.candidate.bill or 0.0, len(j.candidate.edit)))
    front: list[Judged] = [] if winner is None else [winner]
    for judged in ordered:
        axes = axes_of(judged)
        if not any(all(a <= b for a, b in zip(axes_of(other), axes, strict=True)) for other in front):
            front.append(judged)
    yield from front


def rank(wish: Wish, judged: Judged) -> tuple[float, ...]:
    """The order that a goal puts on candidates; what it leaves open is settled by quality, by what is paid for whole
    machines, by the time of an answer and by a short edit.

    A token's price counts to four figures: machines of one family differ by rounding.
    """
    figures, candidate = judged.figures, judged.candidate
    tokens = figures.output_tokens_per_second or 1e-9
    price = candidate.usd_per_hour if candidate.usd_per_hour is not None else float(candidate.gpus)
    if wish.goal == "latency":
        best = answer_ms(figures, wish)
    elif wish.goal == "throughput":
        best = -per_scope(judged, wish)[0]
    else:
        best = float(f"{price / tokens:.4g}")
    paid = price if candidate.bill is None else candidate.bill
    quality, answer = float(table()["quality"].index(candidate.pod.quality)), float(f"{answer_ms(figures, wish):.3g}")
    return best, quality, paid, answer, float(len(candidate.edit))


def answer_ms(figures: Figures, wish: Wish) -> float:
    """Milliseconds of a whole answer: its first token, and each one after it."""
    return (figures.ttft_ms or 0.0) + (figures.itl_ms or 0.0) * max(0, wish.load.output_tokens - 1)


def loser(judged: Judged, front: Sequence[Judged]) -> str:
    axes = axes_of(judged)
    for other in front:
        if all(a <= b for a, b in zip(axes_of(other), axes, strict=True)):
            return f"nothing about it is better than {describe(other.candidate)}"
    return "another is better in everything"


def behind(judged: Judged, winner: Judged | None, wish: Wish) -> str:
    assert winner is not None, "a front has a winner"
    measure = {"latency": "a whole answer", "throughput": "tokens a second", "cost": "the price of a token"}[wish.goal]
    return f"on the front, and behind in {measure}: {_measured(judged, wish)} against {_measured(winner, wish)}"


def _measured(judged: Judged, wish: Wish) -> str:
    if wish.goal == "latency":
        return f"{rank(wish, judged)[0]:,.0f} ms"
    if wish.goal == "throughput":
        tokens, scope = per_scope(judged, wish)
        return f"{tokens:,.0f}{scope}"
    cost = judged.usd_per_million
    return "no known price" if cost is None else f"{cost:.2f} USD a million"


def per_scope(judged: Judged, wish: Wish) -> tuple[float, str]:
    """Tokens a second as the goal of throughput counts them, and of what: of a GPU, or with a budget of all."""
    tokens = judged.figures.output_tokens_per_second or 0.0
    return (tokens, "") if wish.budget_usd_hour is not None else (tokens / judged.candidate.gpus, " a GPU")


def describe(candidate: Candidate) -> str:
    """A candidate in a few words: its edit and where it runs."""
    edit: Mapping[str, object] = {k: v for k, v in candidate.pod.edit.items() if k != "gpus"}
    written = ", ".join(f"{key.removeprefix('engine.')} {value}" for key, value in edit.items()) or "as it is"
    return f"{written}; {candidate.replicas} x {candidate.pod.subject.layout.gpus} GPU on {candidate.home.shape.name}"
