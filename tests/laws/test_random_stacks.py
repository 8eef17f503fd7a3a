"""Laws of the planner on stacks that the JSON Schema allows: it refuses or plans, and what it plans holds together."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from l4serve.config.refusals.problems import ConfigError
from l4serve.planning.machines.allocatable import allocatable
from l4serve.planning.machines.daemonsets import daemonset_overhead
from l4serve.planning.stack.plan_json import stack_json
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.sandbox.pod_nodes import pod_nodes
from l4serve.sandbox.pods import PodRequest
from tests.factories import planned
from tests.laws.schema_strategy import stacks

RUNS = int(os.environ.get("L4SERVE_RANDOM_STACKS", "100"))
"""Of `make test`; the full run takes 2000."""

laws = settings(
    max_examples=RUNS, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


def outcome(serving: Mapping[str, Any]) -> StackPlan | None:
    """The plan; None for a refusal. Anything else is raised, and fails the law."""
    try:
        return planned(serving)
    except ConfigError as refused:
        assert refused.problems
        return None


def test_a_stack_is_planned_or_refused_and_its_pods_have_room() -> None:
    planned_ones = 0

    @laws
    @given(stacks())
    def law(serving: dict[str, Any]) -> None:
        nonlocal planned_ones
        plan = outcome(serving)
        if plan is not None:
            planned_ones += 1
            json.dumps(stack_json(plan))
            assert [*contradictions(plan)] == []

    law()
    # Hypothesis draws from the constants of what is loaded: 8 to 17 % are planned, by what ran before.
    assert planned_ones > RUNS // 30, "a law of refusals alone would say little"


def contradictions(plan: StackPlan) -> Iterator[str]:
    """What a count of each pool's nodes, made without the packing, says against the plan."""
    for pool in plan.node_pools:
        own = [w for w in plan.workloads if w.placing.node_pool == pool.name]
        pods = [w for w in own for _ in range(w.scale.most_replicas)]
        room = allocatable(pool.shape, boot_disk_gib=pool.disks.size_gb, local_ssds=pool.ephemeral_ssds)
        if sum(w.layout.gpus for w in pods) > pool.gpus * pool.size.max_nodes:
            yield f"{pool.name}: more GPUs than its nodes have"
        for workload in own:
            asked = workload.resources.requests
            if workload.layout.gpus > pool.gpus or asked.cpu_millis > room.cpu_millis:
                yield f"{workload.name}: larger than a node of {pool.name}"
            if asked.memory_bytes > room.memory_bytes or asked.ephemeral_bytes > room.ephemeral_bytes:
                yield f"{workload.name}: more memory or disk than a node of {pool.name}"
    for workload in plan.workloads:
        fit = workload.judgement.fit
        if fit is not None and min(fit.weights_gib, fit.kv_room_gib, fit.kv_cache_tokens, fit.max_concurrency) < 0:
            yield f"{workload.name}: a figure below nothing"


AMOUNTS = st.fixed_dictionaries({}, optional={"ephemeralStorage": st.sampled_from(("5Gi", "43Gi", "60Gi", "200Gi"))})


@laws
@given(stacks(), AMOUNTS)
def test_autopilot_has_a_node_for_every_pod_that_is_planned(serving: dict[str, Any], asked: dict[str, str]) -> None:
    cluster = {"mode": "autopilot", "name": "llm", "location": "us-central1"}
    workloads = {
        name: {key: value for key, value in workload.items() if key != "nodePool"} | {"resources": {"requests": asked}}
        for name, workload in serving["workloads"].items()
    }
    plan = outcome({"cluster": cluster, "workloads": workloads})
    for workload in plan.workloads if plan is not None else ():
        pod = PodRequest(workload=workload.name, requests=workload.resources.of_one_pod(), node_selector={})
        assert pod_nodes([pod], overhead=daemonset_overhead()), workload.resources


def digest() -> str:
    """One hash over the plans of the random stacks."""
    said = hashlib.sha256()

    @settings(laws, max_examples=min(RUNS, 60))
    @given(stacks())
    def collect(serving: dict[str, Any]) -> None:
        plan = outcome(serving)
        said.update(json.dumps(stack_json(plan) if plan else None, default=str).encode())

    collect()
    return said.hexdigest()


def test_a_plan_is_a_function_of_its_input() -> None:
    code = "from tests.laws.test_random_stacks import digest; print(digest())"
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1
