"""A measured point, as a question that `l4serve estimate` takes. Those of each card are in a module of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from l4serve.planning.performance.kernel_rates import KernelRates
from l4serve.planning.performance.load import Load
from l4serve.planning.performance.speed import Speed
from l4serve.planning.workload.judgement.fit_question import Question, subject_of
from l4serve.planning.workload.judgement.judging import judge
from l4serve.planning.workload.judgement.speed_question import subject_speed

FOLDER = Path(__file__).parent
Metric = Literal["itl", "ttft", "tokens"]
METRICS: tuple[Metric, ...] = ("itl", "ttft", "tokens")
SATURATED_ABOVE = 64
"""Clients from which tokens a second are what the engine can do, and no matter of who asks."""


@dataclass(frozen=True)
class Point:
    """One measurement: what was asked, and the figures that were read, in milliseconds and tokens a second."""

    id: str
    group: str
    source: str
    family: str
    """Points of one family share host, model and harness: constants for it are settled without any of them."""
    question: Question
    load: Load
    measured: Mapping[Metric, float]
    row: Mapping[str, Any]
    own_bound: bool = False
    """Whether the answer's own bound is asked, which cases and queues widen, in place of its card's."""
    at_once: bool = False
    """Whether the requests were sent at once and timed until the last was answered: tokens a second are of that."""

    @property
    def saturated(self) -> bool:
        """Whether more clients asked than the engine could serve at once."""
        return (self.load.clients or 0) >= SATURATED_ABOVE


def predicted(point: Point, rates: KernelRates | None = None) -> Speed:
    """The model's answer for a point."""
    subject = subject_of(point.question)
    judgement = judge(subject)
    speed = subject_speed(subject, judgement, point.load, rates)
    if not point.at_once:
        return speed
    once = subject_speed(subject, judgement, replace(point.load, burst=True), rates)
    made = once.figures.output_tokens_per_second
    return replace(speed, figures=replace(speed.figures, output_tokens_per_second=made))


def figures(speed: Speed) -> dict[Metric, float | None]:
    """The answer's figures by metric."""
    found = speed.figures
    return {"itl": found.itl_ms, "ttft": found.ttft_ms, "tokens": found.output_tokens_per_second}


def rows(name: str) -> list[dict[str, Any]]:
    """The rows of a file of points."""
    return [json.loads(line) for line in (FOLDER / name).read_text("utf-8").splitlines()]
