"""Settles the model's constants from measured points, and judges each family of points by constants that never saw it.

Each constant starts from a figure that its source states and moves as far as the points ask, against a pull back to
where it began: a ridge regression on the logarithms, so that what few points speak of stays near its physical start.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log
from pathlib import Path
from typing import Any

import numpy as np
from pydantic.alias_generators import to_camel

from benchmarks.performance.points import Metric, Point, figures, predicted
from l4serve.config.data_file import read_data
from l4serve.planning.performance import kernel_rates as module
from l4serve.planning.performance.kernel_rates import KernelRates, kernel_rates

TABLE = Path(module.__file__).parent / "data" / "kernels.yaml"
Key = Callable[[Point], str]
STEP = 0.03
ROUNDS = 2
PULL: Mapping[str, float] = {"read": 0.05, "compute": 0.2, "flash": 0.1, "flashinfer": 0.08}
"""How far, as a logarithm, a constant of a kind may be expected to lie from its start; 0.2 for the others."""
NOISE: Mapping[Metric, float] = {"itl": 0.03, "ttft": 0.12, "tokens": 0.05}
"""What a measurement of each metric may be off by itself: power, host and the harness."""


@dataclass(frozen=True)
class Evidence:
    """What the points say around a set of constants: errors as logarithms, and how each moves with each constant."""

    names: tuple[str, ...]
    at: KernelRates
    errors: np.ndarray
    slopes: np.ndarray
    weights: np.ndarray
    points: tuple[Point, ...]


def starts() -> tuple[tuple[str, ...], KernelRates]:
    """The names of the constants that are fitted, and all of them where they start."""
    table = read_data(TABLE)["constants"]
    own = kernel_rates()
    begun: dict[str, Any] = {
        field: row["start"] for field, row in zip(own.__dataclass_fields__, _rows(table), strict=True)
    }
    fitted = [
        field for field, row in zip(own.__dataclass_fields__, _rows(table), strict=True) if row.get("fitted", True)
    ]
    return tuple(fitted), KernelRates(**{name: float(value) for name, value in begun.items()})


def _rows(table: Mapping[str, Mapping[str, object]]) -> Iterable[Mapping[str, object]]:
    return (table[to_camel(name)] for name in KernelRates.__dataclass_fields__)


def evidence(points: Sequence[Point], at: KernelRates, names: Sequence[str]) -> Evidence:
    """The points' errors at these constants and their slopes, by moving each constant a little."""
    rows: list[tuple[Point, Metric]] = [(point, metric) for point in points for metric in point.measured]
    base = _logs(points, at)
    moved = {name: _logs(points, replace(at, **{name: getattr(at, name) * (1 + STEP)})) for name in names}
    errors = np.array([log(point.measured[metric]) - base[point.id, metric] for point, metric in rows])
    slopes = np.array(
        [[(moved[name][point.id, metric] - base[point.id, metric]) / log(1 + STEP) for name in names]
         for point, metric in rows]
    )  # fmt: skip
    shared = {point.family: sum(other.family == point.family for other in points) for point in points}
    weights = np.array([1 / (NOISE[metric] * shared[point.family] ** 0.5) for point, metric in rows])
    return Evidence(tuple(names), at, errors, slopes, weights, tuple(point for point, _ in rows))


def _logs(points: Sequence[Point], rates: KernelRates) -> dict[tuple[str, Metric], float]:
    found = {}
    for point in points:
        answer = figures(predicted(point, rates))
        for metric in point.measured:
            value = answer[metric]
            assert value is not None, f"{point.group} {metric} is not judged"
            found[point.id, metric] = log(value)
    return found


def settle(found: Evidence, begun: KernelRates, *, without: frozenset[str] = frozenset()) -> KernelRates:
    """The constants that the evidence asks for, against the pull to their start; ids in `without` are not heard."""
    heard = np.array([point.id not in without for point in found.points])
    slopes = found.slopes[heard] * found.weights[heard][:, None]
    errors = found.errors[heard] * found.weights[heard]
    away = np.array([log(getattr(begun, name) / getattr(found.at, name)) for name in found.names])
    pull = np.array([1 / _reach(name) for name in found.names])
    left = slopes.T @ slopes + np.diag(pull**2)
    step = np.linalg.solve(left, slopes.T @ errors + pull**2 * away)
    step = np.clip(step, -0.5, 0.5)
    moves = {
        name: getattr(found.at, name) * float(np.exp(value)) for name, value in zip(found.names, step, strict=True)
    }
    return replace(found.at, **moves)


def _reach(name: str) -> float:
    kind = "flashinfer" if name.startswith("flashinfer") else name.split("_")[0]
    return PULL.get(kind, 0.2)


def fit(points: Sequence[Point]) -> KernelRates:
    """The constants of all points."""
    names, begun = starts()
    at = begun
    for _ in range(ROUNDS):
        at = settle(evidence(points, at, names), begun)
    return at


def held_out(points: Sequence[Point], found: Evidence, key: Key) -> dict[str, dict[Metric, float | None]]:
    """Each point's figures by constants that were settled without any point that shares its key."""
    _, begun = starts()
    answers: dict[str, dict[Metric, float | None]] = {}
    for shared in {key(point) for point in points}:
        own = [point for point in points if key(point) == shared]
        rates = settle(found, begun, without=frozenset(point.id for point in own))
        answers |= {point.id: figures(predicted(point, rates)) for point in own}
    return answers


def write(rates: KernelRates) -> None:
    """Writes the fitted constants as values of the data file."""
    names, _ = starts()
    text = TABLE.read_text("utf-8")
    for name in names:
        pattern = r"(  NAME: \{value: )[^,]+,".replace("NAME", to_camel(name))
        text = re.sub(pattern, rf"\g<1>{getattr(rates, name):.4g},", text)
    TABLE.write_text(text, "utf-8")
