"""A planned stack in a line for each workload: whether it fits, what it holds, what its pods cost."""

from __future__ import annotations

from collections.abc import Iterator

from l4serve.planning.machines.prices import Price
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.values.figures import counted
from l4serve.planning.workload.workload_plan import WorkloadPlan


def preview_lines(plan: StackPlan) -> Iterator[str]:
    """One line for each workload, in the order of the plan."""
    return (f"{workload.name}: {_memory(workload)}; {_cost(plan, workload)}" for workload in plan.workloads)


def _memory(workload: WorkloadPlan) -> str:
    fit = workload.judgement.fit
    if fit is None:
        return "memory not judged"
    verdict = "does not fit" if not fit.fits else "fits within the uncertainty" if fit.margin_is_uncertain else "fits"
    held = f"{fit.max_concurrency:.1f} sequences of {fit.max_model_len:,}"
    return f"{verdict}, {fit.kv_cache_tokens:,} tokens of KV cache ({held})"


def _cost(plan: StackPlan, workload: WorkloadPlan) -> str:
    (price, _), hourly = _node(plan, workload), workload_usd_per_hour(plan, workload)
    pods = workload.scale.replicas
    many = counted(pods, "pod")
    if price is None or hourly is None:
        return f"{many}, cost not stated"
    return f"{many}, {hourly:.2f} USD per hour ({price.dated})"


def workload_usd_per_hour(plan: StackPlan, workload: WorkloadPlan) -> float | None:
    """USD per hour of a workload's planned pods: their GPUs' share of a node, each; None where no price is stated."""
    price, gpus = _node(plan, workload)
    if price is None or not gpus:
        return None
    return round(price.usd_per_hour * workload.layout.gpus / gpus * workload.scale.replicas, 4)


def _node(plan: StackPlan, workload: WorkloadPlan) -> tuple[Price | None, int]:
    """Price and GPUs of the node that a pod runs on: its pool's, its class's first choice, or one made for it."""
    placing = workload.placing
    pool = next((pool for pool in plan.node_pools if pool.name == placing.packed_on), None)
    if pool is not None:
        return (pool.price if pool.create else None), pool.gpus
    names = (f"computeClasses.{placing.compute_class}.priorities[", f"workloads.{workload.name}")
    line = next((line for line in plan.cost.lines if line.name.startswith(names[0]) or line.name == names[1]), None)
    if line is None:
        return None, 0
    if placing.compute_class is None:
        return line.price, workload.layout.gpus
    position = int(line.name.removeprefix(names[0]).rstrip("]"))
    order = next(each for each in plan.compute_classes if each.name == placing.compute_class)
    shape = order.priorities[position].shape
    return line.price, shape.gpus if shape else 0
