"""What people who are served, or who pay, would ask of a workload or a pool: its figures, as plain JSON values."""

from __future__ import annotations

from typing import Any

from l4serve.planning.gke.pool_plan import PoolPlan
from l4serve.planning.memory.fit import Fit
from l4serve.planning.packing.placement import PoolPlacement
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.workload.workload_plan import WorkloadPlan


def workload_facts(plan: WorkloadPlan) -> dict[str, Any]:
    """One side of a workload. Memory is in GiB for each GPU, lengths in tokens, times in seconds."""
    engine, scale, rollout = plan.engine, plan.scale, plan.scale.rollout
    return {
        "engine": engine.kind,
        "engineVersion": engine.version,
        "modelId": plan.model.id,
        "revision": plan.model.revision,
        "image": engine.image,
        "maxModelLen": plan.model.max_model_len,
        "fit": _fit_facts(plan.judgement.fit),
        "gpus": plan.layout.gpus,
        "replicas": scale.replicas,
        "maxReplicas": scale.most_replicas,
        "nodePool": plan.placing.node_pool,
        "computeClass": plan.placing.compute_class,
        "startupSeconds": plan.lifecycle.probes.startup_seconds,
        "rollout": {"maxSurge": rollout.max_surge, "maxUnavailable": rollout.max_unavailable},
        "service": {"name": plan.service.name, "type": plan.service.type, "port": plan.service.port},
        "resources": {kind: dict(amounts) for kind, amounts in plan.resources.as_kubernetes().items()},
        "env": dict(engine.env),
        "allowedRules": sorted(plan.metadata.annotations),
    }


def _fit_facts(fit: Fit | None) -> dict[str, Any] | None:
    """The memory of one GPU; None where it is not judged."""
    if fit is None:
        return None
    return {
        "fits": fit.fits,
        "marginGib": _rounded(margin_gib(fit)),
        "uncertaintyGib": _rounded(fit.uncertainty_gib),
        "marginIsUncertain": fit.margin_is_uncertain,
        "kvCacheTokens": fit.kv_cache_tokens,
        "maxConcurrency": _rounded(fit.max_concurrency),
        "largestMaxModelLen": fit.largest_max_model_len,
        "weightsGib": _rounded(fit.weights_gib),
        "activationGib": _rounded(fit.activation_gib),
        "nonTorchGib": _rounded(fit.non_torch_gib),
        "cudaGraphGib": _rounded(fit.cuda_graph_gib),
        "workspaceGib": _rounded(fit.workspace_gib),
        "kvCacheGib": _rounded(fit.kv_room_gib),
        "usableGib": _rounded(fit.usable_gib),
        "totalGib": _rounded(fit.total_gib),
    }


def margin_gib(fit: Fit) -> float:
    """KV cache beyond one sequence of the judged context, in GiB for each GPU; below 0 where that does not fit."""
    if fit.max_concurrency <= 0:
        return fit.kv_room_gib - fit.shortage_gib
    return fit.kv_room_gib * (1 - 1 / fit.max_concurrency)


def pool_facts(plan: StackPlan, pool: PoolPlan) -> dict[str, Any]:
    """One side of a pool: its machines, how many there may be, what one costs, what no pod can use."""
    line = next((line for line in plan.cost.lines if line.name == f"nodePools.{pool.name}"), None)
    placed = placement_of(plan, pool.name)
    return {
        "resourceName": pool.resource_name,
        "machineType": pool.machine_type,
        "accelerator": pool.accelerator,
        "gpus": pool.gpus,
        "provisioning": pool.supply.provisioning,
        "minNodes": pool.size.min_nodes,
        "plannedNodes": line.planned if line else None,
        "maxNodes": pool.size.max_nodes,
        "zones": list(pool.size.zones),
        "diskSizeGb": pool.disks.size_gb,
        "usdPerHourOfANode": pool.price.usd_per_hour if pool.price else None,
        "priceDate": pool.price.date if pool.price else None,
        "gpusStranded": placed.gpus_stranded if placed else 0,
        "gpusIdle": placed.gpus_idle if placed else 0,
        "protect": pool.protect,
    }


def placement_of(plan: StackPlan, pool: str) -> PoolPlacement | None:
    """Where the replicas land on a pool of the stack."""
    return next((placed for placed in plan.placement if placed.pool == pool), None)


def packing_facts(plan: StackPlan) -> dict[str, Any]:
    """The nodes in use by pool, with the pods of each workload on every one."""
    return {
        placed.pool: {
            "nodes": [dict(node) for node in placed.nodes],
            "gpusIdle": placed.gpus_idle,
            "gpusStranded": placed.gpus_stranded,
        }
        for placed in plan.placement
    }


def spot_share(plan: StackPlan) -> float | None:
    """The part of the planned hourly cost that is paid for machines that may go at any time; None without a cost."""
    total = plan.cost.at("planned").per_hour
    if not total:
        return None
    spot = sum(line.usd("planned") or 0 for line in plan.cost.lines if line.market == "spot")
    return round(spot / total, 3)


def stranded(plan: StackPlan) -> int:
    """GPUs of the stack's pools that no pod can use."""
    return sum(placed.gpus_stranded for placed in plan.placement)


def _rounded(value: float) -> float:
    return round(value, 3)
