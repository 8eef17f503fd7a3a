"""The machines of the compute classes of a stack, at the most pods that there may be and where those cost most."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from l4serve.planning.gke.classes import PriorityPlan
from l4serve.planning.gke.pool_plan import COMPUTE_CLASS_LABEL, POOL_LABEL
from l4serve.planning.machines.prices import Market, Price
from l4serve.planning.machines.shapes import MachineShape, find_shape
from l4serve.planning.packing.node_setup import NodeSetup
from l4serve.planning.packing.placement import PodRequest, PoolRoom
from l4serve.planning.stack.dearest import dearest_first
from l4serve.planning.stack.node_counts import by_priority
from policy.gpu_pods import gpu_pods, most_replicas
from policy.model import COMPUTE_CLASS, NODE_POOL, Resource, at, many


def class_pools(resources: Sequence[Resource]) -> Mapping[str, Resource]:
    """The pools whose nodes the pods of a class alone take, by their names in GKE."""
    named = {
        str(name)
        for resource in resources
        if resource.type == COMPUTE_CLASS
        for rule in many(at(resource.props, "spec.priorities"))
        for name in rule.get("nodepools") or ()
    }
    pinned = {selector.get(POOL_LABEL) for _, _, selector in gpu_pods(resources)}
    return {
        name: resource
        for name, (resource, _) in _rooms(resources).items()
        if name in named and dict(at(resource.props, "nodeConfig.labels") or {}).get(POOL_LABEL) not in pinned
    }


def class_machines(
    resources: Sequence[Resource], price: Callable[[MachineShape, Market], Price | None]
) -> Iterator[tuple[MachineShape, Market, int]]:
    """Shape, market and count of the machines of the classes, and of the pools that their pods alone take."""
    found = _rooms(resources)
    rooms = {name: room for name, (_, room) in found.items()}
    own = class_pools(resources)
    taken = {name: int(at(pool.props, "autoscaling.totalMinNodeCount") or 0) for name, pool in own.items()}

    def price_of(priority: PriorityPlan) -> Price | None:
        if priority.shape is not None:
            return price(priority.shape, priority.market)
        pool, room = found[priority.pools[0]]
        return price(room.shape, pool_market(at(pool.props, "nodeConfig")))

    for resource in resources:
        if resource.type != COMPUTE_CLASS:
            continue
        priorities = tuple(_priority(rule) for rule in many(at(resource.props, "spec.priorities")))
        pods = list(_pods(str(at(resource.props, "metadata.name")), resources))
        ways = [way for _, way in dearest_first(priorities, pods, rooms, price_of)]
        for position, room, nodes in by_priority(ways, pods, rooms):
            if position is not None:
                yield room.shape, ways[position].market, nodes
            elif room.name in taken:
                taken[room.name] = max(taken[room.name], nodes)
    for name, nodes in taken.items():
        yield rooms[name].shape, pool_market(at(own[name].props, "nodeConfig")), nodes


def pool_market(node_config: Any) -> Market:
    """How the nodes of a pool are paid for."""
    if at(node_config, "flexStart"):
        return "flex-start"
    return "spot" if at(node_config, "spot") else "on-demand"


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


def _rooms(resources: Sequence[Resource]) -> Mapping[str, tuple[Resource, PoolRoom]]:
    """The stack's own pools, which a priority may name, by their names in GKE."""
    found = {}
    for resource in resources:
        shape = find_shape(str(at(resource.props, "nodeConfig.machineType")))
        if resource.type == NODE_POOL and shape is not None:
            name = str(at(resource.props, "name"))
            setup = NodeSetup(
                boot_disk_gib=int(at(resource.props, "nodeConfig.diskSizeGb") or 100),
                local_ssds=int(at(resource.props, "nodeConfig.ephemeralStorageLocalSsdConfig.localSsdCount") or 0),
            )
            most = int(at(resource.props, "autoscaling.totalMaxNodeCount") or 0)
            found[name] = (resource, PoolRoom(name=name, shape=shape, max_nodes=most, setup=setup))
    return found


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
