"""Kills the Pulumi CLI at random moments of up and destroy, runs it again and holds what is left to a clean run.

python -m benchmarks.engine.kill_points --kills 20 --seed 1

Prints one line a pair and a summary. Nobody ends what a killed command had started: the second run is beside it.
"""

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from kubernetes.client import ApiClient, AppsV1Api, CoreV1Api, PolicyV1Api
from kubernetes.client.exceptions import ApiException

from benchmarks.engine.killing import Pair, Subject, differing, kill_after, main, scratch, timed
from l4serve.sandbox.planned_nodes import planned_nodes
from tests.factories import EXISTING, planned, serving, workload
from tests.pulumi_cli.conftest import ControlPlane, engine_on, nodes_of, plane_of
from tests.pulumi_cli.cut_off import unlock
from tests.pulumi_cli.engine import Engine

STACK = "killed"
SPACE = "llm-killed"
ORPHANS_END_S = 10.0
"""What the killed command had started looks once a second whether it still lives."""


def stack(**workloads: Any) -> dict[str, Any]:
    """A config of these workloads, in a pool with room for both configs and a pod more while pods are renewed."""
    pools = {"l4": {"machineType": "g2-standard-8", "maxNodes": 5}}
    return serving(workloads, cluster=EXISTING, pools=pools, namespace=SPACE)


CONFIG = stack(a=workload(replicas=2), b=workload())


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


@dataclass
class Updates:
    """`pulumi up` and `pulumi destroy` of a small stack."""

    plane: ControlPlane
    undisturbed: dict[str, Any] = field(default_factory=dict)

    def clean(self) -> tuple[float, float]:
        """As Subject says."""
        with tempfile.TemporaryDirectory() as folder:
            engine = self.engine(Path(folder))
            up_s = timed(engine.up)
            self.undisturbed = objects(self.plane.client)
            return up_s, timed(engine.destroy)

    def pair(self, moments: tuple[float, float]) -> Pair:
        """As Subject says."""
        with tempfile.TemporaryDirectory() as folder:
            engine = self.engine(Path(folder))
            up_cut, family = killed(engine, "up", moments[0])
            unlock(engine)
            engine.up()
            found = objects(self.plane.client)
            down_cut, more = killed(engine, "destroy", moments[1])
            unlock(engine)
            engine.destroy()
            left = [*self.left(engine), *alive([*family, *more])]
        return Pair(moments, (up_cut, down_cut), differing(found, self.undisturbed), tuple(left))

    def engine(self, folder: Path) -> Engine:
        """A stack that is not up yet."""
        engine = engine_on(self.plane, folder, STACK)
        engine.configure(CONFIG)
        return engine

    def left(self, engine: Engine) -> list[str]:
        """Resources that the state still has, and the namespace if it is there."""
        state = json.loads(engine.call("stack", "export").stdout)["deployment"].get("resources") or []
        return [f"resource {each['urn']}" for each in state] + ([] if self._gone() else [f"namespace {SPACE}"])

    def _gone(self) -> bool:
        try:
            CoreV1Api(self.plane.client).read_namespace(SPACE)
        except ApiException as error:
            return error.status == 404
        return False


def killed(engine: Engine, command: str, after_s: float) -> tuple[bool, list[psutil.Process]]:
    """Whether a command still ran when it was killed, and what it had started by then."""
    family: list[psutil.Process] = []
    process = engine.start(command, "--yes", "--skip-preview")
    cut = kill_after(process, after_s, lambda: family.extend(psutil.Process(process.pid).children(recursive=True)))
    return cut, family


def alive(family: list[psutil.Process]) -> list[str]:
    """What of it lives on."""
    _, running = psutil.wait_procs(family, timeout=ORPHANS_END_S)
    return [f"process {each.name()}" for each in running]


def run(subject: Callable[[ControlPlane], Subject], measured: Callable[[Subject], None]) -> None:
    """The stack's updates on a sandbox with its nodes."""
    nodes = planned_nodes(planned(CONFIG, project=None))
    with scratch() as folder, plane_of(folder / "tmp", "kill points") as plane, nodes_of(plane, nodes):
        measured(subject(plane))


if __name__ == "__main__":
    main(__doc__, partial(run, Updates))
