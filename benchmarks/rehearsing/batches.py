"""Rehearses many stacks at once on one control plane, kept apart by a label on nodes and a selector on pods."""

import copy
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from kubernetes.client import ApiClient, AppsV1Api, CoreV1Api

from l4serve.planning.values.quantity import parse_quantity
from l4serve.sandbox.apply import Applier, ApplyFailure
from l4serve.sandbox.autoscaler import Autoscaler, ScaleUp
from l4serve.sandbox.nodes import FakeNode
from l4serve.sandbox.pod_locations import PodPlacement, Snapshot
from l4serve.sandbox.pods import KubeObject
from l4serve.sandbox.rollout_watch import SETTLE_S, RolloutWatch, await_daemons, await_nodes, take_snapshot
from l4serve.sandbox.stand_ins import missing_namespaces

_OF = "rehearsal.l4serve.dev/stack"
_NODES_TIMEOUT_S = 120.0
_PODS_TIMEOUT_S = 240.0
"""Many stacks share one scheduler."""
_TURN_S = 20.0
_POLL_S = 1.0


@dataclass(frozen=True)
class Candidate:
    """One stack as it is to be rehearsed."""

    name: str
    """Its namespace, and what its nodes and pods are kept apart by."""
    objects: tuple[KubeObject, ...]
    nodes: tuple[FakeNode, ...]
    autoscaler: Autoscaler
    in_turn: bool = False
    """Whether a Deployment is made once the pods of the one before it have nodes, or have had time for it."""


@dataclass(frozen=True)
class Outcome:
    """What came of one stack."""

    name: str
    refused: tuple[str, ...]
    """What the API server refused, with its reason."""
    placements: tuple[PodPlacement, ...]

    @property
    def ok(self) -> bool:
        """As a rehearsal's: every object was taken and every pod runs."""
        return not self.refused and all(placement.ready for placement in self.placements)


def rehearse_batch(client: ApiClient, applier: Applier, batch: Sequence[Candidate]) -> Iterator[Outcome]:
    """Rehearses the stacks side by side, then takes their pods and nodes away."""
    nodes = [_marked_node(candidate, node) for candidate in batch for node in candidate.nodes]
    try:
        for node in nodes:
            applier.create_node(node)
        await_nodes(client, timeout_s=_NODES_TIMEOUT_S)
        await_daemons(client, len(nodes), timeout_s=_NODES_TIMEOUT_S)
        objects = {candidate.name: [*map(_isolated(candidate), candidate.objects)] for candidate in batch}
        refusals = {each.name: _made(client, applier, each, objects[each.name]) for each in batch}
        watches = {candidate.name: _watch(candidate, applier) for candidate in batch}
        waiting = {*watches}
        while waiting:
            whole = take_snapshot(client, (each for own in objects.values() for each in own))
            waiting -= {name for name in waiting if watches[name].is_over(_part(whole, name))}
            time.sleep(_POLL_S)
        for name, watch in watches.items():
            yield Outcome(name, refusals[name], watch.placements)
    finally:
        if batch:
            _clear(client, [candidate.name for candidate in batch])


def _made(client: ApiClient, applier: Applier, candidate: Candidate, own: Sequence[KubeObject]) -> tuple[str, ...]:
    """Makes a stack's objects; what the API server refuses of them."""
    objects = [*missing_namespaces(own), *own]
    failures: list[ApplyFailure] = []
    for part in [[each] for each in objects] if candidate.in_turn else [objects]:
        failures += applier.apply(part)
        if candidate.in_turn and part[0]["kind"] == "Deployment":
            _await_bound(client, part[0])
    return tuple(f"{failure.object}: {failure.reason}" for failure in failures)


def _await_bound(client: ApiClient, deployment: KubeObject) -> None:
    wanted, labels = deployment["spec"].get("replicas", 1), deployment["spec"]["selector"]["matchLabels"]
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    deadline = time.monotonic() + _TURN_S
    while time.monotonic() < deadline:
        pods = CoreV1Api(client).list_namespaced_pod(deployment["metadata"]["namespace"], label_selector=selector)
        if sum(bool(pod.spec.node_name) for pod in pods.items) >= wanted:
            return
        time.sleep(_POLL_S)


