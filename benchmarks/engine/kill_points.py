"""Kills the Pulumi CLI at random moments of up and destroy, runs it again and holds what is left to a clean run.

python -m benchmarks.engine.kill_points --kills 20 --seed 1

Prints one line a kill and a summary. A pair converges where the second run ends well, the objects are those of a clean
run, or none after a destroy. Nobody ends what a killed command had started: the second run is beside it, and the
summary says what of it lives on.
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
from typing import Any, NamedTuple

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
ORPHANS_END_S = 330.0
"""By its source a provider looks every five minutes whether its engine still lives; some were seen to live longer."""
CONFIG = serving(
    {"a": workload(replicas=2), "b": workload()},
    cluster=EXISTING,
    pools={"l4": {"machineType": "g2-standard-8", "maxNodes": 4}},
    namespace=SPACE,
)


class Pair(NamedTuple):
    """What came of one kill of an up and one of a destroy."""

    moments: tuple[float, float]
    differing: tuple[str, ...]
    """Objects that are not those of a clean run after the second up."""
    nothing_left: bool
    """Whether the second destroy left neither an object nor a resource in the state."""
    orphans: tuple[psutil.Process, ...]
    """What the killed commands had started and what outlived them."""

    def text(self) -> str:
        """One line of the report."""
        moments = ", ".join(f"{moment:.1f} s" for moment in self.moments)
        up = "the same objects" if not self.differing else f"differing: {', '.join(self.differing)}"
        return f"killed at {moments}: {up}, {'nothing' if self.nothing_left else 'SOMETHING'} left after the destroy"


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


def killed(engine: Engine, command: str, after_s: float) -> list[psutil.Process]:
    """Start a command and kill the CLI after a while; what it had started, which nobody ends."""
    process = engine.start(command, "--yes", "--skip-preview")
    time.sleep(after_s)
    family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.send_signal(signal.SIGKILL)
    process.wait()
    return family


def timed(step: Callable[[], object]) -> float:
    began = time.monotonic()
    step()
    return time.monotonic() - began


def one_pair(plane: ControlPlane, clean: dict[str, Any], moments: tuple[float, float]) -> Pair:
    """One stack whose up and whose destroy are each killed once and run again beside what the kill left."""
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
    return Pair(moments, tuple(differing), gone(plane) and not rest, tuple(orphans))


def measure(plane: ControlPlane, kills: int, seed: int) -> list[Pair]:
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
        print(index, outcome.text(), flush=True)
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
    _, alive = psutil.wait_procs([each for pair in outcomes for each in pair.orphans], timeout=ORPHANS_END_S)
    up, destroy = (sum(not pair.differing for pair in outcomes), sum(pair.nothing_left for pair in outcomes))
    print({"of": len(outcomes), "up": up, "destroy": destroy, "processes left": [each.name() for each in alive]})


if __name__ == "__main__":
    main()
