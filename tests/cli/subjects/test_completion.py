"""The shell completes stacks, workloads, models, recipes, releases, machines and keys."""

import io
import os
import pty
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from l4serve.cli.app import app
from l4serve.cli.shell.questions import ask
from l4serve.cli.subjects.completion import complete_goal, complete_location, complete_machine, complete_stack
from tests.cli.commands.test_diff_command import git
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
    ("l4serve init --goal ", "try"),
    ("l4serve init --goal s", "serve"),
    ("l4serve init --g", "--goal"),
    ("l4serve advise --goal th", "throughput"),
    ("l4serve verify --serves em", "embed"),
    ("l4serve diff --fail-on pod", "pod-restart"),
    ("l4serve contract show vllm-0.26.0 --flag max-model", "max-model-len"),
    ("l4serve contract show --flag max-batch-p", "max-batch-prefill-tokens"),
    ("l4serve fit --dtype bf", "bfloat16"),
    ("l4serve fit --engine tgi --quantization eet", "eetq"),
    ("l4serve fit --engine-version 0.10.0 --quantization compressed", "compressed-tensors"),
    ("l4serve estimate --kv-cache-dtype fp8_e5", "fp8_e5m2"),
    ("l4serve estimate --attention-backend FLASHI", "FLASHINFER"),
)


def asked(line: str) -> dict[str, str]:
    """What bash sets when somebody presses TAB at the end of a line."""
    return {"_L4SERVE_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}


@pytest.mark.parametrize(("line", "expected"), CASES, ids=[line for line, _ in CASES])
def test_a_word_is_completed(line: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    said = CliRunner().invoke(app, [], env=asked(line), prog_name="l4serve").stdout
    assert expected in said.split()


def test_a_branch_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "a commit, so that the branch exists")
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(app, [], env=asked("l4serve diff ma"), prog_name="l4serve").stdout
    assert said.split() == ["main"]


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


FREE = {
    "verify --model", "verify --base_url", "init --name", "init --project",
    "shapes --cpu", "shapes --memory", "shapes --ephemeral_storage",
}  # fmt: skip
"""Texts that nobody can know beforehand: new names, sizes, and the name under which a server serves."""


def options(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for option in command.params:
        yield f"{path} --{option.name}".strip(), option
    for name in command.list_commands(None) if hasattr(command, "list_commands") else ():
        yield from options(command.get_command(None, name), f"{path} {name}".strip())


def test_every_option_that_takes_a_text_is_completed() -> None:
    texts = {
        where: option
        for where, option in options(get_command(app))
        if str in (note := option.type_descriptor.annotation, *getattr(note, "__args__", ()))
    }
    assert len(texts) >= 40
    assert {where for where, option in texts.items() if option._custom_shell_complete is None} == FREE


def test_words_with_numbers_come_in_the_order_of_the_numbers() -> None:
    assert complete_machine("g2-standard-")[:4] == [f"g2-standard-{size}" for size in (4, 8, 12, 16)]


ASKED = """
from l4serve.cli.subjects.completion import complete_goal, complete_location, complete_model
from l4serve.cli.shell.questions import ask
print("GOT", ask("Goal", "try", complete_goal))
print("GOT", ask("Place", "us-central1-a", complete_location))
print("GOT", ask("Model", None, complete_model))
"""
TYPED = ((b"Goal", b"s\t"), (b"Place", b"us-central1-a\t"), (b"Model", b"Qwen/Qwen2.5-0.5B-I\t"))


def test_tab_completes_an_answer_of_init() -> None:
    """On a terminal of its own, where half an answer and TAB give the whole of it."""
    pytest.importorskip("readline")
    main, side = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb"}
    process = subprocess.Popen([sys.executable, "-c", ASKED], env=environment, stdin=side, stdout=side, stderr=side)
    os.close(side)
    told = b""
    try:
        for question, typed in TYPED:
            while question not in told:
                told += os.read(main, 1000)
            os.write(main, typed + b"\n")
        assert process.wait(60) == 0
        while select.select([main], [], [], 0)[0]:
            told += os.read(main, 1000)
    except OSError:
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        os.close(main)
    got = [line.removeprefix("GOT ") for line in told.decode().replace("\r", "").split("\n") if line.startswith("GOT ")]
    assert got == ["serve", "us-central1-a", "Qwen/Qwen2.5-0.5B-Instruct"]


def test_the_end_of_the_input_is_no_ctrl_c(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(typer.Exit) as ended:
        ask("Goal", "try", complete_goal)
    assert ended.value.exit_code == 2
    told = capsys.readouterr()
    assert "error: Goal: the input ended without an answer\n    fix: " in told.err
    assert told.out.endswith("\n"), "the error begins a line of its own"


def test_a_completion_never_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("l4serve.cli.project.stack_names", lambda root: 1 / 0)
    assert complete_stack("d") == []
    assert started("--help").returncode == 0