def _watch(candidate: Candidate, applier: Applier) -> RolloutWatch:
    autoscaler = replace(candidate.autoscaler, node_prefix=f"{candidate.name}-")
    scale_up = ScaleUp(autoscaler, applier.create_node)
    return RolloutWatch(timeout_s=_PODS_TIMEOUT_S, settle_s=SETTLE_S, scale_up=scale_up)


def _part(whole: Snapshot, name: str) -> Snapshot:
    """What a snapshot of the cluster shows of one stack."""
    return Snapshot(
        deployments=tuple(each for each in whole.deployments if each["metadata"]["namespace"] == name),
        pods=tuple(each for each in whole.pods if each["metadata"]["namespace"] == name),
        nodes=tuple(each for each in whole.nodes if each["metadata"]["labels"].get(_OF) == name),
    )


def _marked_node(candidate: Candidate, node: FakeNode) -> FakeNode:
    return replace(node, name=f"{candidate.name}-{node.name}", labels={**node.labels, _OF: candidate.name})


class _isolated:  # noqa: N801 (used as a function)
    """An object as it was rendered, its pods bound to the stack's own nodes."""

    def __init__(self, candidate: Candidate) -> None:
        self._mark = {_OF: candidate.name}

    def __call__(self, each: KubeObject) -> KubeObject:
        if each["kind"] != "Deployment":
            return each
        bound: dict[str, Any] = copy.deepcopy(dict(each))
        spec = bound["spec"]["template"]["spec"]
        spec["nodeSelector"] = {**spec.get("nodeSelector", {}), **self._mark}
        return bound


def _clear(client: ApiClient, names: Sequence[str]) -> None:
    apps, core = AppsV1Api(client), CoreV1Api(client)
    for name in names:
        apps.delete_collection_namespaced_deployment(name, propagation_policy="Background")
    for node in core.list_node(label_selector=f"{_OF} in ({','.join(names)})").items:
        core.delete_node(node.metadata.name)
    _await_no_pods(core, names)


def _await_no_pods(core: CoreV1Api, names: Sequence[str]) -> None:
    """A stack that is rehearsed again begins without the pods of before."""
    deadline = time.monotonic() + _PODS_TIMEOUT_S
    while any(core.list_namespaced_pod(name).items for name in names):
        if time.monotonic() > deadline:
            raise TimeoutError(f"pods of {', '.join(names)} stay")
        time.sleep(_POLL_S)


def large_first(candidate: Candidate) -> Candidate:
    """The same stack, the pods with the largest share of what is scarce on a node bound before the others are made."""
    room: dict[str, Decimal] = {}
    for node in candidate.nodes:
        for resource, has in node.to_object()["status"]["allocatable"].items():
            room[resource] = max(parse_quantity(has), room.get(resource, Decimal()))
    ordered = sorted(candidate.objects, key=lambda each: _smallness(each, room))
    return replace(candidate, objects=tuple(ordered), in_turn=True)


def _smallness(each: KubeObject, room: Mapping[str, Decimal]) -> tuple[bool, Decimal]:
    if each["kind"] != "Deployment":
        return False, Decimal()
    asked: dict[str, Decimal] = defaultdict(Decimal)
    for container in each["spec"]["template"]["spec"]["containers"]:
        for resource, wanted in container.get("resources", {}).get("requests", {}).items():
            asked[resource] += parse_quantity(wanted)
    return True, -max((asked[resource] / has for resource, has in room.items() if has), default=Decimal())


def most_replicas(objects: Sequence[KubeObject], counts: Mapping[str, int]) -> tuple[KubeObject, ...]:
    """The objects with as many pods per workload as there may ever be."""
    changed: list[dict[str, Any]] = [copy.deepcopy(dict(each)) for each in objects]
    for each in changed:
        if each["kind"] == "Deployment":
            each["spec"]["replicas"] = counts[each["metadata"]["name"]]
    return tuple(changed)
