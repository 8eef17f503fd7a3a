"""How far answers are from what engines said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from statistics import median

from benchmarks.estimators.cases import Case
from benchmarks.estimators.tools import Answer


@dataclass(frozen=True)
class Summary:
    """Errors are relative errors of cache tokens. `unsure_false_fits` are false fits that came with a warning."""

    asked: int
    answered: int
    median: float | None
    p90: float | None
    worst: tuple[str, float] | None
    false_fits: tuple[str, ...]
    unsure_false_fits: tuple[str, ...]
    false_refusals: tuple[str, ...]
    cannot: Mapping[str, int]


def relative_error(answer: Answer, case: Case) -> float | None:
    """(answered - observed) / observed tokens, or None where either is missing."""
    if answer.tokens is None or not case.tokens:
        return None
    return (answer.tokens - case.tokens) / case.tokens


def summarise(cases: tuple[Case, ...], answers: Mapping[str, Answer]) -> Summary:
    """One tool's errors over the cases."""
    errors = {}
    cannot: dict[str, int] = {}
    for case in cases:
        error = relative_error(answers[case.id], case)
        if error is not None:
            errors[case.id] = error
        if answers[case.id].cannot:
            reason = str(answers[case.id].cannot).split(":")[0]
            cannot[reason] = cannot.get(reason, 0) + 1
    sizes = sorted(abs(error) for error in errors.values())
    wrong = [c for c in cases if answers[c.id].fits is not None and c.fits is not None and answers[c.id].fits != c.fits]
    return Summary(
        asked=len(cases),
        answered=sum(answers[case.id].cannot is None for case in cases),
        median=median(sizes) if sizes else None,
        p90=sizes[ceil(0.9 * len(sizes)) - 1] if sizes else None,
        worst=max(errors.items(), key=lambda item: abs(item[1])) if errors else None,
        false_fits=tuple(c.id for c in wrong if not c.fits and answers[c.id].sure),
        unsure_false_fits=tuple(c.id for c in wrong if not c.fits and not answers[c.id].sure),
        false_refusals=tuple(c.id for c in wrong if c.fits),
        cannot=cannot,
    )
