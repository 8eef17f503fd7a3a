"""The nodes that a stack's plan would have in Google Cloud."""

from collections.abc import Iterable

from components.planning.daemonsets import daemonset_overhead
from components.planning.plan import StackPlan
from components.planning.shapes import DEFAULT_ACCELERATOR
from components.planning.zones import accelerator_zones
from sandbox.autoscaler import Autoscaler
from sandbox.nodes import FakeNode, pool_nodes
from sandbox.pod_nodes import pod_nodes
from sandbox.pods import KubeObject, pod_requests


def planned_nodes(plan: StackPlan) -> tuple[FakeNode, ...]:
    """Every node that the plan's pools may grow to; none where the cluster makes nodes for pods, as Autopilot does."""
    return tuple(node for pool in plan.node_pools for node in pool_nodes(pool))


def planned_autoscaler(plan: StackPlan) -> Autoscaler:
    """What adds nodes for pods that the pools are not for: those without GPUs, and without pools all of them."""
    return Autoscaler(overhead=daemonset_overhead(), zones=_zones(plan), gpus=not plan.node_pools)


def standing_nodes(plan: StackPlan, objects: Iterable[KubeObject]) -> tuple[FakeNode, ...]:
    """The planned nodes, and those that an autoscaler would add for the pods of `objects`, where none watches."""
    scaler = planned_autoscaler(plan)
    added = pod_nodes(filter(scaler.is_for, pod_requests(objects)), overhead=scaler.overhead, zones=scaler.zones)
    return (*planned_nodes(plan), *added)


def _zones(plan: StackPlan) -> tuple[str, ...]:
    cluster = plan.cluster
    if cluster.zones or cluster.location is None:
        return cluster.zones
    return accelerator_zones(DEFAULT_ACCELERATOR, cluster.location) if cluster.regional else (cluster.location,)
