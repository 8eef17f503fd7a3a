"""Kills `l4serve rehearse --keep` and `l4serve sandbox down` at random moments, and runs each again.

python -m benchmarks.engine.kill_rehearsals --kills 20 --seed 1

Prints one line a kill and a summary. A pair converges where the second rehearsal ends well with the objects of a clean
one, and the second end of the sandbox leaves no process, no listening port and no file but its lock.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import yaml
from kubernetes.client import ApiClient, CoreV1Api

from benchmarks.engine.kill_points import CONFIG, SPACE, objects
from l4serve.config.stack_file import SERVING_KEY
from l4serve.sandbox.lifecycle import find_kept
from l4serve.sandbox.paths import state_root
from l4serve.sandbox.strays import marked_processes

CLI = (sys.executable, "-c", "from l4serve.cli.start import main; main()")
REHEARSE = ("rehearse", "-f", "stack.yaml", "--keep", "--json")
DOWN = ("sandbox", "down")
LOCK = "kept.lock"


def run(folder: Path, *command: str) -> float:
    """Seconds of a command that ends well."""
    began = time.monotonic()
    done = subprocess.run([*CLI, *command], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return time.monotonic() - began


def killed(folder: Path, after_s: float, *command: str) -> bool:
    """Start a command and kill it after a while; whether it still ran then."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen([*CLI, *command], cwd=folder, stdin=quiet, stdout=quiet, stderr=quiet) as process:
        time.sleep(after_s)
        running = process.poll() is None
        process.send_signal(signal.SIGKILL)
    return running


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


def listening() -> set[int]:
    """Ports that the sandbox's processes listen on."""
    found = set()
    for marked in marked_processes(state_root()):
        connections = psutil.Process(marked.identity.pid).net_connections("tcp")
        found |= {each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN}
    return found


def left(folder: Path, ports: set[int]) -> list[str]:
    """What is left of a sandbox that was taken down: processes, ports, files."""
    processes = [f"process {each.identity.name}" for each in marked_processes(state_root())]
    taken = {each.laddr.port for each in psutil.net_connections("tcp") if each.status == psutil.CONN_LISTEN}
    files = [f"file {path}" for root in (state_root(), folder / "tmp") for path in root.rglob("*") if path.name != LOCK]
    return processes + [f"port {port}" for port in sorted(ports & taken)] + files


def one_pair(folder: Path, clean: dict[str, Any], moments: tuple[float, float]) -> dict[str, Any]:
    """A rehearsal and an end, each killed once and run again."""
    up_cut = killed(folder, moments[0], *REHEARSE)
    run(folder, *REHEARSE)
    found, ports = served(), listening()
    differing = sorted(name for name in found.keys() | clean.keys() if found.get(name) != clean.get(name))
    down_cut = killed(folder, moments[1], *DOWN)
    run(folder, *DOWN)
    rest = left(folder, ports)
    return {
        "moments": [round(each, 2) for each in moments],
        "cut": [up_cut, down_cut],
        "up": not differing,
        "differing": differing,
        "destroy": not rest,
        "left": rest,
    }


def measure(folder: Path, kills: int, seed: int) -> list[dict[str, Any]]:
    """The outcome of every pair, after a clean run that says how long the commands take."""
    (folder / "stack.yaml").write_text(yaml.safe_dump({"config": {SERVING_KEY: CONFIG}}), encoding="utf-8")
    up_s, clean = run(folder, *REHEARSE), served()
    down_s = run(folder, *DOWN)
    print(f"clean: rehearse {up_s:.1f} s, down {down_s:.1f} s, {len(clean)} objects", flush=True)
    chance = random.Random(seed)
    outcomes = []
    for index in range(kills):
        outcome = one_pair(folder, clean, (chance.uniform(0.2, up_s), chance.uniform(0.1, down_s)))
        print(index, json.dumps(outcome), flush=True)
        outcomes.append(outcome)
    return outcomes


def main() -> None:
    """Measure and print the summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "tmp").mkdir()
        os.environ |= {"L4SERVE_STATE_DIR": str(folder / "state"), "TMPDIR": str(folder / "tmp")}
        try:
            outcomes = measure(folder, asked.kills, asked.seed)
        finally:
            run(folder, *DOWN)
    print({"of": len(outcomes), **{name: sum(each[name] for each in outcomes) for name in ("up", "destroy")}})


if __name__ == "__main__":
    main()
