"""What a stack costs at its smallest, as planned and at its largest, pool by pool; what is not known stays unknown.

Smallest is every pool at minNodes, planned is the nodes that the configured replicas take, largest is every pool at
maxNodes and every autoscaler at maxReplicas. Of a compute class, and of a system pool that has fallbacks, the largest
is the dearest machines that the most pods may get.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal

from l4serve.config.frozen import frozen
from l4serve.planning.gke.classes import ComputeClassPlan, PriorityPlan
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.pool_plan import PoolPlan
from l4serve.planning.machines.made_nodes import made_machine
from l4serve.planning.machines.prices import (
    MARKETS,
    Market,
    Price,
    PriceOverrides,
    cluster_fee,
    cluster_fee_date,
    gpu_machine_price,
    plain_machine_price,
)
from l4serve.planning.stack.dearest import PriceOf, dearest_counts
from l4serve.planning.stack.node_counts import NodeCounts, node_counts
from l4serve.planning.stack.system_room import nodes_for
from l4serve.planning.workload.nodes.node_choice import ACCELERATOR_LABEL
from l4serve.planning.workload.reach.endpoint_picker import PickerPlan
from l4serve.planning.workload.workload_plan import WorkloadPlan

HOURS_PER_MONTH = 730
"""As Google's own calculator counts a month: 365 days of 24 hours over 12."""
Level = Literal["min", "planned", "max"]
LEVELS: tuple[Level, ...] = ("min", "planned", "max")
_PICKER = "Autopilot bills the CPU and memory that an endpoint picker asks for, whose price is not known here"


@frozen()
class Usd:
    """An amount of money over time; None where no part of it is known."""

    per_hour: float | None

    @property
    def per_month(self) -> float | None:
        """USD for 730 hours."""
        return None if self.per_hour is None else round(self.per_hour * HOURS_PER_MONTH, 2)


@frozen(kw_only=True)
class CostLine:
    """One part of the stack: machines of one type, or a fee."""

    name: str
    machine_type: str | None
    market: Market
    fewest: int
    planned: int
    """Machines that the configured replicas take."""
    most: int
    price: Price | None
    """Price of one machine; None where it is not known."""
    note: str = ""

    def usd(self, level: Level) -> float | None:
        """USD per hour at a level; None where the price is not known."""
        return _times(self.price, {"min": self.fewest, "planned": self.planned, "max": self.most}[level])

    @property
    def usd_at_least(self) -> float | None:
        """USD per hour with the fewest machines."""
        return self.usd("min")

    @property
    def usd_at_most(self) -> float | None:
        """USD per hour with the most machines."""
        return self.usd("max")


@frozen(kw_only=True)
class StackCost:
    """The cost of a stack in USD per hour, without disks, load balancers, traffic and logs."""

    lines: tuple[CostLine, ...]

    @property
    def unknown(self) -> tuple[str, ...]:
        """Lines whose price is not known; the sums leave them out."""
        return tuple(line.name for line in self.lines if line.price is None)

    @property
    def price_dates(self) -> tuple[str, ...]:
        """The days of the prices in the sums, sorted."""
        return tuple(sorted({line.price.date for line in self.lines if line.price}))

    def at(self, level: Level) -> Usd:
        """The sum of all known lines at a level; none where all that costs anything is unknown."""
        known = [usd for line in self.lines if (usd := line.usd(level)) is not None]
        return Usd(round(sum(known), 4) if any(known) or (known and not self.unknown) else None)

    @property
    def usd_at_least(self) -> float | None:
        """USD per hour of all known lines with the fewest machines; None where none is known."""
        return self.at("min").per_hour

    @property
    def usd_at_most(self) -> float | None:
        """USD per hour of all known lines with the most machines; None where none is known."""
        return self.at("max").per_hour


def stack_cost(
    cluster: ClusterPlan,
    pools: Sequence[PoolPlan],
    workloads: Sequence[WorkloadPlan],
    overrides: PriceOverrides,
    classes: Sequence[ComputeClassPlan] = (),
) -> StackCost:
    """The cost of a planned stack. What a cluster costs that the stack does not make, nobody states."""
    planned = node_counts(pools, classes, [(each, each.scale.replicas) for each in workloads])
    made_price = partial(_made_price, cluster.region, overrides)
    most = dearest_counts(pools, classes, workloads, made_price)
    lines = [_pool(pool, planned.of_pools[pool.name], most.of_pools[pool.name]) for pool in pools if pool.create]
    lines += _class_lines(classes, planned, most, made_price)
    pickers = [picker for each in workloads if each.route is not None and (picker := each.route.picker) is not None]
    lines += _cluster_lines(cluster, overrides, pickers) if cluster.managed is not None else [_EXISTING]
    if cluster.mode == "autopilot":
        lines += [_unpriced(picker.name, _PICKER) for picker in pickers]
        unclassed = (workload for workload in workloads if workload.placing.compute_class is None)
        lines += [_autopilot(workload, cluster, overrides) for workload in unclassed]
    return StackCost(lines=tuple(lines))


