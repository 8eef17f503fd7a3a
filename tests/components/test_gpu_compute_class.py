"""A compute class: its order, its pools, and orders that GKE would never follow."""

from typing import Any

import pytest

from components.gpu_compute_class import GpuComputeClass, GpuComputeClassArgs
from l4serve.config.keys.compute_class import ComputeClass
from l4serve.config.keys.node_pool import NodePool
from l4serve.config.refusals.problems import ConfigError
from l4serve.planning.gke.classes import ComputeClassPlan, class_of_each_pool, plan_compute_class
from l4serve.planning.gke.pools import plan_pool
from tests.components.recorder import only, record
from tests.factories import AUTOPILOT, STANDARD, cluster_plan

BOTH = pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
POOLS: dict[str, dict[str, Any]] = {
    "reserved": {"zones": ["us-central1-a"], "reservation": {"affinity": "specific", "name": "block"}},
    "spot": {"spot": True},
    "demand": {},
    "queued": {"flexStart": {"queued": True}},
}
ORDER = [{"nodePool": "reserved"}, {"nodePool": "spot"}, {"nodePool": "demand"}]


def class_plan(priorities: list[dict[str, Any]], base: Any = STANDARD, **said: Any) -> ComputeClassPlan:
    cluster = cluster_plan(base)
    config = ComputeClass.model_validate({"priorities": priorities, **said})
    configs = {name: NodePool.model_validate({"machineType": "g2-standard-8", **pool}) for name, pool in POOLS.items()}
    plans = {} if base is AUTOPILOT else {name: plan_pool(name, pool, cluster) for name, pool in configs.items()}
    return plan_compute_class("l4-any", config, cluster, plans, {} if base is AUTOPILOT else configs)


@BOTH
def test_the_order_names_the_pools_as_gke_knows_them(preview: bool) -> None:
    plan = class_plan(ORDER)
    made = only(
        record(lambda: GpuComputeClass("l4-any", GpuComputeClassArgs(plan=plan)), preview=preview),
        "kubernetes:cloud.google.com/v1:ComputeClass",
    )
    names = [rule["nodepools"][0] for rule in made.inputs["spec"]["priorities"]]
    assert [name.rsplit("-", 1)[0] for name in names] == ["reserved", "spot", "demand"]
    assert made.inputs["spec"]["whenUnsatisfiable"] == "DoNotScaleUp"
    assert made.inputs["spec"]["nodePoolAutoCreation"] == {"enabled": False}
    assert made.inputs["metadata"]["name"] == "l4-any"


def test_autopilot_orders_name_machines() -> None:
    plan = class_plan(
        [
            {"machineType": "g2-standard-24", "reservation": "block"},
            {"machineType": "g2-standard-24", "spot": True},
            {"machineType": "g2-standard-24", "flexStartSeconds": 3600},
        ],
        AUTOPILOT,
        migrateBack=True,
    )
    reserved, spot, flex = plan.spec["priorities"]
    assert reserved["gpu"] == {"type": "nvidia-l4", "count": 2}
    assert reserved["reservations"] == {"affinity": "Specific", "specific": [{"name": "block"}]}
    assert spot["spot"] is True
    assert (flex["flexStart"], flex["maxRunDurationSeconds"]) == ({"enabled": True}, 3600)
    assert plan.spec["nodePoolAutoCreation"] == {"enabled": True}
    assert plan.spec["activeMigration"] == {"optimizeRulePriority": True}


@pytest.mark.parametrize(
    ("priorities", "base", "path"),
    [
        ([{"nodePool": "lost"}], STANDARD, "computeClasses.l4-any.priorities[0].nodePool"),
        ([{"nodePool": "spot"}, {"nodePool": "queued"}], STANDARD, "computeClasses.l4-any.priorities[1].nodePool"),
        ([{"nodePool": "spot"}], AUTOPILOT, "computeClasses.l4-any.priorities[0].nodePool"),
        ([{"machineType": "e2-small"}], STANDARD, "computeClasses.l4-any.priorities[0].machineType"),
    ],
)
def test_orders_that_lead_nowhere_are_refused(priorities: list[dict[str, Any]], base: Any, path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        class_plan(priorities, base)
    (problem,) = caught.value.problems
    assert problem.path == path
    assert problem.remedy


@pytest.mark.parametrize(
    "priority",
    [
        {},
        {"nodePool": "a", "machineType": "g2-standard-8"},
        {"nodePool": "a", "spot": True},
        {"machineType": "g2-standard-8", "spot": True, "reservation": "r"},
    ],
)
def test_a_priority_says_one_thing(priority: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"no way to get a node|remove them here|exclude each other"):
        ComputeClass.model_validate({"priorities": [priority]})


def test_a_pool_belongs_to_one_class() -> None:
    first = ComputeClass.model_validate({"priorities": ORDER})
    second = ComputeClass.model_validate({"priorities": [{"nodePool": "spot"}]})
    assert class_of_each_pool({"a": first}) == {"reserved": "a", "spot": "a", "demand": "a"}
    with pytest.raises(ConfigError) as caught:
        class_of_each_pool({"a": first, "b": second})
    assert caught.value.problems[0].path == "computeClasses.b.priorities[0].nodePool"
