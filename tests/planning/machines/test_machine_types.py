"""A machine type that Compute Engine has passes; any other of a known series is refused with the nearest one."""

import json
from typing import Any

import pytest

from l4serve.config.refusals.problems import ConfigError
from l4serve.planning.machines.machine_types import knows_series, nearest_existing
from l4serve.planning.stack.stack_plan import StackPlan
from scripts import refresh_prices
from tests import factories


def planned(pool: str = "g2-standard-8", **system: Any) -> StackPlan:
    return factories.planned(
        factories.serving(
            {"w": factories.workload(nodePool="l4")},
            cluster={**factories.ZONAL, "systemPool": system},
            pools={"l4": {"machineType": pool}},
        )
    )


def refusal(pool: str = "g2-standard-8", **system: Any) -> str:
    with pytest.raises(ConfigError) as refused:
        planned(pool, **system)
    return str(refused.value)


SIZES = [
    ("n2-standard-5", "n2-standard-4"),
    ("e2-standard-64", "e2-standard-32"),
    ("e2-highmem-32", "e2-highmem-16"),
    ("n2-highcpu-128", "n2-highcpu-96"),
    ("n2d-highmem-128", "n2d-highmem-96"),
    ("c2-highmem-8", "c2-standard-8"),
    ("t2d-standard-64", "t2d-standard-60"),
    ("c3-standard-16", "c3-standard-22"),
    ("c4d-standard-4-lssd", "c4d-standard-8-lssd"),
    ("m1-standard-4", "m1-ultramem-40"),
    ("e2-standrd-4", "e2-standard-4"),
    ("n2-standard", "n2-standard-2"),
]
CUSTOM = [
    ("n2-custom-5-8192", "n2-custom-6-8192"),
    ("n2-custom-34-65536", "n2-custom-36-65536"),
    ("n2-custom-4-100", "n2-custom-4-2048"),
    ("n2-custom-4-8000", "n2-custom-4-8192"),
    ("n2-custom-4-65536", "n2-custom-4-65536-ext"),
    ("n2d-custom-12-24576", "n2d-custom-16-24576"),
    ("custom-3-5120", "n1-custom-4-5120"),
    ("e2-custom-32-262144", "e2-custom-32-131072"),
    ("e2-custom-4-65536-ext", "e2-custom-4-32768"),
    ("e2-custom-medium-1024", "e2-custom-medium-4096"),
    ("e2-custom-large-4096", "e2-custom-medium-4096"),
    ("n2-custom-micro-1024", "n2-custom-2-1024"),
    ("c3-custom-4-8192", "c3-standard-4"),
]


@pytest.mark.parametrize(("asked", "meant"), [*SIZES, *CUSTOM])
def test_what_does_not_exist_is_told_by_what_does(asked: str, meant: str) -> None:
    assert nearest_existing(asked) == meant
    assert nearest_existing(meant) is None, "the remedy holds"


@pytest.mark.parametrize(
    "machine",
    [
        *("n2-standard-48", "e2-medium", "c4-standard-288", "m1-megamem-96", "z3-highmem-14-standardlssd"),
        *("n2-custom-4-8192", "n2-custom-4-65536-ext", "custom-4-5120", "e2-custom-medium-4096", "n4-custom-6-30720"),
    ],
)
def test_what_exists_passes(machine: str) -> None:
    assert knows_series(machine) and nearest_existing(machine) is None


def test_each_machine_of_the_system_pool_must_exist() -> None:
    assert "cluster.systemPool.machineType: Compute Engine has no machine type n2-standard-5" in refusal(
        machineType="n2-standard-5"
    )
    told = refusal(machineType="e2-standard-4", fallbackMachineTypes=["n2-standard-4", "n2-custom-5-8192"])
    assert "cluster.systemPool.fallbackMachineTypes: Compute Engine has no machine type n2-custom-5-8192" in told
    assert "did you mean n2-custom-6-8192?" in told


@pytest.mark.parametrize("machine", ["g2-standard-5", "a3-megagpu-4g"])
def test_a_series_with_cards_is_refused_for_them_whatever_its_size(machine: str) -> None:
    told = refusal(machineType=machine)
    assert f"{machine} carries GPUs" in told and "did you mean" not in told


def test_a_machine_that_only_may_take_cards_has_none() -> None:
    assert planned(machineType="n1-standard-4")


@pytest.mark.parametrize(("machine", "meant"), [("g2-standard-5", "g2-standard-4"), ("n1-standard-5", "n1-standard-4")])
def test_a_pool_of_gpus_is_told_the_nearest_size(machine: str, meant: str) -> None:
    told = refusal(machine)
    assert "nodePools.l4.machineType: " in told and f"did you mean {meant}?" in told


def test_the_smallest_hosts_of_a_t4_are_known_and_refused_for_their_memory() -> None:
    pool = {"machineType": "n1-standard-1", "accelerator": {"type": "nvidia-tesla-t4", "count": 1}}
    with pytest.raises(ConfigError, match=r"memory of .* is below the .*\n.*n1-standard-4"):
        factories.planned(factories.serving({"w": factories.workload(nodePool="t4")}, pools={"t4": pool}))


def test_a_host_that_takes_no_cards_is_refused_before_cards_are_asked_for() -> None:
    assert "nodePools.l4.machineType: 'n1-highcpu-2' is not a known machine type that takes GPUs" in refusal(
        "n1-highcpu-2"
    )


def test_a_series_that_no_table_has_is_a_note() -> None:
    (note,) = [note for note in planned(machineType="x9-standard-4").notes if note.id == "machine-unlisted"]
    assert "x9-standard-4" in note.text and note.level == "may fail"
    assert not [note for note in planned(machineType="n2-custom-4-8192").notes if note.id == "machine-unlisted"]


def test_what_a_custom_machine_holds_is_judged() -> None:
    assert "the daemonsets of GKE leave no memory" in refusal(machineType="e2-custom-micro-1024")


def test_the_catalogue_gives_the_series() -> None:
    rows = {"on_demand": {"g2-standard-8": 0.8536, "n2-standard-4": 0.2, "n2-standard-2": 0.1}}
    content = json.dumps({"prices": {"us-central1": rows, "europe-west4": {"on_demand": {"n2-highmem-2": 1}}}}).encode()
    series = refresh_prices.extract(content, "a" * 40, "2026-08-03")["series"]
    assert series == {"g2": ["g2-standard-8"], "n2": ["n2-highmem-2", "n2-standard-2", "n2-standard-4"]}


def test_a_machine_type_that_was_added_by_hand_is_found_out() -> None:
    table = json.loads(refresh_prices.TABLE.read_text("utf-8"))
    table["series"]["n2"].append("n2-standard-5")
    assert any("by hand" in fault for fault in refresh_prices.faults(table, None))
