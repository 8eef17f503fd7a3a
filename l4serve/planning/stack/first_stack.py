"""A first stack for a model: the smallest set of GPUs and the longest context of a few that the whole plan accepts."""

import re
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from l4serve.config.frozen import frozen
from l4serve.config.keys.vllm import VllmEngine
from l4serve.config.refusals.problems import ConfigError
from l4serve.config.stack_file import SERVING_KEY, parse_stack
from l4serve.planning.memory.remedies import GPU_COUNTS
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.stack.stack_planner import plan_stack

CONTEXTS = (32768, 16384, 8192, 4096, 2048)
"""Contexts that are tried, in tokens, the longest first."""
_LONGEST_NAME = 40


@frozen(kw_only=True)
class Wish:
    """What somebody says of a stack that is to be written."""

    name: str
    project: str
    location: str
    model: ModelShape
    serves: bool
    """Whether users rely on it: on demand, scaled by load, protected. Else one replica on spot, which stays."""


@frozen(kw_only=True)
class FirstStack:
    """The config that the plan accepts, and that plan."""

    config: Mapping[str, Any]
    plan: StackPlan
    chosen: Mapping[str, object] = field(default_factory=dict)
    """What a goal of the advisor sets on the workload, by key."""
    bits: str = ""
    """The least precise of weights and cache with it, such as 4bit; empty where both are full."""


def first_stack(wish: Wish, base: Path) -> FirstStack:
    """The fewest GPUs that hold the model, and on them the longest context that leaves room for the model's error.

    Raises ConfigError with what the plan says of the attempt with the fewest problems where it accepts none.
    """
    refusal: ConfigError | None = None
    for gpus in GPU_COUNTS:
        tight: FirstStack | None = None
        for context in dict.fromkeys(min(wish.model.max_position_embeddings, context) for context in CONTEXTS):
            try:
                found = _planned(wish, gpus, context, base)
            except ConfigError as error:
                if refusal is None or len(error.problems) <= len(refusal.problems):
                    refusal = error  # what every attempt has is not hidden behind what the largest has besides
                continue
            if (fit := found.plan.workloads[0].judgement.fit) is None or not fit.margin_is_uncertain:
                return found
            tight = tight or found
        if tight is not None:
            return tight
    assert refusal is not None, "there is at least one attempt"
    raise refusal


def _planned(wish: Wish, gpus: int, context: int, base: Path) -> FirstStack:
    planned = plan_stack(parse_stack(wish.name, first_config(wish, gpus, context), base=base))
    (pool,) = planned.node_pools
    return FirstStack(config=first_config(wish, gpus, context, pool.machine_type), plan=planned)


def workload_name(model_id: str) -> str:
    """A Kubernetes name for a model: its own, in lower case, with dashes for what names cannot hold."""
    name = _dashed(model_id.rsplit("/", 1)[-1])
    return (name if name[:1].isalpha() else f"m-{name}")[:_LONGEST_NAME].strip("-")


def _dashed(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def first_config(wish: Wish, gpus: int, context: int, machine_type: str | None = None) -> Mapping[str, Any]:
    """The config of a stack that serves the model alone, on a machine that the plan chooses where none is named."""
    pool: dict[str, Any] = {"machineType": machine_type} if machine_type else {}
    pool |= {"minNodes": 0, "maxNodes": 3} if wish.serves else {"minNodes": 0, "maxNodes": 1, "spot": True}
    cluster: dict[str, Any] = {
        "mode": "standard",
        "name": f"llm-{_dashed(wish.name)}"[:_LONGEST_NAME].strip("-"),
        "location": wish.location,
    }
    engine = VllmEngine()
    workload: dict[str, Any] = {
        "model": {"id": wish.model.id},
        "engine": {"kind": engine.kind, "version": engine.version, "maxModelLen": context},
        "nodePool": "l4",
    }
    if gpus > 1:
        workload["gpus"] = gpus
    workload |= {"autoscaling": {"minReplicas": 1, "maxReplicas": 2}} if wish.serves else {"replicas": 1}
    stack: dict[str, Any] = {
        "cluster": cluster | ({"deletionProtection": True} if wish.serves else {}),
        "nodePools": {"l4": pool},
        "workloads": {workload_name(wish.model.id): workload},
    }
    if wish.serves:
        stack["monitoring"] = {"dashboard": True}
    return {"gcp:project": wish.project, SERVING_KEY: stack}
