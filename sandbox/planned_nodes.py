"""The nodes that a stack's plan would have in Google Cloud."""

from collections.abc import Iterable

from components.planning.daemonsets import daemonset_overhead
from components.planning.plan import StackPlan
from components.planning.shapes import DEFAULT_ACCELERATOR
from components.planning.zones import accelerator_zones
from sandbox.nodes import FakeNode, pool_nodes
from sandbox.pod_nodes import general_nodes, gpu_nodes
from sandbox.pods import KubeObject, pod_requests


def planned_nodes(plan: StackPlan, objects: Iterable[KubeObject]) -> tuple[FakeNode, ...]:
    """Every node that the plan's pools may grow to, or without pools a node for each pod, as on Autopilot.

    Pods without GPUs get nodes of their own in either case, which no GPU taint guards.
    """
    pods = pod_requests(objects)
    overhead, zones = daemonset_overhead(), _zones(plan)
    pooled = tuple(node for pool in plan.node_pools for node in pool_nodes(pool))
    return (
        *(pooled or gpu_nodes(pods, overhead=overhead, zones=zones)),
        *general_nodes(pods, overhead=overhead, zones=zones),
    )


def _zones(plan: StackPlan) -> tuple[str, ...]:
    cluster = plan.cluster
    if cluster.zones or cluster.location is None:
        return cluster.zones
    return accelerator_zones(DEFAULT_ACCELERATOR, cluster.location) if cluster.regional else (cluster.location,)
