"""Where a workload's pods run, and how they say so."""

from typing import Any

from components.config.stack import StackConfig
from components.planning.plan import StackPlan, plan_stack

WORKLOAD = {"engine": {"kind": "vllm", "maxModelLen": 4096}, "model": {"id": "Qwen/Qwen2.5-1.5B-Instruct"}}
POOL = {"machineType": "g2-standard-12", "maxNodes": 2, "labels": {"team": "llm"}}
MANAGED = {"mode": "standard", "name": "llm", "location": "us-central1-a"}


def planned(cluster: dict[str, Any], pools: dict[str, Any], **fields: Any) -> StackPlan:
    config = {"cluster": cluster, "nodePools": pools, "workloads": {"qwen": {**WORKLOAD, **fields}}}
    stack = StackConfig.model_validate(config)
    return plan_stack(stack, stack="test", project="my-project", has_token=False, model_configs={})


def selector(plan: StackPlan) -> dict[str, str]:
    return dict(plan.workloads[0].placing.node_selector)


def test_a_pool_of_the_stack_is_selected_by_its_own_label() -> None:
    assert selector(planned(MANAGED, {"l4": POOL})) == {
        "cloud.google.com/gke-accelerator": "nvidia-l4",
        "l4serve.dev/pool": "l4",
    }


def test_nodes_that_the_stack_only_describes_are_selected_by_machine_and_labels() -> None:
    assert selector(planned({"mode": "existing"}, {"l4": POOL})) == {
        "cloud.google.com/gke-accelerator": "nvidia-l4",
        "node.kubernetes.io/instance-type": "g2-standard-12",
        "team": "llm",
    }


def test_the_smallest_pool_with_enough_gpus_is_taken() -> None:
    pools = {"big": {**POOL, "machineType": "g2-standard-24"}, "small": POOL}
    assert planned(MANAGED, pools).workloads[0].placing.node_pool == "small"
    assert planned(MANAGED, pools, gpus=2).workloads[0].placing.node_pool == "big"
