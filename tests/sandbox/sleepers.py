"""Sandboxes of the tests without a control plane: a written state, and processes that sleep."""

import socket
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil

from l4serve.sandbox.processes import ChildProcess, start_process
from l4serve.sandbox.state import SandboxState

SLEEP = [sys.executable, "-c", "import time; time.sleep(120)"]


def a_state(folder: Path, **values) -> SandboxState:
    folder.mkdir(parents=True, exist_ok=True)
    state = SandboxState(folder=folder, label="dev", version="v1.37.2", owner=None, server="https://127.0.0.1:1")
    state = replace(state, **values)
    state.save()
    return state


LINGERING = [
    sys.executable,
    "-c",
    """
import ctypes, socket, threading, time
port = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=time.sleep, args=(120,)).start()
print(port.getsockname()[1], flush=True)
ctypes.CDLL(None).syscall(60, 0)
""",
]
"""Says the port that it listens on, and loses its first thread, as a process does that was killed and still ends."""


def lingering(folder: Path, name: str = "etcd") -> tuple[ChildProcess, int]:
    """A process whose first thread is over, and the port that another of its threads holds."""
    child = start_process(name, LINGERING, folder)
    while psutil.Process(child.identity.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    return child, int(child.log.read_text(encoding="utf-8"))


def is_free(port: int) -> bool:
    """Whether nobody listens on a port of this machine."""
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) != 0
