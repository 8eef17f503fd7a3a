"""Errors of estimates against the measured points, and whether they rank configurations as measurements do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import inf
from statistics import median

from benchmarks.performance.points import Metric, Point, predicted
from l4serve.planning.performance.bounded_figures import UNKNOWN
from l4serve.planning.performance.card_speeds import all_card_speeds, bound_of

Answers = Mapping[str, Mapping[Metric, float | None]]
CLOSE = 0.05
"""Measurements that differ by less are not ranked."""
FIELDS: Mapping[Metric, str] = {"itl": "itl_ms", "ttft": "ttft_ms", "tokens": "output_tokens_per_second"}
NAMES = {"itl": "time of a token", "ttft": "first token", "tokens": "tokens/s"}


@dataclass(frozen=True)
class Errors:
    """Relative errors without their sign, and the pairs that were ranked."""

    answered: int
    asked: int
    median: float | None
    p90: float | None
    ranked: int
    pairs: int

    @property
    def rank_share(self) -> float | None:
        """The part of the pairs that were ranked as measured."""
        return self.ranked / self.pairs if self.pairs else None


def relative(point: Point, metric: Metric, answers: Answers) -> float | None:
    """(predicted - measured) / measured; None where either is missing."""
    said, measured = answers.get(point.id, {}).get(metric), point.measured.get(metric)
    return None if said is None or not measured else said / measured - 1


def errors(points: Sequence[Point], metric: Metric, answers: Answers) -> Errors:
    """One metric's errors over the points that have it."""
    asked = [point for point in points if metric in point.measured]
    found = sorted(abs(e) for point in asked if (e := relative(point, metric, answers)) is not None)
    right, pairs = _ranked(asked, metric, answers)
    return Errors(
        answered=len(found),
        asked=len(asked),
        median=median(found) if found else None,
        p90=found[min(len(found) - 1, int(0.9 * len(found)))] if found else None,
        ranked=right,
        pairs=pairs,
    )


def coverage(points: Sequence[Point], metric: Metric, answers: Answers) -> tuple[int, int]:
    """Measured figures that lie within the bound of what was said of them, and all of which something was said."""
    inside = found = 0
    for point in points:
        said, measured = answers.get(point.id, {}).get(metric), point.measured.get(metric)
        if said is None or measured is None:
            continue
        low, high = _edges(point, metric, said)
        found += 1
        inside += low <= measured <= high
    return inside, found


def _edges(point: Point, metric: Metric, said: float) -> tuple[float, float]:
    """The bound of what was said of a point, or that of the model as it is, which follows the queue and the case."""
    if point.own_bound:
        speed = predicted(point)
        low, high = (getattr(edge, FIELDS[metric]) for edge in (speed.low, speed.high))
        return low, inf if high is None else high
    bound = bound_of(all_card_speeds()[point.question.accelerator], point.question.gpus)
    figures = replace(UNKNOWN, **{FIELDS[metric]: said})
    low, high = (getattr(figures.bounded(bound, side), FIELDS[metric]) for side in (-1, 1))
    return low, high


def _ranked(points: Iterable[Point], metric: Metric, answers: Answers) -> tuple[int, int]:
    """Pairs of one source that differ, and those of them that are ranked as they were measured."""
    right = pairs = 0
    for one, other in combinations(points, 2):
        first, second = one.measured[metric], other.measured[metric]
        if one.source != other.source or max(first, second) / min(first, second) - 1 <= CLOSE:
            continue
        mine, theirs = (answers.get(point.id, {}).get(metric) for point in (one, other))
        if mine is None or theirs is None:
            continue
        pairs += 1
        right += (mine < theirs) == (first < second) and mine != theirs
    return right, pairs
