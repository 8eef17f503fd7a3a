"""Where a workload's pods run, and how they say so."""

from collections.abc import Mapping
from typing import Any

import pytest

from l4serve.config.refusals.problems import ConfigError
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


CLASS_OF = {"any": {"priorities": [{"machineType": "g2-standard-4"}]}}
SMALL_DISK = {"a": {"machineType": "g2-standard-12", "maxNodes": 2, "diskSizeGb": 300}, "b": dict(POOL)}


def class_stack(classes: dict[str, Any], pools: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return factories.serving(
        {"q": factories.workload(computeClass="any", **fields)}, pools=pools, computeClasses=classes
    )


def test_a_class_of_several_accelerators_is_refused() -> None:
    """Pods select one accelerator, so the machines of the others would never be theirs."""
    pools = {"l4": dict(POOL), "a100": {"machineType": "a2-highgpu-1g", "maxNodes": 2, "spot": True}}
    classes = {"any": {"priorities": [{"nodePool": "a100"}, {"nodePool": "l4"}]}}
    with pytest.raises(ConfigError, match="mixes nvidia-l4 and nvidia-tesla-a100"):
        factories.planned(class_stack(classes, pools))


def test_what_a_pod_asks_of_a_class_every_machine_of_it_holds() -> None:
    with pytest.raises(ConfigError, match=r"requests\.memory: a pod asks for 20\.0 GiB, and g2-standard-4"):
        factories.planned(class_stack(CLASS_OF, {"l4": dict(POOL)}, resources={"requests": {"memory": "20Gi"}}))


def test_the_disk_that_a_pod_asks_for_is_that_of_the_smallest_pool_of_its_class() -> None:
    classes = {"any": {"priorities": [{"nodePool": "a"}, {"nodePool": "b"}]}}
    (plan,) = factories.planned(class_stack(classes, SMALL_DISK)).workloads
    assert plan.resources.requests.ephemeral_bytes == 43 * 2**30


def test_a_pod_of_a_class_tolerates_what_its_pools_are_closed_by() -> None:
    taint = {"key": "team", "value": "a", "effect": "NoSchedule"}
    classes = {"any": {"priorities": [{"nodePool": "a"}, {"nodePool": "b"}]}}
    pools = {"a": {**POOL, "taints": [taint]}, "b": {**POOL, "taints": [taint]}}
    (plan,) = factories.planned(class_stack(classes, pools)).workloads
    found = [(t.key, t.value) for t in plan.placing.tolerations]
    assert found.count(("team", "a")) == 1
    assert found.count(("cloud.google.com/compute-class", "any")) == 1
