"""What is better: the axes of the front, the order that a goal puts on it, and why a candidate is behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from math import inf
from typing import Literal, get_args

from l4serve.advising.candidates import Candidate, table
from l4serve.advising.traffic import USUAL_TRAFFIC, Traffic
from l4serve.config.frozen import frozen
from l4serve.planning.performance.bounded_figures import Figures
from l4serve.planning.performance.load import Load
from l4serve.planning.performance.speed import Speed
from l4serve.planning.stack.speed_json import rounded
from l4serve.planning.values.figures import shown
from l4serve.planning.workload.judgement.judging import Judgement

DIGITS = 3
UNPRICED = 1e9
"""A price beyond every known one: what nobody knows the price of comes last."""

Goal = Literal["latency", "throughput", "cost"]
GOALS: tuple[Goal, ...] = get_args(Goal)
MANY_CLIENTS = 64
"""Clients of a load that only says that throughput or cost counts."""


def usual_clients(goal: Goal) -> int:
    """Clients that wait at once where nobody says how many."""
    return 1 if goal == "latency" else MANY_CLIENTS


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

    @cached_property
    def axes(self) -> tuple[float, ...]:
        """What a front is drawn over, the less the better: tokens/s, TTFT, ITL, price of a token, quality, as printed.

        Where no price is known the number of cards stands in for it, after every price that is known.
        """
        figures, price = self.figures, figure(self.usd_per_million)
        first, each = figure(figures.ttft_ms), figure(figures.itl_ms)
        return (
            -(figure(figures.output_tokens_per_second) or 0.0),
            inf if first is None else first,
            inf if each is None else each,
            inf if price is None else price,
            0.0 if price is not None else float(self.candidate.gpus),
            float(table()["quality"].index(self.candidate.pod.quality)),
        )

    @property
    def usd_per_million(self) -> float | None:
        """USD for a million tokens under the load."""
        return self.usd_per_million_at(self.figures.output_tokens_per_second)

    def usd_per_million_at(self, tokens: float | None) -> float | None:
        """USD for a million tokens where so many come in a second."""
        price = self.candidate.usd_per_hour
        return None if price is None or not tokens else price / (tokens * 3600) * 1e6


def figure(value: float | None) -> float | None:
    """A figure as it is compared and shown: three digits of those in the JSON, more than its bound leaves certain."""
    return None if value is None else float(f"{rounded(value):.{DIGITS}g}")


def front_of(kept: Sequence[Judged], winner: Judged | None = None) -> Iterator[Judged]:
    """The winner, and the candidates that no other beats or equals in everything; of equals the one whose machines cost
    least, then the one with the shortest edit."""
    ordered = sorted(kept, key=lambda j: (j.axes, j.candidate.bill or 0.0, len(j.candidate.edit)))
    front: list[Judged] = [] if winner is None else [winner]
    for judged in ordered:
        if not any(_no_worse(other.axes, judged.axes) for other in front):
            front.append(judged)
    yield from front


def _no_worse(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(a <= b for a, b in zip(one, other, strict=True))


def winner_of(kept: Sequence[Judged], wish: Wish) -> Judged | None:
    """The first in the order of the goal that nothing beats: two small cards may be better in everything than the large
    one that makes more tokens for each GPU."""
    ordered = sorted(kept, key=partial(rank, wish))
    return next((judged for judged in ordered if not any(beats(other, judged) for other in kept)), None)


def beats(one: Judged, other: Judged) -> bool:
    """Whether one is as good in everything that is printed, and better in something."""
    return one.axes != other.axes and _no_worse(one.axes, other.axes)


def rank(wish: Wish, judged: Judged) -> tuple[float, ...]:
    """The order that a goal puts on candidates, by the figures that are printed, and by what settles the rest."""
    return _measure(judged, wish), *_settling(judged, wish).values()


def _settling(judged: Judged, wish: Wish) -> Mapping[str, float]:
    """What settles an order that the goal leaves open, the first first. Tokens that are as many go to the cheapest of
    the quality that was asked for: whatever keeps up with a rate serves the same."""
    candidate = judged.candidate
    quality = {"quality": float(table()["quality"].index(candidate.pod.quality))}
    bill = {"the price of its machines": UNPRICED * candidate.gpus if candidate.bill is None else candidate.bill}
    first = {**bill, **quality} if wish.goal == "throughput" else {**quality, **bill}
    return {**first, "a whole answer": answer_ms(judged.figures, wish), "a short edit": float(len(candidate.edit))}


def _measure(judged: Judged, wish: Wish) -> float:
    if wish.goal == "latency":
        return answer_ms(judged.figures, wish)
    if wish.goal == "throughput":
        return -per_scope(judged, wish)[0]
    price = figure(judged.usd_per_million)
    if price is not None:
        return price
    return UNPRICED * judged.candidate.gpus / (figure(judged.figures.output_tokens_per_second) or 1 / UNPRICED)


def answer_ms(figures: Figures, wish: Wish) -> float:
    """Milliseconds of a whole answer as printed; of one of the asked length where the mean of all is not judged."""
    if figures.end_to_end_ms is not None:
        return figure(figures.end_to_end_ms) or 0.0
    first, each = figure(figures.ttft_ms) or 0.0, figure(figures.itl_ms) or 0.0
    return figure(first + each * max(0, wish.load.output_tokens - 1)) or 0.0


def loser(judged: Judged, front: Sequence[Judged]) -> str:
    for other in front:
        if _no_worse(other.axes, judged.axes):
            return f"nothing about it is better than {describe(other.candidate)}"
    return "another is better in everything"


def behind(judged: Judged, winner: Judged | None, wish: Wish) -> str:
    assert winner is not None, "a front has a winner"
    measure = {"latency": "a whole answer", "throughput": "tokens a second", "cost": "the price of a token"}[wish.goal]
    if _measure(judged, wish) != _measure(winner, wish):
        return f"on the front, and behind in {measure}: {measured(judged, wish)} against {measured(winner, wish)}"
    theirs = _settling(winner, wish)
    behind_in = (name for name, one in _settling(judged, wish).items() if one > theirs[name])
    settled = next(behind_in, "all else together")
    return f"on the front, as good in {measure}, and behind in {settled}"


def measured(judged: Judged, wish: Wish) -> str:
    """What a goal counts of a candidate, as printed."""
    if wish.goal == "latency":
        return f"{shown(answer_ms(judged.figures, wish))} ms"
    if wish.goal == "throughput":
        tokens, scope = per_scope(judged, wish)
        return f"{shown(tokens)} tokens a second{scope}"
    cost = figure(judged.usd_per_million)
    return "no known price" if cost is None else f"{shown(cost)} USD per million tokens"


def per_scope(judged: Judged, wish: Wish) -> tuple[float, str]:
    """Tokens a second as the goal of throughput counts them, and of what: of a GPU; with a budget or a rate, of all."""
    tokens = figure(judged.figures.output_tokens_per_second) or 0.0
    if wish.budget_usd_hour is not None or wish.load.rate is not None:
        return tokens, ""
    return figure(tokens / judged.candidate.gpus) or 0.0, " a GPU"


def describe(candidate: Candidate) -> str:
    """A candidate in a few words: its edit and where it runs."""
    edit: Mapping[str, object] = {k: v for k, v in candidate.edit.items() if k != "gpus"}
    told = (f"{key.removeprefix('engine.')} {'unset' if value is None else value}" for key, value in edit.items())
    written = ", ".join(told) or "as it is"
    return f"{written}; {candidate.replicas} x {candidate.pod.subject.layout.gpus} GPU on {candidate.home.shape.name}"
