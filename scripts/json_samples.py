"""Documents of the commands that need a sandbox or a server, from the values that those commands print."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from l4serve.cli.answers.sandbox_view import rehearsal_json
from l4serve.cli.commands.sandbox_commands import state_json, strays_json
from l4serve.planning.machines.allocatable import allocatable, capacity
from l4serve.planning.machines.shapes import find_shape
from l4serve.sandbox.apply import ApplyFailure
from l4serve.sandbox.nodes import FakeNode
from l4serve.sandbox.pod_locations import PodPlacement
from l4serve.sandbox.processes import ProcessIdentity
from l4serve.sandbox.rehearsal import Rehearsal
from l4serve.sandbox.state import SandboxState
from l4serve.sandbox.strays import MarkedProcess
from l4serve.verification.checks import CheckResult
from l4serve.verification.doctor_finding import bad, findings_json, ok, unknown
from l4serve.verification.latency import Latency
from l4serve.verification.report import Report, combined_json

BENCH_REPORT = {
    "completed": 100, "request_throughput": 0.5, "output_throughput": 40.0, "mean_ttft_ms": 100.0,
    "mean_itl_ms": 20.0, "mean_tpot_ms": 20.0, "mean_e2el_ms": 5000.0,
}  # fmt: skip
"""Figures of `vllm bench serve`, as its report has them."""
NATIVE_STACK = """\
config:
  gcp:project: my-project
  gke-llm-serving:serving:
    cluster: {mode: standard, name: llm, location: us-central1-a, minVersion: 1.35.1-gke.1396000}
    nodePools:
      l4: {machineType: g2-standard-8, maxNodes: 3}
    workloads:
      qwen:
        model: {id: Qwen/Qwen2.5-1.5B-Instruct}
        engine: {kind: vllm, version: 0.26.0, maxModelLen: 8192}
        autoscaling: {maxReplicas: 2, metricsFrom: gke}
      tight:
        model: {id: google/gemma-7b}
        engine: {kind: vllm, version: 0.26.0, maxModelLen: 6144}
"""
"""A stack whose autoscaler reads the metrics that GKE hands on, for which its cluster gets a profile, and a model that
fits by less than is uncertain, for which the plan has remedies."""
FULL_STACK = """\
config:
  gcp:project: my-project
  gke-llm-serving:serving:
    cluster:
      mode: standard
      name: llm
      location: us-central1
      zones: [us-central1-a]
      nodeServiceAccount: nodes@my-project.iam.gserviceaccount.com
      authorizedNetworks: [{cidr: 203.0.113.0/24}]
      databaseEncryptionKey: projects/p/locations/us-central1/keyRings/r/cryptoKeys/k
      maintenance: {start: "2025-01-04T02:00:00Z", end: "2025-01-04T10:00:00Z", recurrence: "FREQ=WEEKLY;BYDAY=SA,SU"}
      monitoring: {components: [POD]}
      resourceLabels: {team: serving}
      systemPool: {zones: [us-central1-a], fallbackMachineTypes: [n2-standard-4]}
    nodePools:
      l4:
        machineType: g2-standard-8
        maxNodes: 3
        maxPodsPerNode: 32
        upgrade: {strategy: blue-green, batchNodes: 1, batchSoakSeconds: 60, poolSoakSeconds: 600}
        secondaryBootDisk: {image: projects/my-project/global/images/engine}
      packed: {machineType: g2-standard-8, zones: [us-central1-a], placement: {}}
    workloads:
      qwen:
        model: {id: Qwen/Qwen2.5-1.5B-Instruct}
        engine: {kind: vllm, version: 0.26.0, maxModelLen: 8192}
        nodePool: l4
    monitoring: {alerts: {}}
"""
"""A stack that sets what the examples leave out."""
UNSIZED_STACK = """\
config:
  gke-llm-serving:serving:
    cluster: {mode: standard, name: llm, location: us-central1-a}
    nodePools:
      l4: {machineType: g2-standard-8, maxNodes: 3}
    workloads:
      own:
        model: {id: acme/own-7b}
        engine: {kind: vllm, version: 0.26.0, maxModelLen: 8192}
