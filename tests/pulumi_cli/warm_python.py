"""A Python that has loaded what every run of the program loads, and forks for each: half of a preview is that loading.

`warm_python.py serve SOCKET PARENT` waits and forks. `warm_python.py call SOCKET COMMAND ARGUMENTS` runs a command of
the language host in a fork, with the caller's folder, environment and output, and ends with its status; a fork ends
with its caller. The runs share imports, and the models and tables that a plan makes at its first use.
"""

import gc
import importlib
import json
import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

LOADED = (
    "tests.pulumi_cli.language_host",
    "pulumi_kubernetes.apps.v1",
    "pulumi_kubernetes.core.v1",
    "pulumi_kubernetes.meta.v1",
    "pulumi_kubernetes.networking.v1",
    "pulumi_kubernetes.policy.v1",
    "grpc._channel",
    "stacks.serving",
    "stacks.settings",
    "l4serve.verification.cluster_access",
)


_ORPHAN_POLL_S = 0.5
_STACK = Path(__file__).resolve().parents[2] / "Pulumi.guide.yaml"


def serve(path: str, parent: int) -> None:
    """Fork for each caller until this is ended, or the process that started it is gone."""
    for name in LOADED:
        importlib.import_module(name)
    _plan_one()
    gc.freeze()
    assert threading.active_count() == 1, "a fork has none of its parent's threads"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(64)
        listener.settimeout(_ORPHAN_POLL_S)
        while os.getppid() == parent:
            _reap()
            try:
                caller, _ = listener.accept()
            except TimeoutError:
                continue
            if os.fork() == 0:
                listener.close()
                _serve_one(caller)
            caller.close()


def _plan_one() -> None:
    """The models of the config and the tables of the plan are made at their first use."""
    from l4serve.config.stack_file import read_stack_file
    from l4serve.planning.stack.stack_planner import plan_stack

    plan_stack(read_stack_file(_STACK))


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _serve_one(caller: socket.socket) -> None:
    status = 1
    try:
        header, streams, _, _ = socket.recv_fds(caller, 8, 2)
        for stream, number in zip(streams, (1, 2), strict=True):
            os.dup2(stream, number)
            os.close(stream)
        asked = json.loads(_exactly(caller, int.from_bytes(header, "big")))
        os.chdir(asked["folder"])
        os.environ.clear()
        os.environ.update(asked["environment"])
        threading.Thread(target=_end_with, args=(caller,), daemon=True).start()
        from tests.pulumi_cli import language_host

        status = language_host.command(asked["command"], asked["told"])
        caller.sendall(bytes([status]))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _exactly(stream: socket.socket, count: int) -> bytes:
    content = b""
    while len(content) < count:
        more = stream.recv(count - len(content))
        if not more:
            raise EOFError
        content += more
    return content


def _end_with(caller: socket.socket) -> None:
    caller.recv(1)
    os._exit(1)


def call(path: str, command: list[str], told: str = "") -> int:
    """Status of a command that runs in a fork; 1 where the fork was ended."""
    asked = {"folder": str(Path.cwd()), "environment": dict(os.environ), "command": command, "told": told}
    content = json.dumps(asked).encode()
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        socket.send_fds(server, [len(content).to_bytes(8, "big")], [1, 2])
        server.sendall(content)
        status = server.recv(1)
    return status[0] if status else 1


def _end_when_orphaned(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_ORPHAN_POLL_S)
    os._exit(1)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2], int(sys.argv[3]))
        sys.exit()
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    threading.Thread(target=_end_when_orphaned, args=(os.getppid(),), daemon=True).start()
    sys.exit(call(sys.argv[2], sys.argv[3:]))
