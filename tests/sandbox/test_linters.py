"""What kube-score, built from its pinned module, says of every stack's manifests."""

from pathlib import Path

import pytest

from l4serve.sandbox.build import ensure_binaries
from l4serve.sandbox.go_modules import LINTERS
from scripts.manifest_lint import judge, render_all, run_kube_score

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(600, func_only=True)]


def test_every_finding_of_kube_score_has_a_reason_and_every_reason_a_finding(tmp_path: Path) -> None:
    program = ensure_binaries(build=LINTERS) / "kube-score"
    findings = run_kube_score(program, tmp_path, render_all(tmp_path))
    assert judge("kube-score", findings) == ()
