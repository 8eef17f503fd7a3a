"""A stack's plan as plain JSON values: the stable interface of `l4serve plan --json`."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.pools import PoolPlan
from l4serve.planning.machines.prices import Price
from l4serve.planning.stack.cost import StackCost
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.workload.workload_plan import WorkloadPlan


def stack_json(plan: StackPlan) -> dict[str, Any]:
    """The plan of a stack, camelCase keys, JSON types only."""
    return {
        "stack": plan.stack,
        "namespace": plan.namespace,
        "cluster": _cluster(plan.cluster),
        "nodePools": {pool.name: _pool(pool, plan.prices[pool.name]) for pool in plan.node_pools},
        "computeClasses": {c.name: _values(c.spec) for c in plan.compute_classes},
        "workloads": {workload.name: _workload(workload) for workload in plan.workloads},
        "tokenMissing": list(plan.token_missing),
        "placement": {p.pool: _values(asdict(p)) for p in plan.placement},
        "dashboard": plan.dashboard,
        "cost": _cost(plan.cost),
        "edits": {path: effect.text for path, effect in plan.edits},
    }


def _cluster(cluster: ClusterPlan) -> dict[str, Any]:
    return {**_values(asdict(cluster))}


def _cost(cost: StackCost) -> dict[str, Any]:
    lines = [
        {**_values(asdict(line)), "usdAtLeast": line.usd_at_least, "usdAtMost": line.usd_at_most} for line in cost.lines
    ]
    total = {"usdPerHourAtLeast": cost.usd_at_least, "usdPerHourAtMost": cost.usd_at_most}
    return {**total, "unknown": list(cost.unknown), "lines": lines}


def _pool(pool: PoolPlan, price: Price | None) -> dict[str, Any]:
    stated = _values(asdict(price)) if price else None
    return {**_values(asdict(pool)), "labels": dict(pool.labels), "price": stated}


def _workload(workload: WorkloadPlan) -> dict[str, Any]:
    judgement = workload.judgement
    return {
        "recipe": workload.recipe,
        "engine": workload.engine_kind,
        "engineVersion": workload.engine_version,
        "contract": workload.contract,
        "image": workload.image,
        "command": list(workload.command) if workload.command else None,
        "argv": list(workload.argv),
        "env": dict(workload.env),
        "tokenSecret": _token(workload),
        "modelId": workload.model_id,
        "revision": workload.revision,
        "servedModelNames": list(workload.served_names),
        "maxModelLen": workload.max_model_len,
        "gated": workload.gated,
        "gpus": workload.gpus,
        "tensorParallelSize": workload.tensor_parallel_size,
        "pipelineParallelSize": workload.pipeline_parallel_size,
        "replicas": workload.replicas,
        "autoscaling": _values(asdict(workload.autoscaling)) if workload.autoscaling else None,
        "podMonitoring": workload.pod_monitoring,
        "nodePool": workload.placing.node_pool,
        "computeClass": workload.placing.compute_class,
        "machineType": workload.placing.machine_type,
        "nodeSelector": dict(workload.placing.node_selector),
        "tolerations": [_values(asdict(t)) for t in workload.placing.tolerations],
        "resources": {kind: dict(amounts) for kind, amounts in workload.resources.as_kubernetes().items()},
        "shmBytes": workload.resources.shm_bytes,
        "rollout": _values(asdict(workload.rollout)),
        "service": {"name": workload.service_name, "type": workload.service_type, "port": workload.port},
        "url": workload.url,
        "fit": _values(asdict(judgement.fit)) if judgement.fit else None,
        "remedies": [remedy.text for remedy in judgement.remedies],
        "verdicts": [_values(asdict(verdict)) for verdict in judgement.verdicts],
        "notes": list(judgement.notes),
    }


def _token(workload: WorkloadPlan) -> dict[str, Any] | None:
    secret = workload.secret
    if secret is None:
        return None
    return {"variable": workload.token_variable, "secret": secret.secret_name, "key": secret.key}


def _values(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, Mapping):
        return {to_camel(str(key)) if str(key).isidentifier() else key: _values(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_values(item) for item in value]
    return value
