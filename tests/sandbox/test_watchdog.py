"""A command hears of the death of a part of its sandbox while it waits for something else."""

import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from l4serve.sandbox.errors import SandboxError
from l4serve.sandbox.processes import start_process
from l4serve.sandbox.watchdog import interrupted_by_death

SLEEP = [sys.executable, "-c", "import time; time.sleep(120)"]


@pytest.mark.slow
def test_a_death_is_named_while_the_main_thread_waits(tmp_path: Path) -> None:
    child = start_process("kube-scheduler", SLEEP, tmp_path)
    silent, _other_end = socket.socketpair()
    silent.settimeout(30)
    began = time.monotonic()
    os.kill(child.identity.pid, signal.SIGKILL)
    heard: list[str] = []
    watched = interrupted_by_death(child.require_alive, lambda task, _done, _total, /: heard.append(task))
    with pytest.raises(SandboxError, match="kube-scheduler ended"), watched:
        silent.recv(1)
    assert time.monotonic() - began < 5
    assert heard == ["kube-scheduler ended with status -9; ending the rest"]


def test_an_end_without_a_death_restores_the_signal(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGUSR1)
    with interrupted_by_death(lambda: None):
        pass
    assert signal.getsignal(signal.SIGUSR1) == before
