"""A stack as the advisor writes it runs: every workload's winner, on the pools that the stack has."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from l4serve.cli.app import app

pytestmark = [pytest.mark.timeout(300, func_only=True), pytest.mark.sandbox]

ROOT = Path(__file__).parents[2]
GOALS = {"llama-8b": "cost", "qwen-7b": "latency", "qwen-14b": "throughput"}


def test_what_the_advisor_writes_is_rehearsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state_dir: Path) -> None:
    for name in ("Pulumi.yaml", "Pulumi.prod.yaml"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "stacks").mkdir()
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    for workload, goal in GOALS.items():
        advised = runner.invoke(app, ["advise", "--write", "prod", "--workload", workload, "--goal", goal, "--json"])
        assert advised.exit_code == 0, advised.output
        assert json.loads(advised.stdout)["winner"]["edit"]
    assert (tmp_path / "Pulumi.prod.yaml").read_text("utf-8") != (ROOT / "Pulumi.prod.yaml").read_text("utf-8")
    result = runner.invoke(app, ["rehearse", "-s", "prod", "--json"])
    assert result.exit_code == 0, result.output
    rehearsal = json.loads(result.stdout)
    assert rehearsal["ok"]
    assert {pod["phase"] for pod in rehearsal["pods"]} == {"Running"}
