"""What a search answers: the winner, the front that it is on, and why everything else lost."""

from __future__ import annotations

from l4serve.advising.candidates import Candidate
from l4serve.advising.ranking import Judged, Wish, rank
from l4serve.config.frozen import frozen


@frozen(kw_only=True)
class Rejected:
    """A candidate that is no answer, and its one reason."""

    candidate: Candidate
    reason: str
    compared: bool = False
    """Whether it would do, and another is better."""


@frozen(kw_only=True)
class Unhoused:
    """A card that no machine offers as it was asked for, and why, with what to ask for instead."""

    accelerator: str
    reason: str


@frozen(kw_only=True)
class Answer:
    """The search's answer: the winner, the front that it is on, and why each other candidate lost."""

    winner: Judged | None
    front: tuple[Judged, ...]
    rejected: tuple[Rejected, ...]
    tried: int
    unhoused: tuple[Unhoused, ...] = ()
    """Cards of which there is no candidate at all."""
    refused: tuple[Rejected, ...] = ()
    """Of a stack: candidates before the winner in the goal's order that its plan or its file does not take; `rejected`
    has them too."""


def no_answer(*unhoused: Unhoused) -> Answer:
    """The answer where there is nothing to search."""
    return Answer(winner=None, front=(), rejected=(), tried=0, unhoused=unhoused)


def price_days(answer: Answer) -> str:
    """The days of the prices by which candidates were compared, such as `2026-08-03`; empty where none is known."""
    judged = (*answer.front, *([answer.winner] if answer.winner else ()))
    return ", ".join(sorted({each.candidate.home.price_date for each in judged if each.candidate.home.price_date}))


def ranked(answer: Answer, wish: Wish) -> list[Judged]:
    """The front in the order of the goal, the winner first."""
    return sorted(answer.front, key=lambda judged: (judged is not answer.winner, rank(wish, judged)))
