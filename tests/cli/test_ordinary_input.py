"""Ordinary input and surroundings that go wrong: one readable line and an exit code, never "a bug" or a traceback."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import urllib3
from kubernetes.client import ApiException
from typer.testing import CliRunner

from l4serve.cli.commands.hook_commands import app as hook
from l4serve.cli.subjects.sides import stacks_of
from l4serve.verification.bench_run import run_job
from l4serve.verification.checks import CheckError
from tests.cli.terminal import ROOT, run

ENTRIES = {"l4serve": "start", "l4serve-hook": "hook"}


def spoken(program: str, *args: str, **options: Any) -> subprocess.CompletedProcess[str]:
    code = f"from l4serve.cli.{ENTRIES[program]} import main; main()"
    env = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    whole = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "cwd": ROOT, "env": env, "text": True, **options}
    return subprocess.run([sys.executable, "-c", code, *args], check=False, **whole)


REPORTS = {
    "deep": '{"mean_ttft_ms": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "5000 digits": f'{{"mean_ttft_ms": {"9" * 5000}}}',
    "400 digits": f'{{"mean_ttft_ms": {"9" * 400}}}',
    "200 digits": f'{{"mean_ttft_ms": {"9" * 200}}}',
    "text": '{"completed": 1, "mean_ttft_ms": "12"}',
    "NaN": '{"completed": 1, "mean_ttft_ms": NaN}',
    "negative": '{"completed": 1, "mean_ttft_ms": -1}',
    "one of two": '{"completed": 1, "mean_ttft_ms": 12, "mean_tpot_ms": "x"}',
    "zero": '{"completed": 1, "mean_ttft_ms": 0}',
    "clients": f'{{"completed": 1, "mean_ttft_ms": 12, "max_concurrency": {"9" * 40}}}',
}


@pytest.mark.parametrize("kind", REPORTS)
def test_a_report_without_figures_is_refused(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text(REPORTS[kind])
    told = run("bench", "-s", "dev", "--report", str(file))
    assert (told.exit_code, told.stdout) == (2, "")
    assert "bug" not in told.stderr
    assert "fix: " in told.stderr


def test_a_figure_of_a_part_that_was_not_measured_may_be_left_out(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text(json.dumps({"completed": 1, "mean_ttft_ms": 12, "mean_tpot_ms": 0, "itls": [[float("nan")]]}))
    assert run("bench", "-s", "dev", "--report", str(file)).exit_code == 0


@pytest.mark.parametrize("when", ["create", "follow"])
@pytest.mark.parametrize(
    "error",
    [urllib3.exceptions.MaxRetryError(None, "/", OSError("no route")), OSError("no"), ApiException(503, "gone")],
    ids=lambda error: type(error).__name__,
)
def test_a_cluster_that_does_not_answer_is_told_of(
    when: str, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Batch:
        def __init__(self, client: object) -> None: ...

        def create_namespaced_job(self, *_: Any, **__: Any) -> None:
            if when == "create":
                raise error

        def read_namespaced_job(self, *_: Any, **__: Any) -> None:
            raise error

        delete_namespaced_job = read_namespaced_job

    monkeypatch.setattr("l4serve.verification.bench_run.api", SimpleNamespace(BatchV1Api=Batch))
    client: Any = SimpleNamespace(configuration=SimpleNamespace(host="https://127.0.0.1:1"))
    with pytest.raises(CheckError, match=r"127.0.0.1:1 does not answer|Job j cannot be"):
        run_job(client, {"metadata": {"name": "j", "namespace": "n"}}, timeout=1)


@pytest.mark.parametrize("seconds", ["inf", "nan", "1e300"])
@pytest.mark.parametrize("command", ["verify", "rehearse"])
def test_a_timeout_has_an_end(command: str, seconds: str) -> None:
    told = run(command, "-s", "dev", "--timeout", seconds)
    assert told.exit_code == 2
    assert "--timeout" in told.stderr and "bug" not in told.stderr


def test_a_hook_says_of_a_file_that_it_cannot_write_it(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "none" / "x.json"):
        told = CliRunner().invoke(hook, ["schema", str(place)])
        assert told.exit_code == 2
        assert "cannot be written" in told.stderr and "bug" not in told.stderr
    foreign = tmp_path / "schema.json"
    foreign.write_bytes(b"\xff\xfe")
    assert CliRunner().invoke(hook, ["schema", str(foreign)]).exit_code == 1
    assert json.loads(foreign.read_text("utf-8"))["title"]


@pytest.mark.parametrize(
    ("program", "args"),
    [("l4serve", ("plan", "-s", "dev", "-q")), ("l4serve", ("-h",)), ("l4serve-hook", ("-h",))],
    ids=str,
)
def test_an_output_that_takes_nothing_is_one_message(program: str, args: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        told = spoken(program, *args, stdout=full)
    assert told.returncode == 1
    assert told.stderr.startswith("error: the output cannot be written: ")
    assert len(told.stderr.splitlines()) == 2


@pytest.mark.parametrize("args", [("models",), ("plan", "-s", "dev"), ("--version",)], ids=lambda args: args[0])
def test_a_closed_output_is_one_message(args: tuple[str, ...]) -> None:
    code = "import sys; sys.argv[0] = 'l4serve'; from l4serve.cli.start import main; main()"
    line = ["bash", "-c", 'exec "$@" >&-', "-", sys.executable, "-c", code, *args]
    told = subprocess.run(line, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False)
    assert told.returncode == 1
    assert told.stderr == "error: standard output is closed\n    fix: leave it open, or write >/dev/null\n"


@pytest.mark.parametrize("args", [("plan", "-s", "dev"), ("init", "x")], ids=lambda args: args[0])
def test_a_working_directory_that_is_gone_is_one_message(args: tuple[str, ...], tmp_path: Path) -> None:
    place = tmp_path / "gone"
    place.mkdir()
    told = spoken("l4serve", *args, cwd=place, preexec_fn=place.rmdir)
    assert told.returncode == 2
    assert told.stderr.startswith("error: the working directory does not exist")
    assert len(told.stderr.splitlines()) == 2


def test_the_hook_names_itself() -> None:
    assert "Usage" in CliRunner().invoke(hook, ["-h"]).stdout
    for args in (["--nosuch"], ["plan", "--nosuch"], ["nosuch"], ["plan"]):
        said = CliRunner().invoke(hook, args).stderr
        assert said.startswith("error: ")
        assert "nosuch" in said or "l4serve-hook" in said
        assert not said.replace("l4serve-hook", "").count("l4serve ")


def test_ctrl_c_while_the_hook_is_imported_is_one_line() -> None:
    code = (
        "import builtins, os, signal\n"
        "own = builtins.__import__\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "def stopped(name, *a, **k):\n"
        "    if name.endswith('stack_planner'): os.kill(os.getpid(), signal.SIGINT)\n"
        "    return own(name, *a, **k)\n"
        "builtins.__import__ = stopped\n"
        "from l4serve.cli.hook import main; main()"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code, "plan", "x"], env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (130, "stopped by Ctrl-C\n")


@pytest.mark.parametrize("name", ["..", ".", "-_"])
def test_a_stack_has_a_letter_or_digit_in_its_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Pulumi.yaml").touch()
    (tmp_path / "stacks").mkdir()
    monkeypatch.chdir(tmp_path)
    told = run(
        "init", "--project", "my-project", "--location", "us-central1-a", "--model", "google/gemma-7b",
        "--goal", "try", "--", name,
    )  # fmt: skip
    assert told.exit_code == 2
    assert "letter or a digit" in told.stderr
    assert not list(tmp_path.glob("Pulumi.?*.yaml"))


def test_what_is_no_file_is_no_stack_to_compare(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}\n")
    (tmp_path / "Pulumi.folder.yaml").mkdir()
    os.mkfifo(tmp_path / "Pulumi.pipe.yaml")
    assert stacks_of(tmp_path) == ("dev",)


ASKED = {
    "fit": ("fit",),
    "estimate": ("estimate", "--input-tokens", "9", "--output-tokens", "9", "--concurrency", "1"),
    "advise": ("advise", "--goal", "cost"),
}


@pytest.mark.parametrize("command", ASKED)
def test_what_is_no_file_is_told_as_what_it_is(tmp_path: Path, command: str) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "folder" / "config.json")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s.json"))
    odd = {"pipe.json": "named pipe", "folder": "named pipe", "s.json": "socket", "/dev/null": "device"}
    for name, kind in odd.items():
        told = run(*ASKED[command], "--model", str(tmp_path / name))
        assert told.exit_code == 2
        assert f"is a {kind}, not a regular file" in " ".join(told.stderr.split()), told.stderr
