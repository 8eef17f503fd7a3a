"""Where a workload's pods run, and how they say so."""

from collections.abc import Mapping
from typing import Any

from l4serve.planning.stack.stack_plan import StackPlan
from tests import factories

POOL = {"machineType": "g2-standard-12", "maxNodes": 2, "labels": {"team": "llm"}}


def planned(cluster: Mapping[str, Any], pools: dict[str, Any], **fields: Any) -> StackPlan:
    return factories.planned(factories.serving({"qwen": factories.workload(**fields)}, cluster=cluster, pools=pools))


def selector(plan: StackPlan) -> dict[str, str]:
    return dict(plan.workloads[0].placing.node_selector)


def test_a_pool_of_the_stack_is_selected_by_its_own_label() -> None:
    assert selector(planned(factories.ZONAL, {"l4": POOL})) == {
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
    assert planned(factories.ZONAL, pools).workloads[0].placing.node_pool == "small"
    assert planned(factories.ZONAL, pools, gpus=2).workloads[0].placing.node_pool == "big"
