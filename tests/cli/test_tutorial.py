"""The steps of the tutorial that need no cloud, in its own words and order."""

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.cli.terminal import ROOT, run

STEPS = re.findall(r"^(l4serve (?:init|plan)[^\n#]*)$", (ROOT / "docs" / "tutorial.md").read_text("utf-8"), re.M)


def test_the_tutorial_makes_a_stack_and_plans_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Pulumi.yaml").touch()
    (tmp_path / "stacks").mkdir()
    monkeypatch.chdir(tmp_path)
    assert [step.split()[1] for step in STEPS] == ["init", "plan"]
    for step in STEPS:
        result = run(*shlex.split(step)[1:])
        assert result.exit_code == 0, result.output
    assert "planned" in result.stdout
    assert "qwen2-5-1-5b-instruct" in result.stdout


def test_the_names_that_the_tutorial_uses_are_those_of_its_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Pulumi.yaml").touch()
    (tmp_path / "stacks").mkdir()
    monkeypatch.chdir(tmp_path)
    run(*shlex.split(STEPS[0])[1:])
    text = (tmp_path / "Pulumi.first.yaml").read_text("utf-8")
    page = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
    assert "name: llm-first" in text and "get-credentials llm-first" in page
    assert "qwen2-5-1-5b-instruct:" in text and "service/qwen2-5-1-5b-instruct" in page


def test_the_cost_that_the_tutorial_tells_is_that_of_the_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Pulumi.yaml").touch()
    (tmp_path / "stacks").mkdir()
    monkeypatch.chdir(tmp_path)
    run(*shlex.split(STEPS[0])[1:])
    planned = json.loads(run("plan", "-s", "first", "--json").stdout)["cost"]["planned"]["usdPerHour"]
    told = re.search(r"about ([\d.]+) USD per hour", (ROOT / "docs" / "tutorial.md").read_text("utf-8"))
    assert told and abs(float(told[1]) - planned) <= 0.1
