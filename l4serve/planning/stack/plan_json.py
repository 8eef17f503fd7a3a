"""A stack's plan as plain JSON values: the stable interface of `l4serve plan --json`."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.pool_plan import PoolPlan
from l4serve.planning.memory.fit import Fit
from l4serve.planning.stack.cost import LEVELS, StackCost
from l4serve.planning.stack.speed_json import speed_json
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.workload.judgement.judging import Judgement, judged_lengths
from l4serve.planning.workload.judgement.prospect import Prospect
from l4serve.planning.workload.pods.start import StartPlan
from l4serve.planning.workload.workload_plan import WorkloadPlan

SCHEMA_VERSION = 1
"""Raised when a key goes or changes its meaning; new keys leave it as it is."""


def stack_json(plan: StackPlan, *, speed: bool = True) -> dict[str, Any]:
    """The plan of a stack, camelCase keys, JSON types only; without `speed`, nothing is followed to find it."""
    return {
        "schemaVersion": SCHEMA_VERSION,
        "stack": plan.stack,
        "namespace": plan.namespace,
        "cluster": _cluster(plan.cluster),
        "nodePools": {pool.name: _pool(pool) for pool in plan.node_pools},
        "computeClasses": {c.name: _values(c.spec) for c in plan.compute_classes},
        "workloads": {workload.name: _workload(workload, speed=speed) for workload in plan.workloads},
        "tokenMissing": list(plan.token_missing),
        "placement": {p.pool: _values(asdict(p)) for p in plan.placement},
        "dashboard": plan.dashboard,
        "cost": _cost(plan.cost),
        "notes": [{"id": n.id, "level": n.level, "path": n.path, "text": n.text} for n in plan.notes],
        "edits": {path: effect.text for path, effect in plan.edits},
    }


def _cluster(cluster: ClusterPlan) -> dict[str, Any]:
    values: dict[str, Any] = _values(asdict(cluster))
    managed = {**values["managed"], "privateNodes": cluster.private_nodes} if cluster.managed else None
    return {**values, "managed": managed, "notes": values.pop("remarks")}


def _cost(cost: StackCost) -> dict[str, Any]:
    lines = [
        {**_values(asdict(line)), "usdAtLeast": line.usd_at_least, "usdAtMost": line.usd_at_most} for line in cost.lines
    ]
    total = {"usdPerHourAtLeast": cost.usd_at_least, "usdPerHourAtMost": cost.usd_at_most}
    return {**levels_json(cost), **total, "unknown": list(cost.unknown), "lines": lines}


def levels_json(cost: StackCost) -> dict[str, dict[str, float | None]]:
    """The cost at its least, as planned and at its most; null where no part of it is stated."""
    amounts = ((level, cost.at(level)) for level in LEVELS)
    return {level: {"usdPerHour": usd.per_hour, "usdPerMonth": usd.per_month} for level, usd in amounts}


def _pool(pool: PoolPlan) -> dict[str, Any]:
    size, disks, supply = _values(asdict(pool.size)), pool.disks, _values(asdict(pool.supply))
    return {
        "name": pool.name,
        "resourceName": pool.resource_name,
        "machineType": pool.machine_type,
        "accelerator": pool.accelerator,
        "gpus": pool.gpus,
        **size,
        **supply,
        **_values(asdict(pool.software)),
        **_values(asdict(pool.upkeep)),
        "diskSizeGb": disks.size_gb,
        "diskType": disks.type,
        "localSsds": disks.local_ssds,
        "localSsdUse": disks.local_ssd_use,
        "secondaryBootDisk": disks.secondary_boot_disk,
        "secondaryBootDiskMode": disks.secondary_boot_disk_mode,
        "labels": dict(pool.labels),
        "taints": [_values(asdict(taint)) for taint in pool.taints],
        "resourceLabels": [list(label) for label in pool.resource_labels],
        "create": pool.create,
        "protect": pool.protect,
        "computeClass": pool.compute_class,
        "notes": list(pool.remarks),
        "price": _values(asdict(pool.price)) if pool.price else None,
    }


def _workload(workload: WorkloadPlan, *, speed: bool) -> dict[str, Any]:
    engine, model, scale, placing = workload.engine, workload.model, workload.scale, workload.placing
    return {
        "recipe": workload.recipe,
        "engine": engine.kind,
        "engineVersion": engine.version,
        "contract": engine.contract.name,
        "image": engine.image,
        "command": list(engine.command) if engine.command else None,
        "argv": list(engine.argv),
        "env": dict(engine.env),
        "envSources": {name: source.model_dump(by_alias=True) for name, source in engine.env_sources.items()},
        "tokenSecret": _token(workload),
        "modelId": model.id,
        "revision": model.revision,
        "servedModelNames": list(model.served_names),
        "serves": model.purpose,
        "maxModelLen": model.max_model_len,
        "gated": model.gated,
        **_values(asdict(workload.layout)),
        "replicas": scale.replicas,
        "onDemand": scale.on_demand,
        "autoscaling": _values(asdict(scale.autoscaling)) if scale.autoscaling else None,
        "podMonitoring": workload.service.pod_monitoring,
        "nodePool": placing.node_pool,
        "computeClass": placing.compute_class,
        "machineType": placing.machine_type,
        "nodeSelector": dict(placing.node_selector),
        "tolerations": [_values(asdict(t)) for t in placing.tolerations],
        "resources": {kind: dict(amounts) for kind, amounts in workload.resources.as_kubernetes().items()},
        "shmBytes": workload.resources.shm_bytes,
        "start": _start(workload.lifecycle.start),
        "drain": {
            "leaveSeconds": workload.lifecycle.leave_seconds,
            "graceSeconds": workload.lifecycle.grace_seconds,
        },
        "storage": _values(asdict(workload.storage)),
        "alerts": _values(asdict(workload.alerts)) if workload.alerts else None,
        "rollout": _values(asdict(scale.rollout)),
        "service": {"name": workload.service.name, "type": workload.service.type, "port": workload.service.port},
        "url": workload.service.url,
        **({"speed": _speed(workload.prospect)} if speed else {}),
        **_judgement(workload.judgement),
    }


def _start(start: StartPlan) -> dict[str, Any]:
    """Seconds of each phase until a new pod serves; null where the weights' size is not known."""
    return {**_values(asdict(start)), "container": start.container, "total": start.total}


