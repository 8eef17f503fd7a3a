"""Checks of servers of vectors, scores, classes and rewards: the healthy one passes, each fault is reported."""

import pytest

from l4serve.planning.models.purpose import Purpose
from l4serve.verification.report import Report
from l4serve.verification.server import verify_server
from tests.factories import planned, serving, workload
from tests.verification.conftest import running_engine, target_of

CHECKS: dict[Purpose, tuple[str, ...]] = {
    "embed": ("embeddings", "same text, same vector", "context limit"),
    "score": ("score", "rerank"),
    "classify": ("classify",),
    "reward": ("pooling", "context limit"),
    "token": ("pooling", "context limit"),
}


def report(purpose: Purpose, fault: str = "") -> Report:
    with running_engine("vllm", fault) as url:
        return verify_server(target_of(url, "vllm", purpose=purpose), "w")


@pytest.mark.parametrize("purpose", CHECKS)
def test_a_healthy_server_keeps_what_it_is_for(purpose: Purpose) -> None:
    found = report(purpose)
    assert found.ok, [(result.name, result.detail) for result in found.checks]
    assert tuple(result.name for result in found.checks) == (
        "health",
        "version",
        "models",
        *CHECKS[purpose],
        "metrics",
    )
    assert all(result.status == "pass" for result in found.checks)


@pytest.mark.parametrize(
    ("purpose", "fault", "check", "says"),
    [
        ("embed", "pool-nan", "embeddings", "finite numbers"),
        ("embed", "pool-zeros", "embeddings", "all zeros"),
        ("embed", "pool-short", "embeddings", "no 2 data"),
        ("embed", "pool-drift", "same text, same vector", "cosine"),
        ("embed", "answer-no-usage", "embeddings", "were counted"),
        ("embed", "answer-500", "embeddings", "500"),
        ("embed", "answer-page", "embeddings", "not JSON"),
        ("embed", "limit-accepted", "context limit", "no 4xx"),
        ("embed", "limit-kills", "context limit", "may have died"),
        ("score", "pool-short", "rerank", "no 2 results"),
        ("score", "rerank-unordered", "rerank", "not in order"),
        ("classify", "pool-beyond", "classify", "between 0 and 1"),
        ("reward", "pool-short", "pooling", "no 1 data"),
    ],
)
def test_a_fault_is_reported_by_the_check_that_it_breaks(purpose: Purpose, fault: str, check: str, says: str) -> None:
    found = {result.name: result for result in report(purpose, fault).checks}
    assert found[check].status == "fail"
    assert says in found[check].detail


@pytest.mark.parametrize(
    ("engine", "extra", "purpose"),
    [
        ({}, [], "generate"),
        ({"runner": "pooling"}, [], "embed"),
        ({"runner": "pooling", "convert": "classify"}, [], "classify"),
        ({"version": "0.10.0", "task": "score"}, [], "score"),
        ({}, ["--runner=pooling"], "embed"),
        ({"runner": "generate"}, [], "generate"),
    ],
)
def test_a_plan_says_what_its_server_answers_with(engine: dict[str, str], extra: list[str], purpose: Purpose) -> None:
    plan = planned(serving({"q": workload(engine=engine, extraArgs=extra)}))
    assert plan.workloads[0].model.purpose == purpose
