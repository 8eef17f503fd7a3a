"""Processes of the sandbox: each in its own group, known by pid and start time, ended without a trace."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import psutil

from l4serve.config.frozen import frozen
from l4serve.sandbox.errors import SandboxError

FOLDER_MARK = "L4SERVE_SANDBOX"
"""Variable in the environment of each process of a sandbox: the sandbox's folder."""
OWNER_MARK = "L4SERVE_SANDBOX_OWNER"
"""Variable beside it: pid and start of the command that started it."""
_SELDOM_COLLECTING = {"GOGC": "400"}
"""A sandbox lives for minutes: a tenth of its start's work were Go's looks for garbage."""
_START_TOLERANCE_S = 0.02
"""Slack when start times are compared: the kernel keeps them in hundredths of a second."""
_END_TIMEOUT_S = 10.0
_END_POLL_S = 0.02
_MARK_TIMEOUT_S = 5.0
_MARK_POLL_S = 0.001
_LOG_TAIL_LINES = 12


@frozen(kw_only=True)
class ProcessIdentity:
    """A process that no other one can be mistaken for, even after its pid was given away again."""

    name: str
    pid: int
    started: float
    """Seconds from boot, which no change of the clock moves; where the system does not tell, since the epoch."""

    def is_alive(self) -> bool:
        """Whether this very process still runs, or still ends; a zombie without threads does neither."""
        return same_start(self.pid, self.started)


def this_process() -> ProcessIdentity:
    """The identity of the running interpreter."""
    return identify("l4serve", os.getpid())


def identify(name: str, pid: int) -> ProcessIdentity:
    """The identity of a running process. Raises psutil.NoSuchProcess."""
    return ProcessIdentity(name=name, pid=pid, started=_start(pid))


def same_start(pid: int, started: float) -> bool:
    """Whether the process with this pid runs and began at that time."""
    try:
        return abs(_start(pid) - started) <= _START_TOLERANCE_S and not is_over(pid)
    except (psutil.NoSuchProcess, ValueError, OverflowError):
        return False


def is_over(pid: int) -> bool:
    """Whether a process is a zombie, and no thread of it is left that ends after the first and still holds its ports.

    Raises psutil.NoSuchProcess.
    """
    return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE and len(threads(pid)) <= 1


def threads(pid: int) -> list[Path]:
    """What the kernel tells of each thread of a process; empty where it is gone or the system tells nothing."""
    try:
        return [*Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return []


def _start(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return psutil.Process(pid).create_time()
    # The name in brackets may hold anything; the start is the 22nd field, the 20th behind it.
    return int(status.rpartition(b")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")


@frozen(kw_only=True)
class ChildProcess:
    """A process that this one started."""

    identity: ProcessIdentity
    log: Path
    handle: subprocess.Popen[bytes]

    def require_alive(self) -> None:
        """Raise SandboxError with the end of the log where the process is over."""
        status = self.handle.poll()
        if status is not None:
            raise SandboxError(
                f"{self.identity.name} ended with status {status}.",
                remedy="the end of its log stands above; try again",
                detail=log_tail(self.log),
            )

    def disown(self) -> None:
        """Let the process outlive this one; without a status Popen would warn that it was left running."""
        self.handle.returncode = 0


def start_process(name: str, argv: Sequence[str], folder: Path) -> ChildProcess:
    """Start `argv` in `folder`, in a session of its own, with its output in `<folder>/<name>.log`.

    Its environment is PATH, HOME as `folder`, how often Go collects, and the marks by which it is found: nothing of the
    user's leaks in, nothing is left outside. Raises SandboxError where it cannot be started.
    """
    log = folder / f"{name}.log"
    owner = this_process()
    environment = {
        **_SELDOM_COLLECTING,
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        FOLDER_MARK: str(folder.resolve()),
        OWNER_MARK: f"{owner.pid}:{owner.started}",
    }
    with log.open("ab") as output:
        try:
            handle = subprocess.Popen(
                argv,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise SandboxError(
                f"{name} cannot be started: {error.strerror}.",
                remedy=f"remove {Path(argv[0]).parent}, which is built again, and try again",
            ) from None
    _await_mark(handle.pid)
    return ChildProcess(identity=identify(name, handle.pid), log=log, handle=handle)


def _await_mark(pid: int) -> None:
    """Until a new process is found by its mark: the kernel tells of a program before it lays its environment out."""
    deadline = time.monotonic() + _MARK_TIMEOUT_S
    with contextlib.suppress(psutil.Error):  # it is gone, or its environment is not told
        process = psutil.Process(pid)
        while FOLDER_MARK not in process.environ() and time.monotonic() < deadline:
            if process.status() == psutil.STATUS_ZOMBIE:
                return
            time.sleep(_MARK_POLL_S)


def end_processes(processes: Iterable[ProcessIdentity]) -> None:
    """Kill the groups of those that still are what they were, and wait until they are gone.

    Killed rather than asked: the only data is the sandbox's own, which goes with it.
    """
    alive = [process for process in processes if process.is_alive()]
    for process in alive:
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(process.pid) == process.pid:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                os.kill(process.pid, signal.SIGKILL)
    for process in alive:
        _await_end(process)


def log_tail(log: Path, lines: int = _LOG_TAIL_LINES) -> str:
    """The last lines of a log, or nothing where there is none."""
    try:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def _await_end(process: ProcessIdentity) -> None:
    deadline = time.monotonic() + _END_TIMEOUT_S
    while process.is_alive():
        if time.monotonic() > deadline:
            raise SandboxError(
                f"{process.name} (pid {process.pid}) did not end.",
                remedy=f"end it with `kill -9 {process.pid}`",
            )
        time.sleep(_END_POLL_S)
    _reap(process.pid)


def _reap(pid: int) -> None:
    """Collect an ended child, which would stay a zombie; another process's child is not ours to collect."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
