"""Kills the Pulumi CLI at random moments of up and destroy, runs it again and holds what is left to a clean run.

python -m benchmarks.engine.kill_points --kills 20 --seed 1

Prints one line a kill and a summary. A pair converges where the second run ends well, the objects are those of a clean
run, or none after a destroy, and no process of the killed command lives on.
"""

import argparse
import json
import os
import random
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from kubernetes.client import ApiClient, AppsV1Api, CoreV1Api, PolicyV1Api
from kubernetes.client.exceptions import ApiException

from l4serve.sandbox.lifecycle import running_sandbox
from l4serve.sandbox.planned_nodes import planned_nodes
from l4serve.sandbox.rehearsal import prepare
from tests.factories import EXISTING, planned, serving, workload
from tests.pulumi_cli.conftest import ControlPlane, engine_on, nodes_of
from tests.pulumi_cli.engine import Engine, path_of_engine

STACK = "killed"
SPACE = "llm-killed"
ORPHANS_END_S = 30.0
CONFIG = serving(
    {"a": workload(replicas=2), "b": workload()},
    cluster=EXISTING,
    pools={"l4": {"machineType": "g2-standard-8", "maxNodes": 4}},
    namespace=SPACE,
)


def objects(client: ApiClient) -> dict[str, Any]:
    """The stack's own objects as they were asked for, by kind and name."""
    apps, core, policy = AppsV1Api(client), CoreV1Api(client), PolicyV1Api(client)
    found: tuple[Any, ...] = (
        *apps.list_namespaced_deployment(SPACE).items,
        *core.list_namespaced_service(SPACE).items,
        *policy.list_namespaced_pod_disruption_budget(SPACE).items,
    )
    return {f"{type(each).__name__} {each.metadata.name}": _asked(each) for each in found}


def _asked(each: Any) -> Any:
    spec = each.spec.to_dict()
    for assigned in ("cluster_ip", "cluster_ips"):
        spec.pop(assigned, None)
    return {"labels": each.metadata.labels, "spec": spec}


def gone(plane: ControlPlane) -> bool:
    """Whether the namespace is no more."""
    try:
        CoreV1Api(plane.client).read_namespace(SPACE)
    except ApiException as error:
        return error.status == 404
    return False


def killed(engine: Engine, command: str, after_s: float) -> int:
    """Start a command, kill the CLI after a while, and count what of it still lives once that had time to notice."""
    process = engine.start(command, "--yes", "--skip-preview")
    time.sleep(after_s)
    family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.send_signal(signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(family, timeout=ORPHANS_END_S)
    for orphan in alive:
        orphan.kill()
    return len(alive)


def timed(step: Callable[[], object]) -> float:
    began = time.monotonic()
    step()
    return time.monotonic() - began


def one_pair(plane: ControlPlane, clean: dict[str, Any], moments: tuple[float, float]) -> dict[str, Any]:
    """One stack whose up and whose destroy are each killed once and run again."""
    with tempfile.TemporaryDirectory() as folder:
        engine = engine_on(plane, Path(folder), STACK)
        engine.configure(CONFIG)
        orphans = killed(engine, "up", moments[0])
        engine.call("cancel", "--yes")
        engine.up()
        found = objects(plane.client)
        differing = sorted(name for name in found.keys() | clean.keys() if found.get(name) != clean.get(name))
        orphans += killed(engine, "destroy", moments[1])
        engine.call("cancel", "--yes")
        engine.destroy()
        rest = json.loads(engine.call("stack", "export").stdout)["deployment"].get("resources")
    return {
        "moments": moments,
        "up": not differing,
        "differing": differing,
        "destroy": gone(plane) and not rest,
        "orphans": orphans,
    }


def measure(plane: ControlPlane, kills: int, seed: int) -> list[dict[str, Any]]:
    """The outcome of every pair, after a clean run that says how long the commands take."""
    with tempfile.TemporaryDirectory() as folder:
        engine = engine_on(plane, Path(folder), STACK)
        engine.configure(CONFIG)
        up_s, clean = timed(engine.up), objects(plane.client)
        down_s = timed(engine.destroy)
    print(f"clean: up {up_s:.1f} s, destroy {down_s:.1f} s, {len(clean)} objects", flush=True)
    chance = random.Random(seed)
    outcomes = []
    for index in range(kills):
        outcome = one_pair(plane, clean, (chance.uniform(0.2, up_s), chance.uniform(0.2, down_s)))
        print(index, outcome, flush=True)
        outcomes.append(outcome)
    return outcomes


def main() -> None:
    """Measure and print the summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["L4SERVE_STATE_DIR"] = folder
        path = path_of_engine(Path(folder))
        with running_sandbox("kill points") as state, state.client() as client:
            plane = ControlPlane(state, client, prepare(state, client, ()), path)
            with nodes_of(plane, planned_nodes(planned(CONFIG, project=None))):
                outcomes = measure(plane, asked.kills, asked.seed)
    good = {command: sum(each[command] for each in outcomes) for command in ("up", "destroy")}
    print({"of": len(outcomes), **good, "orphans": sum(each["orphans"] for each in outcomes)})


if __name__ == "__main__":
    main()
