"""What `advise --write` writes is what it says: every key is in the edit, and a loss of replicas is told."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from l4serve.advising.trial import edit_path
from l4serve.cli.app import app
from l4serve.config.reading.yaml_edits import with_values
from tests import factories
from tests.stack_cases import ROOT

KEPT = ("--rps", "3", "--ttft-ms", "2000", "--input-tokens", "512", "--output-tokens", "128")
SCALED = {"minReplicas": 1, "maxReplicas": 4, "metric": "queue", "target": 5}


def project(folder: Path, **workload: Any) -> Path:
    for name in ("Pulumi.yaml", "stacks"):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, folder / name)
    return factories.write_stack(folder, factories.serving({"qwen": factories.workload(**workload)}), name="made")


def advised(*args: str) -> Any:
    return CliRunner().invoke(app, ["advise", "--write", "made", *args], env={"COLUMNS": "200", "NO_COLOR": "1"})


@pytest.mark.parametrize(
    ("workload", "args", "key", "told"),
    [
        ({"replicas": 3}, ("--goal", "cost", *KEPT), "replicas", "replicas: 1 in place of 3: fewer keep the wish"),
        ({"replicas": 3}, ("--goal", "throughput"), "replicas", "replicas: 1 in place of 3: fewer keep the wish"),
        (
            {"autoscaling": SCALED},
            ("--goal", "cost", "--budget-usd-hour", "3"),
            "autoscaling.maxReplicas",
            "autoscaling.maxReplicas: 3 in place of 4: the budget pays no more",
        ),
    ],
)  # fmt: skip
def test_the_edit_makes_the_file_that_is_written(
    workload: dict[str, Any], args: tuple[str, ...], key: str, told: str, tmp_path: Path, monkeypatch: Any
) -> None:
    file = project(tmp_path, **workload)
    monkeypatch.chdir(tmp_path)
    before = file.read_text("utf-8")
    text = advised(*args)
    after = file.read_text("utf-8")
    file.write_text(before, "utf-8")
    done = advised(*args, "--json")
    assert done.exit_code == text.exit_code == 0, done.output
    edit = json.loads(done.stdout)["winner"]["edit"]
    assert key in edit
    assert with_values(before, {edit_path("qwen", path): value for path, value in edit.items()}) == after
    assert told in text.stdout
    assert any(told in reason for reason in json.loads(done.stdout)["winner"]["reasons"])
    assert f"{key}: " in text.stderr, "the message names what was written"


def test_replicas_that_stay_are_no_edit(tmp_path: Path, monkeypatch: Any) -> None:
    project(tmp_path, replicas=1)
    monkeypatch.chdir(tmp_path)
    done = advised("--goal", "cost", *KEPT, "--json")
    answer = json.loads(done.stdout)
    assert answer["winner"]["replicas"] == 1
    assert "replicas" not in answer["winner"]["edit"]
