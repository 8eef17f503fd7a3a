"""The advisor's picks hold against the starts that were measured under the same load."""

from collections.abc import Mapping
from typing import Any

import pytest

from benchmarks.advisor_pick import MODELS, pick, started, tokens_per_second
from benchmarks.performance.h100_points import h100_question
from l4serve.planning.workload.judgement.fit_question import subject_of
from l4serve.planning.workload.judgement.judging import judge

REPEATED = 0.99
"""The least part of a start's median that one of its three loads made."""


@pytest.mark.parametrize("base", MODELS)
def test_a_pick_is_near_the_best_and_no_worse_than_the_guide(base: str) -> None:
    found = pick(base)
    assert found.tried - found.died >= 10
    assert found.ratio is not None, f"{found.edit} was not measured"
    assert found.ratio >= 0.95
    assert found.measured is not None
    assert found.measured >= REPEATED * found.guide


def test_gemma_7b_needs_no_other_checkpoint() -> None:
    assert "model.id" not in pick("gemma-7b").edit


def test_the_starts_differ_enough_that_a_bad_pick_would_fail() -> None:
    for base in MODELS:
        found = [tokens for row in started(base) if (tokens := tokens_per_second(row)) is not None]
        assert min(found) < 0.8 * max(found), base


def test_what_died_is_refused() -> None:
    died = [row for base in MODELS for row in started(base) if "error" in row]
    assert len(died) >= 5
    for row in died:
        refused = judge(subject_of(h100_question(row))).refusals
        assert "answers in bfloat16 alone" in " ".join(r.message for r in refused), row["id"]


def test_what_ran_is_not_refused() -> None:
    for row in (row for base in MODELS for row in started(base) if "error" not in row):
        assert not judge(subject_of(h100_question(row))).refusals, row["id"]


@pytest.mark.parametrize(
    ("kind", "least", "limit"),
    [("16 bits", 6, 0.005), ("4 bits", 26, 0.03), ("FP8", 21, 0.05), ("FP8 of 14 billion", 7, 0.30)],
)
def test_the_cache_of_every_start_is_near_what_was_said(kind: str, least: int, limit: float) -> None:
    found = [row for base in MODELS for row in started(base) if row["kv_cache_bytes"] and kind_of(row) == kind]
    assert len(found) >= least
    for row in found:
        fit = judge(subject_of(h100_question(row))).fit
        assert fit is not None
        assert fit.fits, row["id"]
        cache = row["kv_cache_bytes"] / 2**30
        assert abs(fit.kv_room_gib - cache) / cache < limit, row["id"]


def kind_of(row: Mapping[str, Any]) -> str:
    """The format of a start's weights, by which its error goes."""
    if "awq" in row["model"] or "w4a16" in row["model"]:
        return "4 bits"
    if "fp8" not in row["model"] and row["kwargs"].get("quantization") is None:
        return "16 bits"
    return "FP8 of 14 billion" if "14b" in row["model"] else "FP8"