def _unpriced(name: str, note: str) -> CostLine:
    """One of something whose price nobody states here."""
    return CostLine(
        name=name, machine_type=None, market="on-demand", fewest=1, planned=1, most=1, price=None, note=note
    )


_EXISTING = _unpriced("cluster", "the fee and the nodes of a cluster that this stack does not make are not stated")


def _pool(pool: PoolPlan, planned: int, dearest: int) -> CostLine:
    notes = [_RESERVED] if pool.supply.provisioning == "reservation" else []
    notes += [_OF_CLASS] if pool.compute_class else []
    return CostLine(
        name=f"nodePools.{pool.name}",
        machine_type=pool.machine_type,
        market=MARKETS[pool.supply.provisioning],
        fewest=pool.size.min_nodes,
        planned=planned,
        most=dearest if pool.compute_class else pool.size.max_nodes,
        price=pool.price,
        note="; ".join(notes),
    )


_RESERVED = "reserved machines are billed whether nodes run or not"
_OF_CLASS = "the most counts the pods of the compute class where they cost most"


def _made_price(region: str | None, overrides: PriceOverrides, priority: PriorityPlan) -> Price | None:
    if priority.shape is None:
        return None
    return gpu_machine_price(priority.shape, region=region, market=priority.market, overrides=overrides)


def _class_lines(
    classes: Sequence[ComputeClassPlan],
    planned: NodeCounts,
    most: NodeCounts,
    made_price: PriceOf,
) -> list[CostLine]:
    """The machines that GKE makes for a class: as planned those of the first priority, at the most the dearest."""
    lines = []
    for each in classes:
        for position, priority in enumerate(each.priorities):
            key = (each.name, position)
            if priority.shape is None or (key not in planned.of_classes and key not in most.of_classes):
                continue
            lines.append(
                CostLine(
                    name=f"computeClasses.{each.name}.priorities[{position}]",
                    machine_type=priority.shape.machine_type,
                    market=priority.market,
                    fewest=0,
                    planned=planned.of_classes.get(key, 0),
                    most=most.of_classes.get(key, 0),
                    price=made_price(priority),
                    note=f"planned as long as its first choice is to be had; {_OF_CLASS}",
                )
            )
    return lines


def cluster_line(region: str | None) -> CostLine:
    """What GKE asks for a cluster that a stack makes."""
    fee = Price(cluster_fee(), "on-demand", region or "any", cluster_fee_date(), "GKE's cluster management fee")
    return CostLine(name="cluster", machine_type=None, market="on-demand", fewest=1, planned=1, most=1, price=fee)


def _cluster_lines(cluster: ClusterPlan, overrides: PriceOverrides, pickers: Sequence[PickerPlan]) -> list[CostLine]:
    lines = [cluster_line(cluster.region)]
    system = cluster.managed.system_pool if cluster.managed else None
    if system is not None:
        types = (system.machine_type, *system.fallback_machine_types)
        prices = {
            name: plain_machine_price(name, region=cluster.region, market="on-demand", overrides=overrides)
            for name in types
        }
        dearest = max(types, key=lambda name: price.usd_per_hour if (price := prices[name]) else 0.0)
        nodes = min(system.max_nodes, max(system.min_nodes, nodes_for(system, pickers)))
        lines.append(
            CostLine(
                name="cluster.systemPool",
                machine_type=system.machine_type,
                market="on-demand",
                fewest=system.min_nodes,
                planned=nodes,
                most=system.max_nodes if dearest == system.machine_type else 0,
                price=prices[system.machine_type],
                note=f"with {len(pickers)} endpoint pickers on them" if pickers else "",
            )
        )
        lines += [
            _fallback(machine, system.max_nodes if machine == dearest else 0, prices[machine])
            for machine in system.fallback_machine_types
        ]
    return lines


def _fallback(machine: str, most: int, price: Price | None) -> CostLine:
    return CostLine(
        name=f"cluster.systemPool ({machine})",
        machine_type=machine,
        market="on-demand",
        fewest=0,
        planned=0,
        most=most,
        price=price,
        note="in place of the system pool's own machines, where those are sold out",
    )


def _autopilot(workload: WorkloadPlan, cluster: ClusterPlan, overrides: PriceOverrides) -> CostLine:
    """Each pod as the smallest machine that holds it: Autopilot charges no less."""
    made = made_machine(workload.resources.of_one_pod(), workload.placing.node_selector[ACCELERATOR_LABEL])
    price = None
    if made is not None:
        price = gpu_machine_price(made, region=cluster.region, market="on-demand", overrides=overrides)
    return CostLine(
        name=f"workloads.{workload.name}",
        machine_type=made.machine_type if made else None,
        market="on-demand",
        fewest=workload.scale.replicas,
        planned=workload.scale.replicas,
        most=workload.scale.most_replicas,
        price=price,
        note="a lower bound: Autopilot adds a premium to the machine's price",
    )


def _times(price: Price | None, count: int) -> float | None:
    return None if price is None else round(price.usd_per_hour * count, 4)
