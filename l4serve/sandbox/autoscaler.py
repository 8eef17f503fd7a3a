"""Adds a fake node for each pod that the scheduler cannot place, as Autopilot and node auto-provisioning do."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field, replace

from l4serve.config.frozen import frozen
from l4serve.planning.gke.pool_plan import COMPUTE_CLASS_LABEL
from l4serve.planning.machines.daemonsets import Overhead
from l4serve.planning.machines.shapes import MachineShape
from l4serve.sandbox.nodes import FakeNode
from l4serve.sandbox.pod_locations import Snapshot, is_unschedulable
from l4serve.sandbox.pod_nodes import pod_nodes
from l4serve.sandbox.pods import KubeObject, PodRequest, request_of_pod

Made = tuple[tuple[str, FakeNode], ...]
"""Nodes that were added, each with the uid of the pod that it was added for."""


_PATIENCE = 10
"""Snapshots for which a pod may take to find the node that was added for it, before the next are added."""


@frozen(kw_only=True)
class Autoscaler:
    """Which pods get nodes, and where."""

    overhead: Overhead
    """What GKE's daemonsets take of each node."""
    zones: tuple[str, ...] = ()
    gpus: bool
    """Whether all pods with GPUs get nodes too; False where node pools are there for them."""
    classes: Mapping[str, tuple[MachineShape, ...]] = field(default_factory=dict)
    """Compute classes that make node pools, each with its machines in the order of its priorities."""
    node_prefix: str = ""
    """Begins the names of the nodes, where several autoscalers share a cluster."""

    def is_for(self, pod: PodRequest) -> bool:
        """Whether it adds nodes for such a pod."""
        return self.gpus or pod.requests.gpus == 0 or self._class_of(pod) in self.classes

    def nodes_for(self, snapshot: Snapshot, made: Made) -> Made:
        """What to add to `made`: nodes for pods without one or whose node another pod took, the smallest size alone.

        Larger pods do not fit nodes of that size, so each pod ends on the smallest that holds it.
        """
        waiting = {pod["metadata"]["uid"]: request_of_pod(pod) for pod in self._unserved(snapshot, made)}
        sizes = {uid: _size(node) for uid, request in waiting.items() for node in self._node(request, 0)}
        smallest = [uid for uid, size in sizes.items() if size == min(sizes.values())]
        numbered = enumerate(smallest, start=len(made))
        return tuple((uid, node) for number, uid in numbered for node in self._node(waiting[uid], number))

    def nodes_of(self, pods: Iterable[PodRequest]) -> tuple[FakeNode, ...]:
        """A node for each of the pods that it is for."""
        nodes: tuple[FakeNode, ...] = ()
        for pod in filter(self.is_for, pods):
            nodes += self._node(pod, len(nodes))
        return nodes

    def _unserved(self, snapshot: Snapshot, made: Made) -> Iterator[KubeObject]:
        served = _served(snapshot, made)
        for pod in filter(is_unschedulable, snapshot.workload_pods()):
            if self.is_for(request_of_pod(pod)) and pod["metadata"]["uid"] not in served:
                yield pod

    def _node(self, request: PodRequest, number: int) -> tuple[FakeNode, ...]:
        shapes = self.classes.get(self._class_of(request))
        nodes = pod_nodes([request], overhead=self.overhead, zones=self.zones, shapes=shapes, first=number)
        return tuple(replace(node, name=f"{self.node_prefix}{node.name}") for node in nodes)

    def _class_of(self, request: PodRequest) -> str:
        return request.node_selector.get(COMPUTE_CLASS_LABEL, "")


class ScaleUp:
    """An autoscaler at work on one cluster."""

    def __init__(self, autoscaler: Autoscaler, create_node: Callable[[FakeNode], None]) -> None:
        self._autoscaler = autoscaler
        self._create_node = create_node
        self._made: Made = ()
        self._waited = 0

    @property
    def nodes(self) -> tuple[FakeNode, ...]:
        """All nodes that it added."""
        return tuple(node for _, node in self._made)

    def __call__(self, snapshot: Snapshot) -> bool:
        """Add the nodes that the pods of the snapshot wait for; whether any of them may still find its place."""
        on_their_way = _are_some_on_their_way(snapshot, self._made)
        if on_their_way and self._waited < _PATIENCE:
            self._waited += 1
            return True
        self._waited = 0
        added = self._autoscaler.nodes_for(snapshot, self._made)
        for _, node in added:
            self._create_node(node)
        self._made += added
        return on_their_way or bool(added)


def _are_some_on_their_way(snapshot: Snapshot, made: Made) -> bool:
    """Whether a pod waits while a node that was added for it is still free."""
    served = _served(snapshot, made)
    return any(is_unschedulable(pod) and pod["metadata"]["uid"] in served for pod in snapshot.workload_pods())


def _served(snapshot: Snapshot, made: Made) -> set[str]:
    """The pods with a free node: their own or, where another pod took that, the one that the other left free."""
    holders = {pod["spec"].get("nodeName"): pod["metadata"]["uid"] for pod in snapshot.workload_pods()}
    nodes = dict(made)
    return {uid for uid in nodes if _is_free_for(uid, nodes, holders)}


def _is_free_for(uid: str, nodes: Mapping[str, FakeNode], holders: Mapping[str | None, str]) -> bool:
    own = nodes[uid]
    passed: set[str] = set()
    while uid in nodes and uid not in passed:
        passed.add(uid)
        node = nodes[uid]
        if node.name not in holders:
            return replace(node, name=own.name, zone=own.zone) == own
        uid = holders[node.name]
    return False


def _size(node: FakeNode) -> tuple[int, int]:
    return node.capacity.gpus, node.capacity.cpu_millis
