"""What a stack costs per hour, at its smallest and at its largest, pool by pool; what is not known stays unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.pool_plan import PoolPlan
from l4serve.planning.machines.made_nodes import made_machine
from l4serve.planning.machines.prices import (
    MARKETS,
    Market,
    Price,
    PriceOverrides,
    cluster_fee,
    gpu_machine_price,
    hourly,
)
from l4serve.planning.workload.node_choice import ACCELERATOR_LABEL
from l4serve.planning.workload.workload_plan import WorkloadPlan


@dataclass(frozen=True, kw_only=True)
class CostLine:
    """One part of the stack: machines of one type, or a fee."""

    name: str
    machine_type: str | None
    market: Market
    fewest: int
    most: int
    price: Price | None
    """Price of one machine; None where it is not known."""
    note: str = ""

    @property
    def usd_at_least(self) -> float | None:
        """USD per hour with the fewest machines."""
        return _times(self.price, self.fewest)

    @property
    def usd_at_most(self) -> float | None:
        """USD per hour with the most machines."""
        return _times(self.price, self.most)


@dataclass(frozen=True, kw_only=True)
class StackCost:
    """The cost of a stack in USD per hour, without disks, traffic and logs."""

    lines: tuple[CostLine, ...]

    @property
    def unknown(self) -> tuple[str, ...]:
        """Lines whose price is not known; the sums leave them out."""
        return tuple(line.name for line in self.lines if line.price is None)

    @property
    def usd_at_least(self) -> float:
        """USD per hour of all known lines with the fewest machines."""
        return round(sum(line.usd_at_least or 0 for line in self.lines), 4)

    @property
    def usd_at_most(self) -> float:
        """USD per hour of all known lines with the most machines."""
        return round(sum(line.usd_at_most or 0 for line in self.lines), 4)


def stack_cost(
    cluster: ClusterPlan, pools: Sequence[PoolPlan], workloads: Sequence[WorkloadPlan], overrides: PriceOverrides
) -> StackCost:
    """The cost of a planned stack. A cluster that the stack does not make costs it nothing itself."""
    lines = [_pool(pool) for pool in pools if pool.create]
    if cluster.managed is not None:
        lines += _cluster_lines(cluster, overrides)
    if cluster.mode == "autopilot":
        lines += [_autopilot(workload, cluster, overrides) for workload in workloads]
    return StackCost(lines=tuple(lines))


def _pool(pool: PoolPlan) -> CostLine:
    reserved = pool.supply.provisioning == "reservation"
    return CostLine(
        name=f"nodePools.{pool.name}",
        machine_type=pool.machine_type,
        market=MARKETS[pool.supply.provisioning],
        fewest=pool.size.min_nodes,
        most=pool.size.max_nodes,
        price=pool.price,
        note="reserved machines are billed whether nodes run or not" if reserved else "",
    )


def _cluster_lines(cluster: ClusterPlan, overrides: PriceOverrides) -> list[CostLine]:
    fee = Price(cluster_fee(), "on-demand", cluster.region or "any", "undated", "GKE's cluster management fee")
    lines = [
        CostLine(name="cluster", machine_type=None, market="on-demand", fewest=1, most=1, price=fee),
    ]
    system = cluster.managed.system_pool if cluster.managed else None
    if system is not None:
        price = hourly(system.machine_type, region=cluster.region, market="on-demand", overrides=overrides)
        lines.append(
            CostLine(
                name="cluster.systemPool",
                machine_type=system.machine_type,
                market="on-demand",
                fewest=system.min_nodes,
                most=system.max_nodes,
                price=price,
            )
        )
    return lines


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
        most=workload.scale.most_replicas,
        price=price,
        note="a lower bound: Autopilot adds a premium to the machine's price",
    )


def _times(price: Price | None, count: int) -> float | None:
    return None if price is None else round(price.usd_per_hour * count, 4)
