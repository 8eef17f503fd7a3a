"""The shell completes stacks, workloads, models, recipes, releases, machines and keys."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from l4serve.cli.app import app
from l4serve.cli.completion import complete_location, complete_stack
from tests.cli.terminal import ROOT, started

CASES = (
    ("l4serve plan -s ", "staging"),
    ("l4serve plan -s d", "dev"),
    ("l4serve diff -s stag", "staging"),
    ("l4serve fit --model Qwen/Qwen2.5-7B", "Qwen/Qwen2.5-7B-Instruct"),
    ("l4serve fit --gpu nvidia-l", "nvidia-l4"),
    ("l4serve advise --model Qwen/Qwen2.5-7B", "Qwen/Qwen2.5-7B-Instruct"),
    ("l4serve advise --workload q", "qwen"),
    ("l4serve bench -s dev --workload q", "qwen"),
    ("l4serve shapes -s dev --workload q", "qwen"),
    ("l4serve recipes tgi-7b-t", "tgi-7b-token"),
    ("l4serve check --engine-version vllm-0.26", "vllm-0.26.0"),
    ("l4serve verify --engine-version 0.26", "0.26.0"),
    ("l4serve contract show tgi-3.3.7", "tgi-3.3.7"),
    ("l4serve models --fits g2-standard-9", "g2-standard-96"),
    ("l4serve init --location us-central1", "us-central1-a"),
    ("l4serve explain workloads.engine.maxM", "workloads.engine.maxModelLen"),
)


def asked(line: str) -> dict[str, str]:
    """What bash sets when somebody presses TAB at the end of a line."""
    return {"_L4SERVE_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}


@pytest.mark.parametrize(("line", "expected"), CASES, ids=[line for line, _ in CASES])
def test_a_word_is_completed(line: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    said = CliRunner().invoke(app, [], env=asked(line), prog_name="l4serve").stdout
    assert expected in said.split()


@pytest.mark.slow
def test_the_shell_gets_it_from_the_console_script() -> None:
    code = "import sys; sys.argv[0] = 'l4serve'; from l4serve.cli.start import main; main()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **asked("l4serve plan -s ")}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert "staging" in done.stdout.split(), done.stderr


@pytest.mark.parametrize(("line", "workloads"), [("-s dev -w ", {"qwen"}), ("-s none -w ", set())])
def test_workloads_are_those_of_the_stack_that_is_named(
    line: str, workloads: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    said = CliRunner().invoke(app, [], env=asked(f"l4serve shapes {line}"), prog_name="l4serve").stdout
    assert set(said.split()) == workloads


def test_locations_are_completed() -> None:
    assert "us-central1-a" in complete_location("us-cen")


KNOWN = {"stack", "workload", "model", "engine_version", "region", "gpu", "accelerator", "location", "fits"}
FREE = {"verify --model"}
"""Options whose value nobody can know beforehand: the name under which a server serves."""


def options(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for option in command.params:
        yield f"{path} --{option.name}".strip(), option
    for name in command.list_commands(None) if hasattr(command, "list_commands") else ():
        yield from options(command.get_command(None, name), f"{path} {name}".strip())


def test_every_option_that_names_something_known_is_completed() -> None:
    named = {where: option for where, option in options(get_command(app)) if option.name in KNOWN}
    assert len(named) >= 20
    mute = {where for where, option in named.items() if option._custom_shell_complete is None}
    assert mute == FREE


def test_a_completion_never_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("l4serve.cli.project.stack_names", lambda root: 1 / 0)
    assert complete_stack("d") == []
    assert started("--help").returncode == 0
