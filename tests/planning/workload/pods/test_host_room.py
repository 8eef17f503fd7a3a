"""Host memory and disk are verdicts: what kills or evicts a pod while it loads is refused, or sized by itself."""

from collections.abc import Mapping
from typing import Any

import pytest

from l4serve.config.refusals.problems import ConfigError
from l4serve.planning.stack.stack_plan import StackPlan
from tests.factories import AUTOPILOT, EXISTING, planned, serving, workload

SEVEN = "Qwen/Qwen2.5-7B-Instruct"
SEVENTY = "meta-llama/Llama-3.3-70B-Instruct"
FOUR_GPUS = {"l4": {"machineType": "g2-standard-48", "maxNodes": 2}}
EIGHT_GPUS = {"l4": {"machineType": "g2-standard-96", "maxNodes": 2}}


def refusals(values: Mapping[str, Any]) -> dict[str, str | None]:
    with pytest.raises(ConfigError) as refused:
        planned(values)
    return {problem.path: problem.remedy for problem in refused.value.problems}


def disk_of(plan: StackPlan) -> tuple[int, float]:
    """The pool's boot disk in GB and what the first pod asks of it in GiB."""
    return plan.node_pools[0].disks.size_gb, plan.workloads[0].resources.requests.ephemeral_bytes / 2**30


@pytest.mark.parametrize("part", ["requests", "limits"])
def test_memory_that_cannot_load_the_model_is_refused(part: str) -> None:
    small = workload(SEVEN, resources={part: {"memory": "2Gi"}})
    assert refusals(serving({"q": small})) == {
        f"workloads.q.resources.{part}.memory": f"set workloads.q.resources.{part}.memory: 10Gi"
    }


def test_memory_that_only_slows_loading_is_a_note() -> None:
    plan = planned(serving({"q": workload(SEVEN, resources={"requests": {"memory": "6Gi"}})}))
    assert any("read from disk again" in note.text for note in plan.notes)


def test_who_only_wants_to_be_warned_is_warned() -> None:
    small = workload(SEVEN, resources={"requests": {"memory": "2Gi"}}, fit="warn")
    assert any("OOMKilled" in note.text for note in planned(serving({"q": small})).notes)


def test_an_offloaded_cache_asks_for_a_machine_that_holds_it() -> None:
    offloading = workload(SEVEN, extraArgs=["--kv-offloading-size=40"])
    pools = {"l4": {"machineType": "g2-standard-12", "maxNodes": 2}}
    assert refusals(serving({"q": offloading}, pools=pools)) == {
        "nodePools.l4.machineType": "set nodePools.l4.machineType: g2-standard-16"
    }


def test_a_pod_gets_the_memory_that_it_needs_beyond_its_share() -> None:
    offloading = workload(SEVEN, extraArgs=["--kv-offloading-size=34"])
    pools = {"l4": {"machineType": "g2-standard-12", "maxNodes": 2}}
    asked = planned(serving({"q": offloading}, pools=pools)).workloads[0].resources.requests
    assert asked.memory_bytes == 39 * 2**30


def test_the_boot_disk_follows_the_weights() -> None:
    big = workload(SEVENTY, engine={"tensorParallelSize": 8}, gpus=8)
    size, asked = disk_of(planned(serving({"big": big}, pools=EIGHT_GPUS)))
    assert size == 300
    assert asked > 132.4


def test_a_disk_that_is_stated_and_too_small_is_refused() -> None:
    big = workload(SEVENTY, engine={"tensorParallelSize": 8}, gpus=8)
    pools = {"l4": {**EIGHT_GPUS["l4"], "diskSizeGb": 100}}
    assert refusals(serving({"big": big}, pools=pools)) == {
        "nodePools.l4.diskSizeGb": "set nodePools.l4.diskSizeGb: 300"
    }


def test_disk_below_the_weights_is_refused() -> None:
    small = workload(SEVEN, resources={"requests": {"ephemeralStorage": "10Gi"}})
    assert refusals(serving({"q": small})) == {
        "workloads.q.resources.requests.ephemeralStorage": "set workloads.q.resources.requests.ephemeralStorage: 16Gi"
    }


