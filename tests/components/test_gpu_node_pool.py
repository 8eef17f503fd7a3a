"""Recorded inputs of a GPU pool under every provisioning model, and what an edit does to its name."""

from typing import Any

import pytest

from l4serve.config.keys.node_pool import NodePool
from l4serve.planning.gke.pools import plan_pool
from tests.components.recorder import Recorded, only, record
from tests.components.stack_parts import POOL_TYPE, pool_program
from tests.each_case import each
from tests.factories import STANDARD, cluster_plan, pool_plan

BOTH = pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
SPECIFIC = {"zones": ["us-central1-a"], "reservation": {"affinity": "specific", "name": "l4-block"}}


def recorded_pool(preview: bool = False, **pool: Any) -> Recorded:
    return only(record(pool_program(pool_plan(**pool)), preview=preview), POOL_TYPE)


@BOTH
def test_a_pool_is_hardened_tainted_and_has_drivers(preview: bool) -> None:
    inputs = recorded_pool(preview, machineType="g2-standard-24").inputs
    config = inputs["nodeConfig"]
    assert config["guestAccelerators"] == [
        {"type": "nvidia-l4", "count": 2, "gpuDriverInstallationConfig": {"gpuDriverVersion": "LATEST"}}
    ]
    assert config["taints"] == [{"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}]
    assert config["labels"] == {"l4serve.dev/pool": "l4"}
    assert config["serviceAccount"] == "nodes@p.iam.test"
    assert config["workloadMetadataConfig"] == {"mode": "GKE_METADATA"}
    assert config["shieldedInstanceConfig"] == {"enableSecureBoot": True, "enableIntegrityMonitoring": True}
    assert config["gcfsConfig"] == {"enabled": True}
    assert inputs["networkConfig"] == {"enablePrivateNodes": True}
    assert inputs["nodeDrainConfigs"] == [{"respectPdbDuringNodePoolDeletion": True, "pdbTimeoutDuration": "3600s"}]


@BOTH
def test_sizes_are_totals_over_zones_and_never_a_node_count(preview: bool) -> None:
    pool = recorded_pool(preview, minNodes=4, maxNodes=9)
    assert pool.inputs["autoscaling"] == {
        "totalMinNodeCount": 4,
        "totalMaxNodeCount": 9,
        "locationPolicy": "BALANCED",
    }
    assert pool.inputs["nodeLocations"] == ["us-central1-a", "us-central1-b", "us-central1-c"]
    assert pool.inputs["initialNodeCount"] == 1
    assert pool.ignore_changes == ("initialNodeCount",)
    assert "nodeCount" not in pool.inputs


@pytest.mark.parametrize(("least", "per_zone"), [(0, 0), (1, 0), (2, 0), (3, 1), (5, 1), (6, 2)])
def test_a_new_pool_never_starts_above_what_it_may_have(least: int, per_zone: int) -> None:
    assert pool_plan(minNodes=least, maxNodes=max(1, least)).size.initial_nodes == per_zone


@BOTH
def test_on_demand_leaves_reservations_to_others(preview: bool) -> None:
    config = recorded_pool(preview).inputs["nodeConfig"]
    assert config["reservationAffinity"] == {"consumeReservationType": "NO_RESERVATION"}
    assert not {"spot", "flexStart", "maxRunDuration"} & set(config)


@BOTH
@pytest.mark.parametrize("said", [{"spot": True}, {"provisioning": "spot"}])
def test_spot(preview: bool, said: dict[str, Any]) -> None:
    inputs = recorded_pool(preview, **said).inputs
    assert inputs["nodeConfig"]["spot"] is True
    assert inputs["autoscaling"]["locationPolicy"] == "ANY"
    assert "flexStart" not in inputs["nodeConfig"]


@BOTH
def test_flex_start(preview: bool) -> None:
    inputs = recorded_pool(preview, flexStart={"maxRunSeconds": 7200}).inputs
    assert inputs["nodeConfig"]["flexStart"] is True
    assert inputs["nodeConfig"]["maxRunDuration"] == "7200s"
    assert inputs["nodeConfig"]["reservationAffinity"] == {"consumeReservationType": "NO_RESERVATION"}
    assert inputs["management"]["autoRepair"] is False
    assert inputs["autoscaling"]["locationPolicy"] == "ANY"
    assert not {"queuedProvisioning", "upgradeSettings"} & set(inputs)


@BOTH
def test_queued_flex_start(preview: bool) -> None:
    inputs = recorded_pool(preview, flexStart={"queued": True}).inputs
    assert inputs["queuedProvisioning"] == {"enabled": True}
    assert inputs["nodeConfig"]["maxRunDuration"] == "604800s"
    assert inputs["initialNodeCount"] == 0


@BOTH
def test_any_reservation(preview: bool) -> None:
    config = recorded_pool(preview, provisioning="reservation").inputs["nodeConfig"]
    assert config["reservationAffinity"] == {"consumeReservationType": "ANY_RESERVATION"}


@BOTH
@pytest.mark.parametrize(
    ("reservation", "value"),
    [
        ({"affinity": "specific", "name": "l4-block"}, "l4-block"),
        ({"affinity": "specific", "name": "l4-block", "project": "owning"}, "projects/owning/reservations/l4-block"),
    ],
)
def test_specific_reservation(preview: bool, reservation: dict[str, Any], value: str) -> None:
    inputs = recorded_pool(preview, zones=["us-central1-a"], reservation=reservation).inputs
    assert inputs["nodeConfig"]["reservationAffinity"] == {
        "consumeReservationType": "SPECIFIC_RESERVATION",
        "key": "compute.googleapis.com/reservation-name",
        "values": [value],
    }
    assert inputs["upgradeSettings"] == {"strategy": "SURGE", "maxSurge": 0, "maxUnavailable": 1}


@BOTH
def test_compact_placement(preview: bool) -> None:
    inputs = recorded_pool(preview, zones=["us-central1-a"], placement={"policyName": "close"}).inputs
    assert inputs["placementPolicy"] == {"type": "COMPACT", "policyName": "close"}


@BOTH
def test_compute_class_pools_are_labelled_and_tainted_for_it(preview: bool) -> None:
    pool = only(record(pool_program(pool_plan(compute_class="l4-any")), preview=preview), POOL_TYPE)
    config = pool.inputs["nodeConfig"]
    assert config["labels"]["cloud.google.com/compute-class"] == "l4-any"
    assert {"key": "cloud.google.com/compute-class", "value": "l4-any", "effect": "NO_SCHEDULE"} in config["taints"]


@BOTH
def test_local_ssds_and_secondary_disk(preview: bool) -> None:
    image = "projects/p/global/images/vllm"
    config = recorded_pool(preview, localSsd={}, secondaryBootDisk={"image": image}).inputs["nodeConfig"]
    assert config["ephemeralStorageLocalSsdConfig"] == {"localSsdCount": 1}
    assert "localNvmeSsdBlockConfig" not in config
    assert config["secondaryBootDisks"] == [{"diskImage": image, "mode": "CONTAINER_IMAGE_CACHE"}]
    block = recorded_pool(preview, localSsd={"use": "block"}).inputs["nodeConfig"]
    assert block["localNvmeSsdBlockConfig"] == {"localSsdCount": 1}
    assert "ephemeralStorageLocalSsdConfig" not in block


@BOTH
def test_blue_green(preview: bool) -> None:
    upgrade = {"strategy": "blue-green", "batchNodes": 2, "batchSoakSeconds": 60, "poolSoakSeconds": 120}
    inputs = recorded_pool(preview, maxNodes=4, upgrade=upgrade).inputs
    assert inputs["upgradeSettings"] == {
        "strategy": "BLUE_GREEN",
        "blueGreenSettings": {
            "nodePoolSoakDuration": "120s",
            "standardRolloutPolicy": {"batchNodeCount": 2, "batchSoakDuration": "60s"},
        },
    }


def test_other_settings_reach_the_pool() -> None:
    inputs = recorded_pool(
        diskSizeGb=200,
        diskType="pd-ssd",
        driverVersion="INSTALLATION_DISABLED",
        imageType="UBUNTU_CONTAINERD",
        maxPodsPerNode=16,
        autoRepair=False,
        labels={"team": "ml"},
        taints=[{"key": "team", "value": "ml", "effect": "NoExecute"}],
        upgrade={"pdbTimeoutSeconds": 60},
    ).inputs
    config = inputs["nodeConfig"]
    assert (config["diskSizeGb"], config["diskType"], config["imageType"]) == (200, "pd-ssd", "UBUNTU_CONTAINERD")
    assert config["shieldedInstanceConfig"]["enableSecureBoot"] is False
    assert config["labels"] == {"l4serve.dev/pool": "l4", "team": "ml"}
    assert {"key": "team", "value": "ml", "effect": "NO_EXECUTE"} in config["taints"]
    assert inputs["maxPodsPerNode"] == 16
    assert inputs["management"] == {"autoRepair": False, "autoUpgrade": True}
    assert inputs["nodeDrainConfigs"][0]["pdbTimeoutDuration"] == "60s"


@each(
    [
        {"spot": True},
        {"flexStart": {}},
        {"flexStart": {"queued": True}},
        {"flexStart": {"maxRunSeconds": 7200}},
        {"provisioning": "reservation"},
        SPECIFIC,
        {**SPECIFIC, "reservation": {"affinity": "specific", "name": "other-block"}},
        {"zones": ["us-central1-a"], "placement": {}},
        {"localSsd": {}},
        {"localSsd": {"use": "block"}},
        {"secondaryBootDisk": {"image": "projects/p/global/images/i"}},
        {"driverVersion": "DEFAULT"},
        {"maxPodsPerNode": 32},
        {"machineType": "g2-standard-24"},
    ],
    str,
)
def test_what_cannot_change_gives_the_pool_another_name(edit: dict[str, Any]) -> None:
    before, after = pool_plan(), pool_plan(**edit)
    assert after.resource_name != before.resource_name
    assert after.resource_name.startswith("l4-")
    assert len(after.resource_name) <= 40


@each(
    [
        {"minNodes": 1},
        {"maxNodes": 7},
        {"zones": ["us-central1-a"]},
        {"labels": {"a": "b"}},
        {"taints": [{"key": "a"}]},
        {"machineType": "g2-standard-12"},
        {"diskSizeGb": 300},
        {"diskType": "pd-ssd"},
        {"imageType": "UBUNTU_CONTAINERD"},
        {"autoRepair": False},
        {"upgrade": {"maxSurge": 2}},
        {"protect": True},
        {"spot": False},
    ],
    str,
)
def test_what_changes_in_place_keeps_the_name(edit: dict[str, Any]) -> None:
    assert pool_plan(**edit).resource_name == pool_plan().resource_name


def test_every_immutable_edit_has_its_own_name() -> None:
    edits: list[dict[str, Any]] = [
        {},
        {"spot": True},
        {"flexStart": {}},
        SPECIFIC,
        {"localSsd": {}},
        {"driverVersion": "DEFAULT"},
    ]
    assert len({pool_plan(**edit).resource_name for edit in edits}) == len(edits)


@BOTH
def test_a_replacement_comes_before_the_old_pool_goes(preview: bool) -> None:
    assert recorded_pool(preview).delete_before_replace is False


def test_zones_follow_the_clusters_location() -> None:
    zonal = {**STANDARD, "location": "us-west1-b"}
    assert pool_plan(zonal).size.zones == ("us-west1-b",)
    assert pool_plan({**STANDARD, "location": "us-east4"}).size.zones == ("us-east4-a", "us-east4-c")
    assert pool_plan(zonal, zones=["us-west1-c", "us-west1-a"]).size.zones == ("us-west1-a", "us-west1-c")


def test_the_plan_says_when_nodes_end() -> None:
    assert any("7 days" in note for note in pool_plan(flexStart={}).remarks)
    assert any("0.5 days" in note for note in pool_plan(flexStart={"maxRunSeconds": 43200}).remarks)
    assert any("any time" in note for note in pool_plan(spot=True).remarks)
    assert pool_plan().remarks == ()


def test_a_pool_of_a_kubeconfig_cluster_is_described_and_not_made() -> None:
    assert not pool_plan({"mode": "existing"}).create
    assert pool_plan({"mode": "existing", "name": "llm", "location": "us-central1"}).create


def test_protect_is_lifted_by_name() -> None:

    config = NodePool.model_validate({"machineType": "g2-standard-8", "protect": True})
    assert plan_pool("l4", config, cluster_plan()).protect
    assert plan_pool("l4", config, cluster_plan(), allow_replace=("other",)).protect
    assert not plan_pool("l4", config, cluster_plan(), allow_replace=("l4",)).protect


def test_a_pool_has_a_name_for_pulumi_by_its_name_in_gke_and_one_name_where_it_is_guarded() -> None:
    """An update back from another pool finds the old one as it was; protection is lifted from one resource alone."""
    first, other = recorded_pool(), recorded_pool(spot=True)
    assert first.name == f"{first.inputs['name']}-pool" != other.name
    assert set(first.aliases) == set(other.aliases) == {"l4-pool"}
    guarded = recorded_pool(protect=True)
    assert guarded.name == recorded_pool(protect=True, spot=True).name == "l4-pool"
    assert guarded.aliases == (first.name,)
    lifted = plan_pool(
        "l4", NodePool.model_validate({"machineType": "g2-standard-8", "protect": True}), cluster_plan(),
        allow_replace=("l4",),
    )  # fmt: skip
    assert lifted.program_name == "l4-pool"
