"""From a compute class's config to its plan: the fallback order as GKE's ComputeClass states it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from l4serve.config.frozen import frozen
from l4serve.config.keys.compute_class import ComputeClass, Priority
from l4serve.config.keys.node_pool import NodePool
from l4serve.config.refusals.problems import ConfigError, Problem
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.pool_plan import COMPUTE_CLASS_LABEL, PoolPlan
from l4serve.planning.gke.pool_shapes import near_machines
from l4serve.planning.machines.prices import Market
from l4serve.planning.machines.shapes import MachineShape, find_shape, missing_figure
from l4serve.planning.values.names import MANAGED_BY


@frozen(kw_only=True)
class PriorityPlan:
    """One way to get a node."""

    pools: tuple[str, ...]
    """Names in GKE of the stack's pools; empty where GKE makes the pool."""
    shape: MachineShape | None
    """Machines that GKE makes; None where the priority names pools."""
    spot: bool
    flex_start_seconds: int | None
    reservation: str | None

    @property
    def market(self) -> Market:
        """How the machines that GKE makes are paid for."""
        return "flex-start" if self.flex_start_seconds else "spot" if self.spot else "on-demand"

    @property
    def rule(self) -> dict[str, Any]:
        """The entry of `spec.priorities`."""
        if self.shape is None:
            return {"nodepools": list(self.pools)}
        rule: dict[str, Any] = {
            "machineType": self.shape.machine_type,
            "gpu": {"type": self.shape.accelerator, "count": self.shape.gpus},
            "spot": self.spot,
        }
        if self.flex_start_seconds is not None:
            rule |= {"flexStart": {"enabled": True}, "maxRunDurationSeconds": self.flex_start_seconds}
        if self.reservation is not None:
            rule |= {"reservations": {"affinity": "Specific", "specific": [{"name": self.reservation}]}}
        return rule


@frozen(kw_only=True)
class ComputeClassPlan:
    """A ComputeClass object and how pods ask for it."""

    name: str
    priorities: tuple[PriorityPlan, ...]
    when_unsatisfiable: str
    migrate_back: bool
    consolidation_minutes: int
    auto_create: bool
    """Whether GKE makes pools for priorities that name a machine type."""
    labels: tuple[tuple[str, str], ...]

    @property
    def node_selector(self) -> dict[str, str]:
        """What pods select; its taint is tolerated under the same key and value."""
        return {COMPUTE_CLASS_LABEL: self.name}

    @property
    def spec(self) -> dict[str, Any]:
        """`spec` of the ComputeClass (cloud.google.com/v1)."""
        return {
            "priorities": [priority.rule for priority in self.priorities],
            "whenUnsatisfiable": self.when_unsatisfiable,
            "activeMigration": {"optimizeRulePriority": self.migrate_back},
            "autoscalingPolicy": {"consolidationDelayMinutes": self.consolidation_minutes},
            "nodePoolAutoCreation": {"enabled": self.auto_create},
        }


def class_of_each_pool(classes: Mapping[str, ComputeClass]) -> dict[str, str]:
    """The compute class of every pool that one names. Raises ConfigError where two classes want one pool."""
    owners: dict[str, str] = {}
    problems = []
    for name, config in classes.items():
        for i, pool in enumerate(priority.node_pool for priority in config.priorities):
            if pool is None:
                continue
            path = f"computeClasses.{name}.priorities[{i}].nodePool"
            if pool in owners:
                message = f"node pool {pool!r} is already in the order of {owners[pool]!r}: its taint admits one class"
                problems.append(Problem(path, message, "remove it from one of the orders, or define a second pool"))
            owners.setdefault(pool, name)
    if problems:
        raise ConfigError(problems)
    return owners


def plan_compute_class(
    name: str,
    config: ComputeClass,
    cluster: ClusterPlan,
    pools: Mapping[str, PoolPlan],
    configs: Mapping[str, NodePool],
) -> ComputeClassPlan:
    """Return the plan of a class. `pools` are the stack's planned pools by config key, `configs` their config.

    Raises ConfigError for a pool or machine type that is not there, and for an order that GKE would never follow.
    """
    path = f"computeClasses.{name}"
    problems = [
        problem
        for i, priority in enumerate(config.priorities)
        for problem in _problems(f"{path}.priorities[{i}]", priority, cluster, configs)
    ]
    if problems:
        raise ConfigError(problems)
    return ComputeClassPlan(
        name=name,
        priorities=tuple(_priority(priority, pools) for priority in config.priorities),
        when_unsatisfiable=config.when_unsatisfiable,
        migrate_back=config.migrate_back,
        consolidation_minutes=config.consolidation_minutes,
        auto_create=any(priority.machine_type for priority in config.priorities),
        labels=(("app.kubernetes.io/managed-by", MANAGED_BY),),
    )


def _problems(path: str, priority: Priority, cluster: ClusterPlan, configs: Mapping[str, NodePool]) -> list[Problem]:
    pool, machine_type = priority.node_pool, priority.machine_type
    if machine_type is not None:
        return list(_machine_problems(path, machine_type, priority))
    if cluster.mode == "autopilot":
        message = "an Autopilot cluster has no node pools of the stack"
        return [Problem(f"{path}.nodePool", message, "name a machineType in place of the pool")]
    config = configs.get(pool or "")
    if config is None:
        known = ", ".join(configs) or "none"
        return [Problem(f"{path}.nodePool", f"there is no node pool {pool!r}", f"use one of: {known}")]
    if config.flex_start and config.flex_start.queued:
        message = "a queued flex-start pool grows only for ProvisioningRequests, so a fallback to it never happens"
        return [Problem(f"{path}.nodePool", message, f"set nodePools.{pool}.flexStart.queued: false")]
    return []


def _machine_problems(path: str, machine_type: str, priority: Priority) -> Iterator[Problem]:
    shape = find_shape(machine_type)
    if shape is None:
        message = missing_figure(machine_type) or f"{machine_type!r} is not a known GPU machine type"
        yield Problem(f"{path}.machineType", message, near_machines(machine_type))
    elif priority.provisioning not in shape.sold_as:
        message = f"{machine_type} is not sold {priority.provisioning}: the priority would only cost time"
        ways = {"on-demand": "none of them", "spot": "spot: true", "flex-start": "flexStartSeconds"}
        sold = ", ".join(ways.get(way, way) for way in shape.sold_as)
        yield Problem(f"{path}.machineType", message, f"set one of: {sold}")


def _priority(priority: Priority, pools: Mapping[str, PoolPlan]) -> PriorityPlan:
    return PriorityPlan(
        pools=(pools[priority.node_pool].resource_name,) if priority.node_pool else (),
        shape=find_shape(priority.machine_type) if priority.machine_type else None,
        spot=priority.spot,
        flex_start_seconds=priority.flex_start_seconds,
        reservation=priority.reservation,
    )
