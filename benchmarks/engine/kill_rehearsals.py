"""Kills `l4serve rehearse --keep` and `l4serve sandbox down` at random moments, and runs each again.

python -m benchmarks.engine.kill_rehearsals --kills 20 --seed 1

Prints one line a pair and a summary. A pair converges where the second rehearsal ends well with the objects of a clean
one, and the second end of the sandbox leaves no process, no listening port and no file but its lock.
"""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import yaml
from kubernetes.client import ApiClient, CoreV1Api

from benchmarks.engine.kill_points import CONFIG, SPACE, objects
from benchmarks.engine.killing import Pair, Subject, differing, kill_after, main, scratch, timed
from l4serve.config.stack_file import SERVING_KEY
from l4serve.sandbox.lifecycle import find_kept
from l4serve.sandbox.paths import state_root
from l4serve.sandbox.strays import MarkedProcess, marked_processes

CLI = (sys.executable, "-c", "from l4serve.cli.start import main; main()")
REHEARSE = ("rehearse", "-f", "stack.yaml", "--keep", "--json")
DOWN = ("sandbox", "down")
LOCK = "kept.lock"


@dataclass
class Rehearsals:
    """A kept rehearsal and its end, from a folder with the stack's file."""

    folder: Path
    undisturbed: dict[str, Any] = field(default_factory=dict)

    def clean(self) -> tuple[float, float]:
        """As Subject says."""
        up_s = timed(lambda: self.run(*REHEARSE))
        self.undisturbed = served()
        return up_s, timed(lambda: self.run(*DOWN))

    def pair(self, moments: tuple[float, float]) -> Pair:
        """As Subject says."""
        up_cut = self._killed(moments[0], *REHEARSE)
        self.run(*REHEARSE)
        found, ports = served(), listening()
        down_cut = self._killed(moments[1], *DOWN)
        self.run(*DOWN)
        return Pair(moments, (up_cut, down_cut), differing(found, self.undisturbed), tuple(left(self.folder, ports)))

    def run(self, *command: str) -> None:
        """Run a command that has to end well."""
        done = subprocess.run([*CLI, *command], cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}")

    def _killed(self, after_s: float, *command: str) -> bool:
        quiet = subprocess.DEVNULL
        return kill_after(
            subprocess.Popen([*CLI, *command], cwd=self.folder, stdin=quiet, stdout=quiet, stderr=quiet), after_s
        )


def served() -> dict[str, Any]:
    """What the kept sandbox holds: the stack's own objects as they were asked for, where its pods run, its nodes."""
    state = find_kept()
    assert state is not None
    with state.client() as client:
        return objects(client) | _pods_and_nodes(client)


def _pods_and_nodes(client: ApiClient) -> dict[str, Any]:
    core = CoreV1Api(client)
    phases = sorted(pod.status.phase for pod in core.list_namespaced_pod(SPACE).items)
    return {"pods": phases, "nodes": sorted(node.metadata.name for node in core.list_node().items)}


def ours() -> list[MarkedProcess]:
    """Processes of sandboxes in this run's own state folder."""
    return [marked for marked in marked_processes() if marked.is_below(state_root())]


def listening() -> set[int]:
    """Ports that the sandbox's processes listen on."""
    found = set()
    for marked in ours():
        connections = psutil.Process(marked.identity.pid).net_connections("tcp")
        found |= {each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN}
    return found


def left(folder: Path, ports: set[int]) -> list[str]:
    """What is left of a sandbox that was taken down: processes, ports, files."""
    processes = [f"process {each.identity.name}" for each in ours()]
    taken = {each.laddr.port for each in psutil.net_connections("tcp") if each.status == psutil.CONN_LISTEN}
    files = [f"file {path}" for root in (state_root(), folder / "tmp") for path in root.rglob("*") if path.name != LOCK]
    return processes + [f"port {port}" for port in sorted(ports & taken)] + files


def run(measured: Callable[[Subject], None]) -> None:
    """The rehearsals of a small stack, none of which is left behind."""
    with scratch() as folder:
        (folder / "stack.yaml").write_text(yaml.safe_dump({"config": {SERVING_KEY: CONFIG}}), encoding="utf-8")
        rehearsals = Rehearsals(folder)
        try:
            measured(rehearsals)
        finally:
            rehearsals.run(*DOWN)


if __name__ == "__main__":
    main(__doc__, run)
