"""Processes that are told apart by pid and start time, and that end without a trace."""

import ast
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from l4serve.sandbox.errors import SandboxError
from l4serve.sandbox.processes import (
    _MARK_TIMEOUT_S,
    FOLDER_MARK,
    ChildProcess,
    end_processes,
    log_tail,
    start_process,
    this_process,
)
from tests.sandbox.sleepers import is_free, lingering

SLEEP = [sys.executable, "-c", "import time; time.sleep(120)"]


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[ChildProcess]:
    child = start_process("sleeper", SLEEP, tmp_path)
    yield child
    if child.handle.poll() is None:
        os.killpg(child.identity.pid, signal.SIGKILL)
        child.handle.wait()


def test_a_process_gets_a_group_of_its_own_so_that_ctrl_c_does_not_reach_it(sleeper: ChildProcess) -> None:
    assert os.getpgid(sleeper.identity.pid) == sleeper.identity.pid != os.getpgid(0)


def test_a_start_is_told_of_once_the_mark_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel closes the pipe that Popen waits for before it lays the environment out."""
    told: list[dict[str, str]] = []
    read = psutil.Process.environ

    def late(process: psutil.Process) -> dict[str, str]:
        told.append({} if len(told) < 3 else read(process))
        return told[-1]

    monkeypatch.setattr(psutil.Process, "environ", late)
    child = start_process("sleeper", SLEEP, tmp_path)
    end_processes([child.identity])
    assert [FOLDER_MARK in marks for marks in told] == [False, False, False, True]


def test_a_start_that_is_over_at_once_is_waited_for_no_longer(tmp_path: Path) -> None:
    began = time.monotonic()
    children = [start_process("over", ["/bin/false"], tmp_path) for _ in range(20)]
    assert time.monotonic() - began < _MARK_TIMEOUT_S
    assert [child.handle.wait() for child in children] == [1] * 20


def test_nothing_of_the_environment_but_path_reaches_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    child = start_process("env", [sys.executable, "-c", "import os; print(sorted(os.environ))"], tmp_path)
    child.handle.wait(timeout=30)
    names = set(ast.literal_eval(log_tail(child.log)))
    assert "HF_TOKEN" not in names
    assert {"PATH", "HOME"} <= names


def test_ending_waits_until_it_is_gone_and_leaves_no_zombie(sleeper: ChildProcess) -> None:
    assert sleeper.identity.is_alive()
    end_processes([sleeper.identity])
    assert not sleeper.identity.is_alive()
    assert not psutil.pid_exists(sleeper.identity.pid)


@pytest.mark.slow
def test_children_of_the_process_end_with_it(tmp_path: Path) -> None:
    program = f"import subprocess, time; print(subprocess.Popen({SLEEP!r}).pid, flush=True); time.sleep(120)"
    parent = start_process("parent", [sys.executable, "-c", program], tmp_path)
    while not (said := log_tail(parent.log)):
        parent.require_alive()
    grandchild = psutil.Process(int(said))
    end_processes([parent.identity])
    _, alive = psutil.wait_procs([grandchild], timeout=10)
    assert alive == [] or alive[0].status() == psutil.STATUS_ZOMBIE


def test_another_process_with_the_same_pid_is_neither_taken_for_it_nor_ended(sleeper: ChildProcess) -> None:
    earlier = replace(sleeper.identity, started=sleeper.identity.started - 60)
    assert not earlier.is_alive()
    end_processes([earlier])
    assert sleeper.identity.is_alive()


def test_ending_what_ended_already_is_no_error(sleeper: ChildProcess) -> None:
    end_processes([sleeper.identity])
    end_processes([sleeper.identity])


def test_a_process_that_ended_too_early_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    child = start_process("broken", [sys.executable, "-c", "print('no such flag'); raise SystemExit(3)"], tmp_path)
    child.handle.wait(timeout=30)
    with pytest.raises(SandboxError, match="broken ended with status 3") as reported:
        child.require_alive()
    assert reported.value.detail == "no such flag"


def test_the_tail_of_a_missing_log_is_empty(tmp_path: Path) -> None:
    assert log_tail(tmp_path / "none.log") == ""


def test_this_process_lives() -> None:
    assert this_process().is_alive()
    assert this_process().pid == os.getpid()


def test_a_zombie_does_not_count_as_alive() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    identity = replace(this_process(), pid=child.pid, started=psutil.Process(child.pid).create_time())
    while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
        pass
    assert not identity.is_alive()
    child.wait()


def test_a_process_ends_with_the_last_of_its_threads(tmp_path: Path) -> None:
    child, port = lingering(tmp_path)
    assert child.identity.is_alive() and not is_free(port)
    end_processes([child.identity])
    assert not child.identity.is_alive() and is_free(port)
