"""How long a rehearsal takes to name the death of a part of its control plane, and what it leaves behind.

    python -m benchmarks.component_deaths                 # the table of docs/security.md
    python -m benchmarks.component_deaths --kills 4 --parts kube-scheduler

Each rehearsal is a command of its own; a part is killed at a random moment from its start on. Exits 1 where a death is
not named, takes longer than 5 s, or leaves a process.
"""

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from l4serve.sandbox.lifecycle import find_strays
from l4serve.sandbox.paths import state_root
from l4serve.sandbox.processes import ProcessIdentity
from l4serve.sandbox.state import read_state

PARTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
MOST_SECONDS = 5.0
_DEATH = "{} ended with status"
_STARTS_WITHIN_S = 240.0
_COMMAND = (sys.executable, "-c", "from l4serve.cli.start import main; main()", "rehearse")


@dataclass(frozen=True)
class Death:
    """One part that was killed in one rehearsal."""

    part: str
    after: float
    """Seconds after its start."""
    seconds: float
    """Until the command said so."""
    queued: float
    """Seconds of them in which a thread of the command, or of who listened to it, waited for a processor."""
    named: bool
    output: str
    strays: int

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong with how it went."""
        found = (
            ("is not named", not self.named),
            (f"is named after {self.seconds:.1f} s", self.seconds > MOST_SECONDS),
            (f"leaves {self.strays} processes", self.strays > 0),
            ("is told by a trace", "Traceback" in self.output),
        )
        return tuple(what for what, holds in found if holds)


def kill(part: str, after: float, stack: Path) -> Death | None:
    """Kills a part of a fresh rehearsal so many seconds after its start; None where the rehearsal was over by then."""
    with _own_state_folder():
        command = subprocess.Popen(
            (*_COMMAND, "-f", str(stack)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
        )
        try:
            found = _started(part, command)
            if found is None:
                raise SystemExit(f"no {part} came up: {command.communicate()[0]}")
            time.sleep(after)
            if command.poll() is not None:
                return None
            before, began = _queued(command.pid), time.monotonic()
            with contextlib.suppress(ProcessLookupError):
                os.kill(found.pid, signal.SIGKILL)
            output, seconds, queued = _until_named(command, part, began)
        finally:
            if command.poll() is None:
                command.kill()
                command.wait()
        if command.returncode == 0:
            return None
        named = command.returncode == 1 and _DEATH.format(part) in output
        return Death(part, after, seconds, max(0.0, queued - before), named, output, len(find_strays()))


def _queued(pid: int) -> float:
    """Seconds that the threads of a process and of this one have waited for a processor so far; 0 if nobody counts."""
    waited = 0
    for file in (*Path(f"/proc/{pid}/task").glob("*/schedstat"), *Path("/proc/self/task").glob("*/schedstat")):
        with contextlib.suppress(OSError):  # of a thread that ended meanwhile
            waited += int(file.read_text("ascii").split()[1])
    return waited / 1e9


def _until_named(command: "subprocess.Popen[str]", part: str, began: float) -> tuple[str, float, float]:
    """All that the command prints, and the seconds until it names the part, or ends, with what was queued by then."""
    assert command.stdout is not None
    lines, seconds, queued = [], None, 0.0
    for line in command.stdout:
        lines.append(f"{time.monotonic() - began:6.2f} {line}")
        if seconds is None and _DEATH.format(part) in line:
            seconds, queued = time.monotonic() - began, _queued(command.pid)
    command.wait(timeout=300)
    return "".join(lines), time.monotonic() - began if seconds is None else seconds, queued


@contextlib.contextmanager
def _own_state_folder() -> Iterator[None]:
    before = os.environ.get("L4SERVE_STATE_DIR")
    with tempfile.TemporaryDirectory(prefix="deaths-") as folder:
        os.environ["L4SERVE_STATE_DIR"] = folder
        try:
            yield
        finally:
            os.environ.pop("L4SERVE_STATE_DIR")
            if before is not None:
                os.environ["L4SERVE_STATE_DIR"] = before


def _started(part: str, command: "subprocess.Popen[str]") -> ProcessIdentity | None:
    deadline = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < deadline and command.poll() is None:
        for folder in state_root().glob("passing-*"):
            state = read_state(folder)
            for process in state.processes if state else ():
                if process.name == part:
                    return process
        time.sleep(0.01)
    return None


def main() -> None:
    """Prints a row per part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=6, help="of each part")
    parser.add_argument("--latest", type=float, default=6.0, help="seconds after its start")
    parser.add_argument("--parts", nargs="+", default=PARTS, choices=PARTS)
    parser.add_argument("--stack", type=Path, default=Path("Pulumi.guide.yaml"))
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    broken = []
    print("| part | kills | named | slowest, s | left behind |\n|---|---|---|---|---|", flush=True)
    for part in options.parts:
        deaths: list[Death] = []
        while len(deaths) < options.kills:
            # Among them one at once, while the rest of the control plane still waits for it.
            after = rng.uniform(0, options.latest) if deaths else 0.0
            if (death := kill(part, after, options.stack)) is not None:
                deaths.append(death)
        broken += [death for death in deaths if death.faults]
        named, slowest = sum(death.named for death in deaths), max(death.seconds for death in deaths)
        left = sum(death.strays for death in deaths)
        print(f"| {part} | {len(deaths)} | {named} | {slowest:.1f} | {left} |", flush=True)
    for death in broken:
        print(f"{death.part} killed {death.after:.2f} s after its start {', '.join(death.faults)}:\n{death.output}")
    raise SystemExit(1 if broken else 0)


if __name__ == "__main__":
    main()
