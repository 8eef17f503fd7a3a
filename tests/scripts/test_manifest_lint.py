"""The findings of linters are read whole, and each needs a reason; the documentation shows the reasons."""

from typing import Any

import pytest

from scripts.manifest_lint import Finding, explained, judge, read_checkov, read_kube_score, table
from tests.stack_cases import ROOT

IMAGES = {("Deployment", "chat"): "vllm", ("Job", "fill"): ""}


def checked(rule: str, grade: int, *, skipped: bool = False) -> dict[str, object]:
    return {"check": {"id": rule}, "grade": grade, "skipped": skipped, "comments": None}


def test_kube_score_is_read_by_grade() -> None:
    checks = [checked("a", 1), checked("b", 5), checked("c", 7), checked("d", 10), checked("e", 0, skipped=True)]
    scored: list[Any] = [
        {"type_meta": {"kind": "Deployment"}, "object_meta": {"name": "chat"}, "checks": checks},
        {"type_meta": {"kind": "Job"}, "object_meta": {"name": "fill"}, "checks": None},
    ]
    assert list(read_kube_score("dev", scored, IMAGES)) == [
        Finding("kube-score", rule, "dev", "Deployment", "chat", "vllm") for rule in "abc"
    ]


def report(errors: int = 0, resources: int = 3) -> dict[str, object]:
    failed = [{"check_id": "CKV_K8S_1", "file_path": "/dev.yaml", "resource": "Deployment.llm-serving.chat"}]
    summary = {"parsing_errors": errors, "resource_count": resources}
    return {"summary": summary, "results": {"failed_checks": failed}}


def test_checkov_is_read_by_its_failed_checks() -> None:
    found = list(read_checkov(report(), {"dev": IMAGES}))
    assert found == [Finding("checkov", "CKV_K8S_1", "dev", "Deployment", "chat", "vllm")]


@pytest.mark.parametrize("summary", [(1, 3), (0, 0)])
def test_a_linter_that_read_nothing_has_found_nothing_out(summary: tuple[int, int]) -> None:
    with pytest.raises(RuntimeError, match="checkov read"):
        list(read_checkov(report(*summary), {"dev": IMAGES}))


def all_of(tool: str) -> list[Finding]:
    """Every finding that has a reason."""
    return [
        Finding(tool, row.rules[tool], "dev", kind, "chat", (*row.images, "vllm")[0])
        for row in explained()
        if tool in row.rules
        for kind in row.kinds
    ]


@pytest.mark.parametrize("tool", ["kube-score", "checkov"])
def test_a_finding_without_a_reason_and_a_reason_without_a_finding_are_told(tool: str) -> None:
    found = all_of(tool)
    assert judge(tool, found) == ()
    new = Finding(tool, "new-rule", "dev", "Deployment", "chat", "vllm")
    assert judge(tool, [*found, new]) == (f"{tool} new-rule: Deployment/chat of dev has no reason",)
    gone, *others = found
    assert [gone.rule in line and "found on no" in line for line in judge(tool, others)] == [True]


def test_a_reason_for_one_image_explains_no_other() -> None:
    (root,) = [row for row in explained() if row.rules == {"checkov": "CKV_K8S_23"}]
    finding = Finding("checkov", "CKV_K8S_23", "dev", "Deployment", "chat", "vllm")
    assert root.images == ("tgi",) and not root.covers(finding)


def test_the_documentation_shows_the_reasons() -> None:
    assert table() in (ROOT / "docs" / "security.md").read_text("utf-8")
