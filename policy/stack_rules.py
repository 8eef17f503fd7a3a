"""Rules about a stack as a whole: what it may cost, and what no update may take away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from l4serve.planning.gke.location import region_of
from l4serve.planning.gke.pool_plan import COMPUTE_CLASS_LABEL
from l4serve.planning.machines.made_nodes import made_machine
from l4serve.planning.machines.prices import Market, Price, PriceOverrides, gpu_machine_price, hourly
from l4serve.planning.machines.shapes import MachineShape, find_shape
from l4serve.planning.stack.cost import CostLine, StackCost, cluster_line
from l4serve.planning.workload.nodes.node_choice import ACCELERATOR_LABEL
from policy.class_machines import class_machines, class_pools, pool_market
from policy.exposure_rules import EXPOSURE_RULES
from policy.gpu_pods import gpu_pods, most_replicas
from policy.model import CLUSTER, NODE_POOL, Resource, Settings, StackRule, at, many

Machine = MachineShape | str
PROTECTED_STACKS = ("prod", "production")


def cost_ceiling(resources: Sequence[Resource], settings: Settings) -> Iterator[str]:
    """All pools at their largest stay under the stack's ceiling. A price that nobody knows is a violation, not zero."""
    if not any(resource.type in (CLUSTER, NODE_POOL) for resource in resources):
        return
    stack = next((resource.stack for resource in resources if resource.stack), "")
    ceiling = settings.max_usd_per_hour or ceilings().get(stack, ceilings()["default"])
    total, unknown = largest_cost(resources, settings)
    for machine in unknown:
        yield f"the price of {machine} is not known; state it in the policy's setting `prices`"
    if total > ceiling:
        yield f"at its largest the stack costs {total:.2f} USD per hour, above its ceiling of {ceiling:.2f}"


def largest_cost(resources: Sequence[Resource], settings: Settings) -> tuple[float, tuple[str, ...]]:
    """USD per hour with pools at their largest and classes at their dearest, and the machines without a known price."""
    stated = settings.prices or {}
    overrides = PriceOverrides({"on-demand": stated, "spot": stated, "flex-start": stated})
    lines = [cluster_line(None) for resource in resources if resource.type == CLUSTER]
    for machine, region, market, count in _machines(resources, overrides):
        name = machine if isinstance(machine, str) else machine.name
        price = _price(machine, region, market, overrides)
        line = CostLine(name=f"{name} ({market}) in {region}", machine_type=None, market=market, fewest=0, planned=0,
                        most=count, price=price)  # fmt: skip
        lines.append(line)
    cost = StackCost(lines=tuple(lines))
    return cost.usd_at_most or 0.0, tuple(dict.fromkeys(cost.unknown))


def _price(machine: Machine, region: str, market: Market, overrides: PriceOverrides) -> Price | None:
    if isinstance(machine, str):
        return hourly(machine, region=region, market=market, overrides=overrides)
    return gpu_machine_price(machine, region=region, market=market, overrides=overrides)


def protect_on_prod(resources: Sequence[Resource], _: Settings) -> Iterator[str]:
    """No update of a production stack deletes its cluster or a pool by accident."""
    for resource in resources:
        if resource.stack not in PROTECTED_STACKS or resource.type not in (CLUSTER, NODE_POOL):
            continue
        if not resource.protect:
            yield f"{resource.name} is not protected on {resource.stack}; set protect: true on cluster and pools"
        if resource.type == CLUSTER and at(resource.props, "deletionProtection") is not True:
            yield f"{resource.name} has no deletion protection; set cluster.deletionProtection: true"


@cache
def ceilings() -> Mapping[str, float]:
    """USD per hour by stack name; `default` holds for any other."""
    text = (Path(__file__).parent / "data" / "ceilings.yaml").read_text(encoding="utf-8")
    table: Mapping[str, float] = yaml.safe_load(text)["maxUsdPerHour"]
    return table


def _machines(resources: Sequence[Resource], overrides: PriceOverrides) -> Iterator[tuple[Machine, str, Market, int]]:
    """Machine, region, market and largest count of all that runs."""
    of_classes = [*class_pools(resources).values()]
    for resource in resources:
        if resource.type == NODE_POOL and resource not in of_classes:
            config = at(resource.props, "nodeConfig")
            yield (
                _machine(config),
                region_of(str(at(resource.props, "location"))),
                pool_market(config),
                int(at(resource.props, "autoscaling.totalMaxNodeCount") or 0),
            )
    autopilot = [r for r in resources if r.type == CLUSTER and at(r.props, "enableAutopilot")]
    if autopilot:
        yield from _autopilot_machines(resources, region_of(str(at(autopilot[0].props, "location"))))
    located = next((r for r in resources if r.type in (CLUSTER, NODE_POOL)), None)
    region = region_of(str(at(located.props, "location"))) if located else ""

    def price(shape: MachineShape, market: Market) -> Price | None:
        return _price(shape, region, market, overrides)

    for shape, market, count in class_machines(resources, price):
        yield shape, region, market, count


def _machine(node_config: Any) -> Machine:
    """The shape of a pool's nodes, or the machine type that no table knows."""
    name = str(at(node_config, "machineType"))
    cards = many(at(node_config, "guestAccelerators"))
    attached = (find_shape(name, (str(at(card, "type")), int(at(card, "count") or 0))) for card in cards)
    return find_shape(name) or next(filter(None, attached), None) or name


def _autopilot_machines(resources: Sequence[Resource], region: str) -> Iterator[tuple[Machine, str, Market, int]]:
    """The machine that Autopilot makes for each pod without a class, and the most pods that there may be of it."""
    for resource, requests, selector in gpu_pods(resources):
        if COMPUTE_CLASS_LABEL not in selector:
            machine = made_machine(requests, str(selector.get(ACCELERATOR_LABEL)))
            yield (
                machine or f"a machine that holds {resource.name}",
                region,
                "on-demand",
                most_replicas(resource, resources),
            )


STACK_RULES = (
    StackRule("cost-ceiling", "A stack at its largest stays under its cost ceiling.", cost_ceiling),
    StackRule("protect-on-prod", "Production clusters and pools are protected.", protect_on_prod),
    *EXPOSURE_RULES,
)
