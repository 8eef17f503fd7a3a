"""Stacks for tests: one base stack, laid over with what a test is about, and its plan."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from l4serve.config.stack_file import SERVING_KEY, TOKEN_KEY, Stack, parse_stack
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.stack.stack_planner import plan_stack

ROOT = Path(__file__).resolve().parents[1]
PROJECT = "my-project"
REGIONAL: Mapping[str, Any] = {"mode": "standard", "name": "llm", "location": "us-central1"}
ZONAL: Mapping[str, Any] = {**REGIONAL, "location": "us-central1-a"}
AUTOPILOT: Mapping[str, Any] = {**REGIONAL, "mode": "autopilot"}
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
    """The plan of a serving object."""
    return plan_stack(loaded(values, project=project, has_token=has_token, name=name))
