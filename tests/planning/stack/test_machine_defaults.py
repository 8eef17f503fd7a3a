"""A pool without a machine type gets the cheapest that holds its workloads; what cannot be chosen is refused."""

from functools import partial
from typing import Any

import pytest

from l4serve.config.keys.stack import StackConfig
from l4serve.config.refusals.problems import ConfigError
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.stack.machine_defaults import with_machine_type
from tests import factories

ENGINE = {"kind": "vllm", "version": "0.26.0"}


def workload(**fields: Any) -> dict[str, Any]:
    return {"model": {"id": "Qwen/Qwen2.5-7B-Instruct"}, "engine": ENGINE, **fields}


def chosen(workloads: dict[str, Any], pools: dict[str, Any] | None = None, **stack: Any) -> dict[str, str]:
    fields = {"cluster": factories.STANDARD, "nodePools": pools or {"l4": {}}, "workloads": workloads, **stack}
    config = StackConfig.model_validate(fields)
    shapes = {name: partial(find_model, w.model.id) for name, w in config.workloads.items()}
    return {name: with_machine_type(name, config, shapes, "us-central1").machine_type for name in config.node_pools}


def memory(amount: str) -> dict[str, Any]:
    return {"resources": {"requests": {"memory": amount}}}


@pytest.mark.parametrize(
    ("fields", "machine"),
    [
        (memory("7Gi"), "g2-standard-4"),
        (memory("25Gi"), "g2-standard-8"),
        ({"gpus": 2, **memory("40Gi")}, "g2-standard-24"),
        ({"gpus": 4}, "g2-standard-48"),
        ({"resources": {"limits": {"cpu": "14"}}}, "g2-standard-16"),
    ],
)
def test_the_cheapest_machine_for_the_pool_is_named(fields: dict[str, Any], machine: str) -> None:
    assert chosen({"w": workload(**fields)}) == {"l4": machine}


def test_memory_that_is_left_open_is_what_the_engine_needs_while_it_loads() -> None:
    with pytest.raises(ConfigError, match=r"w: 1 GPUs, [1-9]\d*Gi"):
        chosen({"w": workload(resources={"requests": {"cpu": "900"}})})


def test_every_workload_of_the_pool_counts_and_no_other() -> None:
    pools: dict[str, Any] = {"small": {}, "large": {}}
    workloads = {
        "a": workload(nodePool="small", **memory("7Gi")),
        "b": workload(nodePool="large", **memory("7Gi")),
        "c": workload(nodePool="large", gpus=2, **memory("40Gi")),
    }
    assert chosen(workloads, pools) == {"small": "g2-standard-4", "large": "g2-standard-24"}


def test_workloads_of_a_class_count_on_each_of_its_pools() -> None:
    classes = {"l4s": {"priorities": [{"nodePool": "spot"}, {"nodePool": "sure"}]}}
    pools = {"spot": {"spot": True}, "sure": {}}
    workloads = {"a": workload(computeClass="l4s", **memory("25Gi"))}
    named = chosen(workloads, pools, computeClasses=classes)
    assert named == {"spot": "g2-standard-8", "sure": "g2-standard-8"}


def test_prices_of_the_stack_decide() -> None:
    prices = {"onDemand": {"g2-standard-32": 0.01}}
    assert chosen({"w": workload(**memory("7Gi"))}, prices=prices) == {"l4": "g2-standard-32"}


def test_a_machine_type_that_is_named_stays() -> None:
    assert chosen({"w": workload(**memory("7Gi"))}, {"l4": {"machineType": "g2-standard-96"}}) == {
        "l4": "g2-standard-96"
    }


@pytest.mark.parametrize(
    ("workloads", "message"),
    [
        ({}, "no workload names the pool"),
        ({"w": workload(**memory("900Gi"))}, "no machine holds a pod"),
        ({"w": workload(resources={"requests": {"memory": "9000000001m"}})}, "fraction"),
    ],
)
def test_what_cannot_be_chosen_is_refused(workloads: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        chosen(workloads)