def test_a_disk_follows_a_request_and_its_neighbours() -> None:
    asking = workload(SEVEN, resources={"requests": {"ephemeralStorage": "120Gi"}}, nodePool="l4")
    assert disk_of(planned(serving({"q": asking}, pools=FOUR_GPUS)))[0] > 500


def test_a_small_model_leaves_the_disk_as_it_was() -> None:
    assert disk_of(planned(serving()))[0] == 100


def test_an_unknown_model_gets_what_its_cards_hold() -> None:
    size, asked = disk_of(planned(serving({"q": workload("some/unknown-model", gpus=4)}, pools=FOUR_GPUS)))
    assert (size, asked >= 89) == (200, True)


def test_nodes_that_are_there_keep_their_disk() -> None:
    big = workload(SEVENTY, engine={"tensorParallelSize": 8}, gpus=8)
    assert "nodePools.l4.diskSizeGb" in refusals(serving({"big": big}, cluster=EXISTING, pools=EIGHT_GPUS))


def test_autopilot_asks_for_what_is_written() -> None:
    big = workload(SEVENTY, engine={"tensorParallelSize": 8}, gpus=8)
    plan = planned(serving({"big": big}, cluster=AUTOPILOT))
    assert plan.workloads[0].resources.requests.ephemeral_bytes / 2**30 >= 133


@pytest.mark.parametrize("cluster", [AUTOPILOT, EXISTING], ids=["autopilot", "existing"])
@pytest.mark.parametrize(("resource", "most"), [("cpu", "94"), ("memory", "361Gi")])
def test_where_nodes_are_made_a_pod_fits_some_machine_beside_the_daemonsets(
    cluster: Mapping[str, Any], resource: str, most: str
) -> None:
    """The largest machine with L4s leaves 95.69 CPU and 363.3 GiB, of which GKE's daemonsets take 0.76 and 1.5."""
    planned(serving({"q": workload(resources={"requests": {resource: most}})}, cluster=cluster))
    above = {"cpu": "95", "memory": "363Gi"}[resource]
    said = refusals(serving({"q": workload(resources={"requests": {resource: above}})}, cluster=cluster))
    assert said == {"workloads.q.resources.requests": "lower the requests"}


@pytest.mark.parametrize(
    ("machine", "engine", "most"),
    [
        ("g2-standard-8", {"swapSpace": 40}, 22),
        ("g2-standard-24", {"swapSpace": 40, "tensorParallelSize": 2}, 33),
        ("g2-standard-8", {"swapSpace": 22}, None),
        ("g2-standard-8", {}, None),
    ],
)
def test_swap_space_is_a_share_of_the_nodes_memory(machine: str, engine: dict[str, Any], most: int | None) -> None:
    """vLLM of 0.8 to 0.17 ends with "Too large swap space" above 70 % of it, whatever its engine does with the rest."""
    one = workload(engine={"version": "0.10.0", **engine}, gpus=engine.get("tensorParallelSize", 1))
    stack = serving({"qwen": one}, pools={"l4": {"machineType": machine, "maxNodes": 1}})
    if most is None:
        assert planned(stack)
        return
    with pytest.raises(ConfigError) as refused:
        planned(stack)
    (problem,) = [each for each in refused.value.problems if each.path.endswith("engine.swapSpace")]
    assert f"swapSpace: {most}," in problem.remedy
    mended = {"qwen": {**one, "engine": {**one["engine"], "swapSpace": most}}}
    assert planned({**stack, "workloads": mended})


@pytest.mark.parametrize(
    ("machine", "limits", "offered"),
    [
        ("g2-standard-12", {}, True),
        ("g2-standard-4", {}, False),
        ("g2-standard-12", {"memory": "12Gi"}, False),
        ("g2-standard-12", {"memory": "30Gi"}, True),
    ],
)
def test_weights_are_offered_to_a_host_that_holds_them(machine: str, limits: dict[str, str], offered: bool) -> None:
    engine = {"version": "0.10.0", "maxModelLen": 8192}
    fourteen = workload("Qwen/Qwen2.5-14B", engine=engine, resources={"limits": limits})
    told = refusals(serving({"q": fourteen}, pools={"l4": {"machineType": machine, "maxNodes": 1}}))
    assert ("set engine.cpuOffloadGb: 12" in str(told["workloads.q.engine.maxModelLen"])) == offered
