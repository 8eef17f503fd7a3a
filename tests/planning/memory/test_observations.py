"""The memory model against starts that were measured or logged; benchmarks/fit_accuracy.py prints the same in full."""

import pytest

from benchmarks.estimators.cases import Case, all_cases, field_cases, field_records, measured_cases
from benchmarks.estimators.fitting import cross_validate
from benchmarks.estimators.metrics import relative_error, summarise
from benchmarks.estimators.tools import ask_own_model
from l4serve.planning.memory.estimate import estimate
from tests.each_case import each

# What the driver counts for a process on the measuring card before it holds anything: the smallest start says it.
CONTEXT_OF_THE_MEASURING_CARD = 0.62
UNKNOWN_FLAGS = ("oci-aqua-a10-llama31-8b", "gke-guide-vllm-gemma7b-8192")


def test_measured_starts_are_met_within_the_goal() -> None:
    cases = measured_cases()
    found = summarise(cases, cross_validate(cases, all_cases()))
    assert found.answered == len(cases) >= 30
    assert found.median is not None
    assert found.p90 is not None
    assert found.median <= 0.03
    assert found.p90 <= 0.08
    assert not found.false_fits
    assert not found.unsure_false_fits


def test_field_observations_are_met_on_other_machines_and_releases() -> None:
    cases = field_cases()
    found = summarise(cases, cross_validate(cases, all_cases()))
    assert found.median is not None
    assert found.median <= 0.03
    assert not found.false_fits
    assert not found.false_refusals


@each(all_cases(), lambda case: case.id)
def test_each_error_is_within_the_stated_uncertainty_or_on_the_safe_side(case: Case) -> None:
    fit = estimate(case.model, case.gpu, case.options)
    observed = case.parts.get("kv_cache_gib")
    if observed is None or case.id in UNKNOWN_FLAGS:
        error = relative_error(ask_own_model((case,))[case.id], case)
        assert error is None or error < 0.08
    else:
        assert fit.kv_room_gib - fit.shortage_gib - observed <= 2 * fit.uncertainty_gib


@each(
    [c for c in measured_cases() if "used_after_start_gib" in c.parts and c.origin != "measured-parallel"],
    lambda case: case.id,
)
def test_memory_allocated_after_the_cache_is_foreseen(case: Case) -> None:
    fit = estimate(case.model, case.gpu, case.options)
    beyond = case.parts["used_after_start_gib"] - CONTEXT_OF_THE_MEASURING_CARD - fit.usable_gib
    # What PyTorch only caches, it gives back where the card is full.
    assert fit.late_gib >= beyond - max(0.45, case.parts.get("cached_after_start_gib", 0.0))


@pytest.mark.parametrize(
    ("start", "serves"),
    [("c02", True), ("c03", True), ("c22", True), ("c05", False), ("c09", False)],
)
def test_loads_under_a_smaller_cards_cap_serve_or_die_as_judged(start: str, serves: bool) -> None:
    case = next(case for case in measured_cases() if case.id.startswith(start))
    assert case.fits == serves
    assert estimate(case.model, case.gpu, case.options).fits == serves


@pytest.mark.parametrize("kind", ["vision", "hybrid", "speculation", "parallel"])
def test_other_kinds_of_start_are_met_within_their_goal(kind: str) -> None:
    cases = tuple(case for case in measured_cases() if case.origin == f"measured-{kind}")
    found = summarise(cases, cross_validate(cases, all_cases()))
    assert found.answered == len(cases) >= 8
    assert found.median is not None
    assert found.p90 is not None
    assert found.median <= 0.05
    assert found.p90 <= 0.12
    assert not found.false_fits
    assert not found.unsure_false_fits


def test_every_observation_is_judged_or_says_why_not() -> None:
    for record in field_records():
        assert ("case" in record) != ("notJudged" in record)
        assert record["source"]
