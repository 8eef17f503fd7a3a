"""The machine of a pool: its own cards, attached ones, and every reason why there is none."""

from typing import Any

import pytest

from l4serve.config.refusals.problems import ConfigError, Problem
from tests.factories import STANDARD, ZONAL, pool_plan

T4 = {"type": "nvidia-tesla-t4", "count": 1}


def problem(**pool: Any) -> Problem:
    with pytest.raises(ConfigError) as caught:
        pool_plan(ZONAL, **pool)
    return caught.value.problems[0]


def test_n1_takes_the_cards_that_the_pool_attaches() -> None:
    plan = pool_plan(ZONAL, machineType="n1-standard-8", accelerator=T4)
    assert (plan.machine_type, plan.accelerator, plan.gpus, plan.shape.vcpus) == (
        "n1-standard-8",
        "nvidia-tesla-t4",
        1,
        8,
    )


@pytest.mark.parametrize(
    ("pool", "path", "message", "remedy"),
    [
        ({"machineType": "n1-standard-8"}, "accelerator", "no GPU of its own", "type: nvidia-tesla-t4"),
        (
            {"machineType": "g2-standard-8", "accelerator": T4},
            "accelerator",
            "brings 1 nvidia-l4 of its own",
            "remove accelerator",
        ),
        (
            {"machineType": "n1-standard-8", "accelerator": {"type": "nvidia-l4"}},
            "accelerator.type",
            "'nvidia-l4' attaches to n1",
            "nvidia-tesla-t4",
        ),
        (
            {"machineType": "n1-standard-8", "accelerator": {**T4, "count": 3}},
            "accelerator.count",
            "and 3 are asked for",
            "1, 2, 4",
        ),
        (
            {"machineType": "n1-standard-64", "accelerator": T4},
            "machineType",
            "at most 48 vCPUs and 312 GB",
            "raise accelerator.count",
        ),
        ({"machineType": "n1-ultramem-40", "accelerator": T4}, "machineType", "a known machine type", "n1-standard-8"),
        ({"machineType": "g4-standard-24"}, "machineType", "no source states the memory", "g4-standard-48"),
        (
            {"machineType": "L4"},
            "machineType",
            "is not a known GPU machine type",
            "that is a card: nvidia-l4 is in g2-",
        ),
        ({"machineType": "h7-standard-1"}, "machineType", "is not a known GPU machine type", "l4serve shapes"),
    ],
)
def test_a_machine_that_cannot_be_planned_is_refused_with_its_remedy(
    pool: dict[str, Any], path: str, message: str, remedy: str
) -> None:
    found = problem(**pool)
    assert found.path == f"nodePools.l4.{path}"
    assert message in found.message
    assert remedy in found.remedy


def test_a_machine_that_is_not_sold_on_demand_is_refused_with_the_ways_that_are() -> None:
    found = problem(machineType="a3-highgpu-1g")
    assert found.path == "nodePools.l4.provisioning"
    assert "a3-highgpu-1g is not sold on-demand" in found.message
    assert found.remedy == "set provisioning to one of: spot, flex-start, reservation"
    assert pool_plan(ZONAL, machineType="a3-highgpu-8g").supply.provisioning == "on-demand"


def test_a_zone_that_no_source_names_is_warned_of_and_planned() -> None:
    plan = pool_plan(STANDARD, machineType="a2-ultragpu-1g", zones=["us-central1-b"])
    assert plan.size.zones == ("us-central1-b",)
    assert any("no source names us-central1-b for nvidia-a100-80gb" in note for note in plan.remarks)
    assert not pool_plan(STANDARD, machineType="a2-ultragpu-1g").remarks
    assert not pool_plan(
        STANDARD, machineType="a2-ultragpu-1g", zones=["us-central1-b"], allowUnlistedZones=True
    ).remarks


def test_a_region_of_which_no_source_names_a_zone_leaves_the_zones_to_the_cluster() -> None:
    plan = pool_plan(STANDARD, machineType="g4-standard-48")
    assert plan.size.zones == ()
    assert any("no source names the zones of us-central1 with nvidia-rtx-pro-6000" in note for note in plan.remarks)
