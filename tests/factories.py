"""Stacks for tests: one base stack, laid over with what a test is about, and its plan."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter

from l4serve.config.keys.cluster import Cluster
from l4serve.config.keys.node_pool import NodePool
from l4serve.config.stack_file import SERVING_KEY, TOKEN_KEY, Stack, parse_stack
from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.gke.cluster_planner import plan_cluster
from l4serve.planning.gke.pool_plan import PoolPlan
from l4serve.planning.gke.pools import plan_pool
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.stack.stack_planner import plan_stack

ROOT = Path(__file__).resolve().parents[1]
PROJECT = "my-project"
STANDARD: Mapping[str, Any] = {"mode": "standard", "name": "llm", "location": "us-central1"}
ZONAL: Mapping[str, Any] = {**STANDARD, "location": "us-central1-a"}
AUTOPILOT: Mapping[str, Any] = {**STANDARD, "mode": "autopilot"}
EXISTING: Mapping[str, Any] = {"mode": "existing"}
POOL: Mapping[str, Any] = {"machineType": "g2-standard-8", "maxNodes": 4}
ENGINE: Mapping[str, Any] = {"kind": "vllm", "version": "0.26.0", "maxModelLen": 4096}
SMALL = "Qwen/Qwen2.5-1.5B-Instruct"
SECRET_MARK = {"secure": "v1:test"}


def workload(model: str = SMALL, *, engine: Mapping[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """A workload as YAML has it; `engine` is laid over the base engine, None takes a key away."""
    merged = {key: value for key, value in {**ENGINE, **(engine or {})}.items() if value is not None}
    return {"model": {"id": model}, "engine": merged, **fields}


def serving(
    workloads: Mapping[str, Any] | None = None,
    *,
    cluster: Mapping[str, Any] = ZONAL,
    pools: Mapping[str, Any] | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """The serving object of a stack file: one small workload on one pool unless a test says otherwise."""
    default_pools = {"l4": POOL} if cluster["mode"] == "standard" else {}
    return copy.deepcopy(
        {
            "cluster": dict(cluster),
            "nodePools": dict(default_pools if pools is None else pools),
            "workloads": dict({"qwen": workload()} if workloads is None else workloads),
            **fields,
        }
    )


def loaded(
    values: Mapping[str, Any], *, project: str | None = PROJECT, has_token: bool = False, name: str = "test"
) -> Stack:
    """The validated stack of a serving object; relative paths start from the project's folder."""
    config: dict[str, Any] = {SERVING_KEY: dict(values)}
    if project is not None:
        config["gcp:project"] = project
    if has_token:
        config[TOKEN_KEY] = SECRET_MARK
    return parse_stack(name, config, base=ROOT)


def planned(
    values: Mapping[str, Any], *, project: str | None = PROJECT, has_token: bool = False, name: str = "test"
) -> StackPlan:
    """The plan of a serving object, each of whose notes has a kind: whatever a test plans holds that."""
    plan = plan_stack(loaded(values, project=project, has_token=has_token, name=name))
    unknown = [note.text for note in plan.notes if note.id == "other"]
    assert not unknown, f"values/data/note_kinds.yaml has no kind of these notes: {unknown}"
    return plan


def write_stack(folder: Path, values: Mapping[str, Any], *, name: str = "made", project: str | None = PROJECT) -> Path:
    """A stack file in a folder, as the commands read it by -f."""
    config: dict[str, Any] = {SERVING_KEY: copy.deepcopy(dict(values))}
    if project is not None:
        config["gcp:project"] = project
    path = folder / f"Pulumi.{name}.yaml"
    path.write_text(yaml.safe_dump({"config": config}, sort_keys=False), encoding="utf-8")
    return path


def cluster_plan(base: Mapping[str, Any] = STANDARD, **changes: Any) -> ClusterPlan:
    """The plan of a cluster config with changes by camelCase key."""
    allow = changes.pop("allow_replace", ())
    config: Cluster = TypeAdapter(Cluster).validate_python({**base, **changes})
    return plan_cluster(config, project=PROJECT, allow_replace=allow)


def pool_plan(
    base: Mapping[str, Any] = STANDARD, *, name: str = "l4", compute_class: str | None = None, **pool: Any
) -> PoolPlan:
    """The plan of a node pool on a cluster, with its config by camelCase key."""
    config = NodePool.model_validate({"machineType": POOL["machineType"], **pool})
    return plan_pool(name, config, cluster_plan(base), compute_class=compute_class)
