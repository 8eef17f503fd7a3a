"""The nodes that a stack's plan would have in Google Cloud."""

from collections.abc import Iterable

from l4serve.planning.gke.classes import ComputeClassPlan
from l4serve.planning.machines.daemonsets import daemonset_overhead
from l4serve.planning.machines.shapes import MachineShape
from l4serve.planning.machines.zones import accelerator_zones
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.workload.nodes.node_choice import ACCELERATOR_LABEL
from l4serve.sandbox.autoscaler import Autoscaler
from l4serve.sandbox.nodes import FakeNode, pool_nodes
from l4serve.sandbox.pods import KubeObject, pod_requests


def planned_nodes(plan: StackPlan) -> tuple[FakeNode, ...]:
    """Every node that the plan's pools may grow to; none where the cluster makes nodes for pods, as Autopilot does."""
    return tuple(node for pool in plan.node_pools for node in pool_nodes(pool))


def planned_autoscaler(plan: StackPlan) -> Autoscaler:
    """What adds nodes for pods that the pools are not for: those without GPUs, those of a compute class that makes
    pools, and without pools all of them."""
    return Autoscaler(
        overhead=daemonset_overhead(),
        zones=_zones(plan),
        gpus=not plan.node_pools,
        classes={each.name: _machines(each) for each in plan.compute_classes if each.auto_create},
    )


def standing_nodes(plan: StackPlan, objects: Iterable[KubeObject]) -> tuple[FakeNode, ...]:
    """The planned nodes, and those that an autoscaler would add for the pods of `objects`, where none watches."""
    return (*planned_nodes(plan), *planned_autoscaler(plan).nodes_of(pod_requests(objects)))


def _machines(compute_class: ComputeClassPlan) -> tuple[MachineShape, ...]:
    return tuple(priority.shape for priority in compute_class.priorities if priority.shape is not None)


def _zones(plan: StackPlan) -> tuple[str, ...]:
    cluster = plan.cluster
    if cluster.zones or cluster.location is None:
        return cluster.zones
    if not cluster.regional:
        return (cluster.location,)
    wanted = sorted({workload.placing.node_selector[ACCELERATOR_LABEL] for workload in plan.workloads})
    return tuple(dict.fromkeys(zone for card in wanted for zone in accelerator_zones(card, cluster.location)))
