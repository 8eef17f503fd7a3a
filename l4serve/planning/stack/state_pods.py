"""The pods of Deployments as a stack's state has them: a killed update writes no output that tells of its own."""

from collections.abc import Mapping
from typing import Any

from l4serve.planning.gke.pool_plan import COMPUTE_CLASS_LABEL, POOL_LABEL, PoolPlan
from l4serve.planning.packing.placement import PodRequest
from l4serve.planning.packing.pod_requests import requests_of
from l4serve.planning.stack.planned_pods import UNKNOWN
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.workload.nodes.node_choice import ACCELERATOR_LABEL, MACHINE_LABEL
from l4serve.planning.workload.pods.storage import annotated_sidecar

Specs = Mapping[str, Mapping[str, Any]]
"""`spec` of Deployments, by namespace and name."""


def state_pods(specs: Specs, most: Mapping[str, int], plan: StackPlan) -> dict[str, PodRequest]:
    """The pods of these Deployments on the plan's pools; `most` is what an autoscaler may make of some.

    One is left out that says no size, or whose nodes may be of several pools, or of one that the plan describes anew.
    """
    found = {}
    for name, spec in specs.items():
        pods = (spec.get("template") or {}).get("spec") or {}
        pool = _pool_of(pods.get("nodeSelector") or {}, plan)
        if pods.get("containers") and pool is not None:
            found[name] = _request(name, spec, pool, most.get(name, 0))
    return found


def _request(name: str, spec: Mapping[str, Any], pool: str, most: int) -> PodRequest:
    template = spec["template"]
    asked = requests_of(template["spec"])
    beside = annotated_sidecar((template.get("metadata") or {}).get("annotations") or {})
    return PodRequest(
        workload=name.rpartition("/")[2],
        cpu_millis=asked.cpu_millis + (beside.cpu_millis if beside else 0),
        memory_bytes=asked.memory_bytes + (beside.memory_bytes if beside else 0),
        ephemeral_bytes=asked.ephemeral_bytes + (beside.ephemeral_bytes if beside else 0),
        gpus=asked.gpus,
        replicas=max(int(spec.get("replicas", 1)), most),
        node_pool=pool,
    )


def _pool_of(selector: Mapping[str, str], plan: StackPlan) -> str | None:
    """The pool whose nodes pods select; UNKNOWN where they are on none of the plan's, None where that is not known."""
    pools = [pool for pool in plan.node_pools if selector.items() <= _labels(pool).items()]
    one_class = {pool.compute_class for pool in pools} - {None}
    if len(pools) == 1 or (pools and len(one_class) == 1 and COMPUTE_CLASS_LABEL in selector):
        return pools[0].name
    gone = POOL_LABEL in selector or selector.get(COMPUTE_CLASS_LABEL) in {each.name for each in plan.compute_classes}
    return UNKNOWN if gone and not pools else None


def _labels(pool: PoolPlan) -> dict[str, str]:
    """Labels of its nodes by which pods may select them."""
    own = {POOL_LABEL: pool.name, ACCELERATOR_LABEL: pool.accelerator, MACHINE_LABEL: pool.machine_type}
    in_class = {COMPUTE_CLASS_LABEL: pool.compute_class} if pool.compute_class else {}
    return {**dict(pool.labels), **own, **in_class}
