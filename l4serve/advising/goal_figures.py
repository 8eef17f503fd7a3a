"""The figure of an edited workload that a goal of the guide's checklist makes small."""

from __future__ import annotations

from l4serve.planning.workload.judgement.judging import Judgement
from l4serve.planning.workload.judgement.prospect import Prospect
from l4serve.planning.workload.judgement.speed_question import subject_speed
from l4serve.planning.workload.judgement.subject import Subject


def goal_figure(prospect: Prospect, goal: str, subject: Subject, judgement: Judgement) -> float | str:
    """For latency the milliseconds of one user's whole answer, else the seconds of a token at a full batch, which are
    also what a token costs while the price is the same; or why nobody knows."""
    clients = 1 if goal == "latency" else prospect.places
    speed = subject_speed(subject, judgement, prospect.load_of(clients))
    unknown = "; ".join(speed.not_judged) or "its speed is not known"
    if not speed.judged:
        return unknown
    if goal == "latency":
        return speed.figures.end_to_end_ms or unknown
    tokens = speed.figures.output_tokens_per_second
    return 1 / tokens if tokens else unknown