def _speed(prospect: Prospect) -> dict[str, Any]:
    """One pod for one user and with every place taken, under the lengths that the workload expects."""
    return {
        "load": _values(prospect.load),
        "oneUser": {"concurrency": 1, **speed_json(prospect.one_user)},
        "fullBatch": {"concurrency": prospect.places, **speed_json(prospect.full_batch)},
    }


def _judgement(judgement: Judgement) -> dict[str, Any]:
    return {
        "fit": _fit(judgement.fit) if judgement.fit else None,
        "remedies": [remedy.text for remedy in judgement.remedies],
        "verdicts": [_values(asdict(verdict)) for verdict in judgement.verdicts],
        "notes": list(judgement.notes),
    }


def _fit(fit: Fit) -> dict[str, Any]:
    return {**_values(asdict(fit)), "kvCacheGib": fit.kv_room_gib, **judged_lengths(fit)}


def _token(workload: WorkloadPlan) -> dict[str, Any] | None:
    secret = workload.secret
    if secret is None:
        return None
    return {"variable": workload.engine.contract.token_env, "secret": secret.secret_name, "key": secret.key}


def _values(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, Mapping):
        return {_key(str(key)): _values(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_values(item) for item in value]
    return value


@lru_cache(maxsize=1024)
def _key(key: str) -> str:
    """A field's name in the form of YAML's keys; what is none stays."""
    return to_camel(key) if key.isidentifier() else key
