"""The machines that GKE makes for the compute classes of a stack, at the most pods that there may be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from l4serve.planning.gke.classes import PriorityPlan
from l4serve.planning.gke.pool_plan import COMPUTE_CLASS_LABEL
from l4serve.planning.machines.prices import Market
from l4serve.planning.machines.shapes import MachineShape, find_shape
from l4serve.planning.packing.node_setup import NodeSetup
from l4serve.planning.packing.placement import PodRequest, PoolRoom
from l4serve.planning.stack.node_counts import by_priority
from policy.gpu_pods import gpu_pods, most_replicas
from policy.model import COMPUTE_CLASS, NODE_POOL, Resource, at, many


def class_machines(resources: Sequence[Resource]) -> Iterator[tuple[MachineShape, Market, int]]:
    """Shape, market and count of what the priorities make, each pod on the first priority that holds it."""
    rooms = dict(_rooms(resources))
    for resource in resources:
        if resource.type != COMPUTE_CLASS:
            continue
        priorities = tuple(_priority(rule) for rule in many(at(resource.props, "spec.priorities")))
        pods = list(_pods(str(at(resource.props, "metadata.name")), resources))
        for position, room, nodes in by_priority(priorities, pods, rooms):
            if position is not None:
                yield room.shape, priorities[position].market, nodes


def _pods(name: str, resources: Sequence[Resource]) -> Iterator[PodRequest]:
    for deployment, requests, selector in gpu_pods(resources):
        if selector.get(COMPUTE_CLASS_LABEL) == name:
            yield PodRequest(
                workload=deployment.name,
                cpu_millis=requests.cpu_millis,
                memory_bytes=requests.memory_bytes,
                ephemeral_bytes=requests.ephemeral_bytes,
                gpus=requests.gpus,
                replicas=most_replicas(deployment, resources),
            )


def _rooms(resources: Sequence[Resource]) -> Iterator[tuple[str, PoolRoom]]:
    """The stack's own pools, which a priority may name, by their names in GKE."""
    for resource in resources:
        shape = find_shape(str(at(resource.props, "nodeConfig.machineType")))
        if resource.type == NODE_POOL and shape is not None:
            name = str(at(resource.props, "name"))
            setup = NodeSetup(
                boot_disk_gib=int(at(resource.props, "nodeConfig.diskSizeGb") or 100),
                local_ssds=int(at(resource.props, "nodeConfig.ephemeralStorageLocalSsdConfig.localSsdCount") or 0),
            )
            most = int(at(resource.props, "autoscaling.totalMaxNodeCount") or 0)
            yield name, PoolRoom(name=name, shape=shape, max_nodes=most, setup=setup)


def _priority(rule: Mapping[str, Any]) -> PriorityPlan:
    machine, gpu = rule.get("machineType"), rule.get("gpu") or {}
    attached = (str(gpu.get("type")), int(gpu.get("count") or 0))
    return PriorityPlan(
        pools=tuple(rule.get("nodepools") or ()),
        shape=(find_shape(str(machine)) or find_shape(str(machine), attached)) if machine else None,
        spot=bool(rule.get("spot")),
        flex_start_seconds=rule.get("maxRunDurationSeconds") if rule.get("flexStart") else None,
        reservation=None,
    )