"""
"""A stack without `gcp:project`, of a model outside the catalogue: what neither tells is null in its documents."""
UNTOLD_STACK = """\
config:
  gcp:project: my-project
  gke-llm-serving:serving:
    cluster: {mode: existing, name: llm, location: us-central1-a}
    nodePools:
      l4: {machineType: g2-standard-8, minNodes: 0, maxNodes: 3}
    workloads:
      own:
        model: {id: acme/own-7b}
        engine: {kind: vllm, version: 0.26.0}
"""
"""A stack that leaves to the engine how long the context of an unknown model is, in a cluster of others: the least that
it costs is not stated."""
STACK_FILES = {"native": NATIVE_STACK, "full": FULL_STACK, "unsized": UNSIZED_STACK, "untold": UNTOLD_STACK}
"""The stacks above by the name of the file that they are written to."""
_PROCESS = ProcessIdentity(name="etcd", pid=0, started=0.0)
_NODE = "l4-0"


def _node() -> FakeNode:
    shape = find_shape("g2-standard-8")
    assert shape is not None, "the table has the machine of the examples"
    return FakeNode(
        name=_NODE,
        pool="l4",
        machine_type=shape.machine_type,
        zone="us-central1-a",
        capacity=capacity(shape, boot_disk_gib=100),
        allocatable=allocatable(shape, boot_disk_gib=100),
    )


def _pod(*, runs: bool) -> PodPlacement:
    return PodPlacement(
        namespace="llm-serving",
        workload="qwen",
        pod="qwen-0" if runs else "",
        node=_NODE if runs else None,
        machine_type="g2-standard-8" if runs else None,
        zone="us-central1-a" if runs else None,
        gpus=1,
        phase="Running" if runs else "Pending",
        ready=runs,
        final=True,
        reason=None if runs else "0/1 nodes are available",
    )


def _rehearsal(pod: PodPlacement, failures: tuple[ApplyFailure, ...] = (), kubeconfig: Path | None = None) -> Any:
    return rehearsal_json(
        Rehearsal(
            label="dev",
            version="v1.37.2",
            nodes=(_node(),),
            placements=(pod,),
            failures=failures,
            seconds=12.3,
            kubeconfig=kubeconfig,
        )
    )


def _rehearsals() -> list[Any]:
    refused = (ApplyFailure(object="Secret x", reason="refused"),)
    return [_rehearsal(_pod(runs=True)), _rehearsal(_pod(runs=False), refused, Path("/state/kubeconfig"))]


def _states() -> list[Any]:
    folder = Path("/state")
    up = SandboxState(
        folder=folder,
        label="dev",
        version="v1.37.2",
        owner=None,
        server="https://127.0.0.1:1",
        processes=(_PROCESS,),
    )
    stray = MarkedProcess(identity=_PROCESS, folder=folder, owner_is_alive=False)
    return [{"running": False}, state_json(up), state_json(up) | strays_json((stray,))]


def _reports() -> list[Report]:
    latency = Latency(0.03, 0.01, 0.01, 16)
    short = Latency(0.03, None, None, 1)
    return [
        Report("qwen", (CheckResult("health", "pass", "answered 200", 0.1, latency),), Latency(0.03, 0.01, None, 16)),
        Report("qwen", (CheckResult("health", "pass", "answered 200", 0.1, latency),), latency),
        Report("qwen", (CheckResult("health", "fail", "503", 0.1, short), CheckResult("chat", "skip", "", 0.0))),
        Report("qwen", ()),
    ]


def _findings() -> list[Any]:
    found = (
        ok("login", "application default credentials"),
        bad("quota", "1 of 4", "ask for 3 more"),
        unknown("a", "b"),
    )
    return [findings_json(found)]


SAMPLES: Mapping[str, Callable[[], list[Any]]] = {
    "doctor": _findings,
    "rehearse": _rehearsals,
    "sandbox-status": _states,
    "verify-url": lambda: [report.to_json() for report in _reports()],
    "verify-stack": lambda: [combined_json("dev", [report]) for report in _reports()],
}
"""What each of them prints, whatever a sandbox or a server answered."""
