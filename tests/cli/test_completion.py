"""The shell completes stacks, workloads, models, recipes, releases, machines and keys."""

import os
import subprocess
import sys

import pytest

from l4serve.cli.completion import complete_location, complete_workload
from tests.cli.terminal import ROOT, started


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("l4serve plan -s ", "staging"),
        ("l4serve plan -s d", "dev"),
        ("l4serve fit --model Qwen/Qwen2.5-7B", "Qwen/Qwen2.5-7B-Instruct"),
        ("l4serve recipes tgi-7b-t", "tgi-7b-token"),
        ("l4serve check --engine-version vllm-0.26", "vllm-0.26.0"),
        ("l4serve contract show tgi-3.3.7", "tgi-3.3.7"),
        ("l4serve models --fits g2-standard-9", "g2-standard-96"),
        ("l4serve explain workloads.engine.maxM", "workloads.engine.maxModelLen"),
    ],
)
def test_a_word_is_completed(line: str, expected: str) -> None:
    asked = {"_L4SERVE_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    code = "import sys; sys.argv[0] = 'l4serve'; from l4serve.cli.start import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **asked},
        capture_output=True,
        text=True,
    )
    assert expected in done.stdout.split(), done.stderr


def test_workloads_and_locations_are_completed() -> None:
    assert "qwen" in complete_workload("q")
    assert "us-central1-a" in complete_location("us-cen")


def test_a_completion_never_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("l4serve.cli.project.stack_names", lambda root: 1 / 0)
    from l4serve.cli.completion import complete_stack

    assert complete_stack("d") == []
    assert started("--help").returncode == 0
