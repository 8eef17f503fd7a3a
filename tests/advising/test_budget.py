"""A budget holds for the most that is paid: by the thresholds of a size, and by an autoscaler that a stack has."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from l4serve.advising.candidates import Home, pod_choices
from l4serve.advising.homes import homes_of
from l4serve.advising.ranking import Wish
from l4serve.advising.search import search
from l4serve.advising.sizing import size
from l4serve.advising.traffic import Traffic
from l4serve.cli.app import app
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.performance.load import Load
from l4serve.planning.workload.judgement.fit_question import Question, subject_of
from tests.stack_cases import ROOT


def advised(*args: str) -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(app, ["advise", "--goal", "cost", *args, "--json"])
    assert done.exit_code in (0, 1), done.output
    return done.exit_code, json.loads(done.stdout)


@pytest.mark.parametrize("budget", [1.5, 3.0, 20.0])
def test_the_thresholds_of_a_size_never_pass_the_budget(budget: float) -> None:
    """With steep growth an autoscaler keeps twice the replicas that are needed, which once passed the budget."""
    question = Question(
        model=find_model("Qwen/Qwen2.5-1.5B-Instruct"),
        engine="vllm",
        engine_version=None,
        accelerator="nvidia-l4",
        gpus=1,
    )
    homes: list[Home] = homes_of("nvidia-l4", "on-demand", "us-central1")
    steep = Traffic(growth_per_minute=1.0)
    load = Load(input_tokens=256, output_tokens=128, rate=8.0)
    wish = Wish(goal="cost", load=load, budget_usd_hour=budget, traffic=steep)
    winner = search(list(pod_choices(subject_of(question), (1,))), homes, wish).winner
    assert winner is not None
    sized = size(winner, wish)
    assert sized is not None
    assert sized.headroom_usd_per_hour is not None
    assert sized.max_replicas is not None
    assert winner.candidate.replicas <= sized.headroom_replicas <= sized.max_replicas
    assert sized.headroom_usd_per_hour <= budget * 1.000001


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "stacks").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "Pulumi.dev.yaml"


def scaled(stack: Path, least: int, most: int) -> None:
    bounds = f"autoscaling: {{minReplicas: {least}, maxReplicas: {most}}}"
    stack.write_text(stack.read_text("utf-8").replace("replicas: 1", bounds), "utf-8")


@pytest.mark.parametrize("load", [("--rps", "1"), ("--concurrency", "4")])
def test_a_stack_s_autoscaler_is_written_with_the_most_that_the_budget_pays(load: tuple[str, str], stack: Path) -> None:
    scaled(stack, 1, 2)
    _, free = advised("--write", "dev", *load)
    assert free["winner"]["maxReplicas"] is None
    assert "maxReplicas: 2" in stack.read_text("utf-8")
    budget = 1.5 * free["winner"]["usdPerHour"] / free["winner"]["replicas"]
    code, bound = advised("--write", "dev", *load, "--budget-usd-hour", f"{budget:.3f}")
    assert code == 0
    assert bound["winner"]["maxReplicas"] == 1
    assert any("autoscaling.maxReplicas: 1" in reason for reason in bound["winner"]["reasons"])
    assert "maxReplicas: 1" in stack.read_text("utf-8")


def test_the_fewest_pods_of_an_autoscaler_count_against_the_budget(stack: Path) -> None:
    scaled(stack, 2, 2)
    one = advised("-s", "dev", "--concurrency", "4")[1]["winner"]
    budget = 1.5 * one["usdPerHour"] / one["replicas"]
    code, answer = advised("-s", "dev", "--concurrency", "4", "--budget-usd-hour", f"{budget:.3f}")
    assert code == 1
    assert any("as minReplicas 2 keeps them" in lost["reason"] for lost in answer["rejected"])
