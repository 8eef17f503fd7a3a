"""Reads from the API's objects where each pod of a rollout is, or why it is nowhere."""

from collections.abc import Mapping, Sequence

from l4serve.config.frozen import frozen
from l4serve.planning.packing.pod_requests import requests_of
from l4serve.sandbox.pods import KubeObject

_MACHINE_LABEL = "node.kubernetes.io/instance-type"
_ZONE_LABEL = "topology.kubernetes.io/zone"
_NOT_READY_TAINT = "node.kubernetes.io/not-ready"
NOT_CREATED = "NotCreated"
"""Phase shown for a pod that its Deployment could not make."""


@frozen(kw_only=True)
class PodPlacement:
    """Where one pod landed."""

    namespace: str
    workload: str
    """Name of its Deployment."""
    pod: str
    """Name of the pod; empty for one that could not be made."""
    node: str | None
    machine_type: str | None
    zone: str | None
    gpus: int
    """GPUs that the pod holds or asks for."""
    phase: str
    """Pending, Running, Succeeded, Failed, or NotCreated."""
    ready: bool
    final: bool
    """Whether nothing will change by waiting: it runs, or the scheduler or the API server refuses it."""
    reason: str | None
    """Why it does not run; None where it does."""


@frozen(kw_only=True)
class Snapshot:
    """The API's objects at one moment."""

    deployments: tuple[KubeObject, ...]
    pods: tuple[KubeObject, ...]
    nodes: tuple[KubeObject, ...]

    @property
    def is_rolled_out(self) -> bool:
        """Whether every Deployment has all of its replicas, of its newest template, available."""
        return all(map(_is_available, self.deployments))

    @property
    def are_nodes_ready(self) -> bool:
        """Whether every node reports ready and is open to pods, so that the scheduler's word on it counts."""
        return all(map(_is_open, self.nodes))

    def workload_pods(self) -> tuple[KubeObject, ...]:
        """The pods of all Deployments, less those that end."""
        return tuple(pod for each in self.deployments for pod in self.pods if _is_pod_of(pod, each))

    def placements(self) -> tuple[PodPlacement, ...]:
        """One for each pod of each Deployment, by namespace and name."""
        nodes = {node["metadata"]["name"]: node for node in self.nodes}
        rows = []
        for deployment in self.deployments:
            own = [pod for pod in self.pods if _is_pod_of(pod, deployment)]
            rows += [_placement(pod, deployment, nodes) for pod in own]
            rows += _missing(deployment, len(own))
        return tuple(sorted(rows, key=lambda row: (row.namespace, row.workload, row.pod)))


def _is_open(node: KubeObject) -> bool:
    """A new node keeps its taint for a while after it reports ready, until the node controller has seen it."""
    taints = node["spec"].get("taints") or ()
    ready = _condition(node, "Ready").get("status") == "True"
    return ready and all(taint["key"] != _NOT_READY_TAINT for taint in taints)


def is_unschedulable(pod: KubeObject) -> bool:
    """Whether the scheduler found no node for the pod."""
    return _condition(pod, "PodScheduled").get("reason") == "Unschedulable"


def _is_available(deployment: KubeObject) -> bool:
    wanted, status = deployment["spec"].get("replicas", 1), deployment.get("status", {})
    current = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    counts = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")]
    return bool(current) and counts == [wanted] * 3


def _is_pod_of(pod: KubeObject, deployment: KubeObject) -> bool:
    metadata = pod["metadata"]
    if "deletionTimestamp" in metadata or metadata["namespace"] != deployment["metadata"]["namespace"]:
        return False
    wanted = deployment["spec"]["selector"].get("matchLabels", {})
    return bool(wanted.items() <= metadata.get("labels", {}).items())


def _placement(pod: KubeObject, deployment: KubeObject, nodes: Mapping[str, KubeObject]) -> PodPlacement:
    status, node_name = pod.get("status", {}), pod["spec"].get("nodeName")
    labels = nodes.get(node_name, {}).get("metadata", {}).get("labels", {}) if node_name else {}
    ready = _condition(pod, "Ready").get("status") == "True"
    scheduled = _condition(pod, "PodScheduled")
    return PodPlacement(
        namespace=pod["metadata"]["namespace"],
        workload=deployment["metadata"]["name"],
        pod=pod["metadata"]["name"],
        node=node_name,
        machine_type=labels.get(_MACHINE_LABEL),
        zone=labels.get(_ZONE_LABEL),
        gpus=requests_of(pod["spec"]).gpus,
        phase=status.get("phase", "Pending"),
        ready=ready,
        final=ready or scheduled.get("reason") in ("Unschedulable", "SchedulingGated"),
        reason=None if ready else _why_not_ready(scheduled),
    )


def _why_not_ready(scheduled: KubeObject) -> str:
    match scheduled.get("status"):
        case "True":
            return "scheduled, and not started by its node yet"
        case "False":
            return str(scheduled.get("message") or scheduled.get("reason"))
        case _:
            return "not looked at by the scheduler yet"


def _missing(deployment: KubeObject, made: int) -> list[PodPlacement]:
    count = max(0, deployment["spec"].get("replicas", 1) - made)
    failure = _condition(deployment, "ReplicaFailure")
    spec = deployment["spec"]["template"]["spec"]
    row = PodPlacement(
        namespace=deployment["metadata"]["namespace"],
        workload=deployment["metadata"]["name"],
        pod="",
        node=None,
        machine_type=None,
        zone=None,
        gpus=requests_of(spec).gpus,
        phase=NOT_CREATED,
        ready=False,
        final=failure.get("status") == "True",
        reason=str(failure.get("message", "not created by its Deployment yet")),
    )
    return [row] * count


def _condition(each: KubeObject, kind: str) -> KubeObject:
    conditions: Sequence[KubeObject] = each.get("status", {}).get("conditions") or ()
    return next((condition for condition in conditions if condition["type"] == kind), {})
