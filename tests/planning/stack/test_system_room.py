"""A system pool holds what the stack puts beside GKE's own pods, or is refused with the size that would."""

import json
import re
from typing import Any

import pytest

from l4serve.config.refusals.problems import ConfigError
from l4serve.planning.machines.system_machines import is_arm, pods_on, system_disk_type
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.values.quantity import GIB
from scripts import refresh_prices
from tests import factories

PICKER = (1000, 2 * GIB)


def planned(picked: int, filled: int = 0, **system: Any) -> StackPlan:
    """A stack with so many endpoint pickers and Hyperdisks to fill."""
    workloads = {f"p{n}": factories.workload(replicas=0, expose={"inferencePool": True}) for n in range(picked)}
    for n in range(filled):
        workloads[f"f{n}"] = factories.workload(replicas=0, nodePool="l4", expose={"enabled": False})
        workloads[f"f{n}"]["model"]["source"] = {"kind": "hyperdisk"}
    cluster = {**factories.ZONAL, "systemPool": system}
    pools = {"l4": {"machineType": "g2-standard-8", "maxNodes": 1}}
    return factories.planned(factories.serving(workloads, cluster=cluster, pools=pools, expose={"to": "network"}))


def refusal(picked: int, filled: int = 0, **system: Any) -> str:
    with pytest.raises(ConfigError) as refused:
        planned(picked, filled, **system)
    return str(refused.value)


def test_more_pickers_than_the_pool_holds_are_refused_with_the_nodes_that_do() -> None:
    told = refusal(6, machineType="e2-standard-4", maxNodes=1)
    assert "cluster.systemPool.maxNodes: 6 endpoint pickers run there" in told
    assert "1 node of e2-standard-4 beside GKE's own pods hold 2 of 1 CPU each" in told
    assert "set it to 3" in told
    assert planned(6, machineType="e2-standard-4", maxNodes=3)


def test_machines_that_may_take_the_pools_place_count() -> None:
    assert planned(4, machineType="e2-standard-4", maxNodes=1, fallbackMachineTypes=["n2-standard-4"])


def test_a_machine_that_holds_none_is_refused_itself() -> None:
    told = refusal(1, machineType="e2-medium")
    assert "cluster.systemPool.machineType: 1 endpoint picker runs there" in told
    assert "such as e2-standard-4" in told


def test_a_machine_that_could_not_stand_in_is_refused() -> None:
    told = refusal(1, machineType="e2-standard-4", fallbackMachineTypes=["n2-standard-4", "e2-medium"])
    assert "cluster.systemPool.fallbackMachineTypes: e2-medium could not stand in" in told
    assert planned(0, machineType="e2-standard-4", fallbackMachineTypes=["e2-medium"]), "nothing is put there"


@pytest.mark.parametrize(
    ("system", "told"),
    [
        ({"machineType": "e2-micro"}, "machineType: the daemonsets of GKE leave no memory of e2-micro"),
        ({"machineType": "f1-micro"}, "machineType: the daemonsets of GKE leave no memory of f1-micro"),
        ({"machineType": "g1-small"}, "machineType: the daemonsets of GKE leave no memory of g1-small"),
        (
            {"machineType": "e2-standard-4", "fallbackMachineTypes": ["e2-micro"]},
            "fallbackMachineTypes: the daemonsets of GKE leave no memory of e2-micro",
        ),
    ],
)
def test_a_machine_without_memory_for_gkes_own_pods_is_refused(system: dict[str, Any], told: str) -> None:
    assert f"cluster.systemPool.{told}" in refusal(0, **system)


def test_only_machines_of_many_processors_have_a_size_that_nobody_knows() -> None:
    """Those count as large enough: no shared core may be among them, and no single one but of Arm, which is refused."""
    series = json.loads(refresh_prices.TABLE.read_text("utf-8"))["series"]
    machines = [each for types in series.values() for each in types]
    unknown = [each for each in machines if pods_on(each, 1, (1, 1), 100) is None and not is_arm(each)]
    assert "f1-micro" in machines and unknown
    assert not [each for each in unknown if not re.search(r"-(1g|[2-9]|\d\d)", each)]


@pytest.mark.parametrize("machine", ["t2a-standard-4", "c4a-standard-4"])
def test_a_machine_of_arm_is_refused(machine: str) -> None:
    assert f"GKE taints nodes of {machine}" in refusal(0, machineType=machine)
    assert f"GKE taints nodes of {machine}" in refusal(0, fallbackMachineTypes=[machine])


def test_one_filling_job_at_a_time_needs_its_place_too() -> None:
    assert "a Job that fills a disk runs there" in refusal(0, 1, machineType="e2-small", maxNodes=1)
    assert planned(0, 3, machineType="e2-standard-4", maxNodes=1)
    assert "2 endpoint pickers run there and a Job" in refusal(2, 1, machineType="e2-standard-4", maxNodes=1)


def test_the_image_of_a_filling_job_must_lie_on_a_system_node() -> None:
    told = refusal(0, 1, machineType="e2-standard-4", diskSizeGb=20)
    assert "cluster.systemPool.diskSizeGb: the Job that fills a disk has its engine's image of 22 GiB" in told
    least = int(told.rpartition("set it to ")[2])
    assert planned(0, 2, machineType="e2-standard-4", diskSizeGb=least), "two Jobs of one image share it"
    assert str(least) in refusal(0, 1, machineType="e2-standard-4", diskSizeGb=least - 1)
    assert planned(0, 1, machineType="e2-standard-4"), "the default disk holds it"
    assert planned(1, machineType="e2-standard-4", diskSizeGb=20), "a picker's image is small"


def test_no_more_than_is_known_is_judged() -> None:
    assert pods_on("m3-ultramem-32", 1, PICKER, 50) is None
    assert planned(6, machineType="m3-ultramem-32", maxNodes=1)
    assert planned(0, machineType="e2-small", maxNodes=1), "nothing is put there"


@pytest.mark.parametrize(
    ("machine", "pods"), [("e2-standard-2", 0), ("e2-standard-4", 2), ("e2-highcpu-4", 0), ("n2-standard-8", 6)]
)
def test_pods_on_one_node(machine: str, pods: int) -> None:
    assert pods_on(machine, 1, PICKER, 50) == pods


@pytest.mark.parametrize(
    ("machine", "disk"),
    [("e2-standard-4", "pd-balanced"), ("n4-standard-4", "hyperdisk-balanced"), ("c4-highcpu-8", "hyperdisk-balanced")],
)
def test_a_machine_without_persistent_disks_boots_from_a_hyperdisk(machine: str, disk: str) -> None:
    assert system_disk_type(machine) == disk
    store = planned(0, 1, machineType=machine, maxNodes=2).workloads[0].storage.store
    assert store is not None and store.fill_type == disk
