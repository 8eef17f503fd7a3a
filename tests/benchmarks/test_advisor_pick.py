"""The advisor's picks hold against the starts that were measured under the same load."""

import pytest

from benchmarks.advisor_pick import MODELS, pick, started, tokens_per_second
from benchmarks.performance.points import h100_question
from l4serve.planning.workload.fit_question import subject_of
from l4serve.planning.workload.judging import judge


@pytest.mark.parametrize("base", MODELS)
def test_a_pick_is_near_the_best_and_no_worse_than_the_guide(base: str) -> None:
    found = pick(base)
    assert found.tried >= 10
    assert found.ratio is not None, f"{found.edit} was not measured"
    assert found.ratio >= 0.95
    assert found.measured is not None
    assert found.measured >= found.guide


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


def test_the_cache_of_every_start_is_near_what_was_said() -> None:
    found = []
    for row in (row for base in MODELS for row in started(base) if row["kv_cache_bytes"]):
        fit = judge(subject_of(h100_question(row))).fit
        assert fit is not None
        assert fit.fits, row["id"]
        cache = row["kv_cache_bytes"] / 2**30
        found.append(abs(fit.kv_room_gib - cache) / cache)
    found.sort()
    assert len(found) >= 45
    assert found[len(found) // 2] < 0.03
    assert found[int(0.9 * len(found))] < 0.05
