"""What a sizing says an autoscaler must act at is what the file of a scaled workload says afterwards."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from l4serve.cli.app import app
from tests.stack_cases import ROOT

STACK = "scaled-with-fallback"
TARGETS = {"queue": "queueTarget", "running": "runningTarget"}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path)
    (tmp_path / "stacks").mkdir()
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copy(ROOT / f"examples/Pulumi.{STACK}.yaml", tmp_path))


def watch(file: Path, metric: str, target: float) -> None:
    text = (
        file.read_text("utf-8").replace("metric: queue", f"metric: {metric}").replace("target: 5", f"target: {target}")
    )
    file.write_text(text, "utf-8")


def written(file: Path, *load: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The advisor's document, and the autoscaling of the file afterwards."""
    done = CliRunner().invoke(app, ["advise", "--write", STACK, "--goal", "cost", "--json", *load])
    assert done.exit_code == 0, done.output
    serving = yaml.safe_load(file.read_text("utf-8"))["config"]["gke-llm-serving:serving"]
    return json.loads(done.stdout), serving["workloads"]["chat"]["autoscaling"]


@pytest.mark.parametrize("metric", TARGETS)
def test_the_target_of_the_sizing_is_written_once(file: Path, metric: str) -> None:
    watch(file, metric, 3)
    answer, scaling = written(file, "--rps", "9", "--ttft-ms", "800")
    target = answer["sizing"][TARGETS[metric]]
    assert scaling["target"] == answer["winner"]["edit"]["autoscaling.target"] == target != 3
    assert answer["winner"] in [{**answer["winner"], **judged} for judged in answer["front"]]
    assert any(reason.startswith(f"autoscaling.target: {target}: ") for reason in answer["winner"]["reasons"])
    text = file.read_text("utf-8")
    again, _ = written(file, "--rps", "9", "--ttft-ms", "800")
    assert again["winner"]["edit"] == {}
    assert again["sizing"] == answer["sizing"]
    assert file.read_text("utf-8") == text


@pytest.mark.parametrize(("metric", "load"), [("cache", ("--rps", "9")), ("queue", ("--concurrency", "9"))])
def test_a_target_that_no_sizing_tells_stays(file: Path, metric: str, load: tuple[str, ...]) -> None:
    watch(file, metric, 0.7)
    answer, scaling = written(file, *load)
    assert "autoscaling.target" not in answer["winner"]["edit"]
    assert scaling["target"] == 0.7
