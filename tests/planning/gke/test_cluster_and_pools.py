"""Plans of clusters: identity, reach and notes, and that every field of the config tells."""

from typing import Any

import pytest

from l4serve.config.keys.cluster import AutopilotCluster, ExistingCluster, StandardCluster
from l4serve.config.keys.node_pool import NodePool
from l4serve.planning.gke.kubeconfig import render_kubeconfig
from l4serve.planning.gke.pools import plan_pool
from tests.each_case import each
from tests.factories import STANDARD, cluster_plan

NETWORKS = [{"cidr": "203.0.113.0/24"}]

# field -> a value other than the default, for every field of the two made clusters
CHANGED: dict[str, Any] = {
    "name": "other",
    "project": "other-project",
    "location": "us-east4",
    "releaseChannel": "RAPID",
    "minVersion": "1.33",
    "network": "shared",
    "networkOptions": {"nodesCidr": "10.9.0.0/20"},
    "privateNodes": False,
    "authorizedNetworks": NETWORKS,
    "controlPlane": {"ipEndpoint": "none"},
    "nodeServiceAccount": "mine@p.iam.gserviceaccount.com",
    "monitoring": {"dcgm": False},
    "maintenance": {},
    "databaseEncryptionKey": "projects/p/locations/us-central1/keyRings/r/cryptoKeys/k",
    "secretManager": True,
    "gatewayApi": False,
    "costAllocation": False,
    "resourceLabels": {"team": "ml"},
    "enableApis": False,
    "deletionProtection": True,
    "protect": True,
}
STANDARD_CHANGED = {
    "zones": ["us-central1-b"],
    "systemPool": {"maxNodes": 5},
    "imageStreaming": False,
    "gcsFuse": False,
    "maxPodsPerNode": 32,
    "autoscalingProfile": "BALANCED",
}
POOL_CHANGED: dict[str, Any] = {
    "machineType": "g2-standard-12",
    "minNodes": 1,
    "maxNodes": 9,
    "provisioning": "spot",
    "spot": True,
    "reservation": {},
    "flexStart": {},
    "diskSizeGb": 300,
    "diskType": "pd-ssd",
    "localSsd": {},
    "secondaryBootDisk": {"image": "projects/p/global/images/i"},
    "zones": ["us-central1-a"],
    "locationPolicy": "ANY",
    "driverVersion": "DEFAULT",
    "imageType": "UBUNTU_CONTAINERD",
    "maxPodsPerNode": 16,
    "labels": {"a": "b"},
    "taints": [{"key": "a"}],
    "upgrade": {"maxSurge": 3},
    "autoRepair": False,
    "protect": True,
}
# Their own tests: accelerator needs N1, placement one zone, autoUpgrade false no release channel, allowUnlistedZones an
# unlisted zone.
POOL_ELSEWHERE = {"accelerator", "placement", "autoUpgrade", "allowUnlistedZones"}


def aliases(model: Any) -> set[str]:
    return {info.alias or name for name, info in model.model_fields.items()}


def test_the_tables_of_changes_are_whole() -> None:
    subnetwork = {"subnetwork", "mode"}
    assert aliases(AutopilotCluster) - subnetwork == set(CHANGED)
    assert aliases(StandardCluster) - subnetwork == set(CHANGED) | set(STANDARD_CHANGED)
    assert aliases(NodePool) == set(POOL_CHANGED) | POOL_ELSEWHERE


@pytest.mark.parametrize("field", CHANGED)
@pytest.mark.parametrize("mode", ["standard", "autopilot"])
def test_every_field_of_a_made_cluster_changes_the_plan(mode: str, field: str) -> None:
    base = {**STANDARD, "mode": mode}
    assert cluster_plan({**base, field: CHANGED[field]}) != cluster_plan(base)


@pytest.mark.parametrize("field", STANDARD_CHANGED)
def test_every_field_of_a_standard_cluster_changes_the_plan(field: str) -> None:
    assert cluster_plan({**STANDARD, field: STANDARD_CHANGED[field]}) != cluster_plan(STANDARD)


def test_a_subnetwork_changes_the_plan() -> None:
    base = {**STANDARD, "network": "n"}
    assert cluster_plan({**base, "subnetwork": "s"}) != cluster_plan(base)


@pytest.mark.parametrize("field", sorted(aliases(ExistingCluster) - {"mode"}))
def test_every_field_of_an_existing_cluster_changes_the_plan(field: str) -> None:
    found = {"mode": "existing", "name": "llm", "location": "us-central1"}
    base = {"mode": "existing"} if field in ("kubeconfig", "context") else found
    others: dict[str, Any] = {
        "location": "us-east4",
        "project": "other-project",
        "nodeServiceAccount": "mine@p.iam.test",
        "privateNodes": True,
    }
    assert cluster_plan({**base, field: others.get(field, "other")}) != cluster_plan(base)


@each(POOL_CHANGED, str)
def test_every_field_of_a_pool_changes_the_plan(field: str) -> None:
    cluster = cluster_plan(STANDARD)
    base = NodePool.model_validate({"machineType": "g2-standard-8"})
    edited = NodePool.model_validate({"machineType": "g2-standard-8", field: POOL_CHANGED[field]})
    assert plan_pool("l4", edited, cluster) != plan_pool("l4", base, cluster)


def test_auto_upgrade_can_be_off_where_no_channel_is_known() -> None:
    cluster = cluster_plan({"mode": "existing", "name": "llm", "location": "us-central1"})
    config = NodePool.model_validate({"machineType": "g2-standard-8", "autoUpgrade": False})
    planned = plan_pool("l4", config, cluster)
    assert not planned.upkeep.auto_upgrade
    assert any("autoUpgrade" in remark for remark in planned.remarks)


@pytest.mark.parametrize(
    ("config", "identifier"),
    [
        (STANDARD, "projects/my-project/locations/us-central1/clusters/llm"),
        ({**STANDARD, "project": "other-project"}, "projects/other-project/locations/us-central1/clusters/llm"),
        ({"mode": "existing"}, "kubeconfig/current-context"),
        ({"mode": "existing", "context": "lab"}, "kubeconfig/lab"),
        (
            {"mode": "existing", "name": "a", "location": "us-east4"},
            "projects/my-project/locations/us-east4/clusters/a",
        ),
    ],
)
def test_the_identity_is_known_without_the_cluster(config: dict[str, Any], identifier: str) -> None:
    assert cluster_plan(config).identifier == identifier


@pytest.mark.parametrize("edit", ["releaseChannel", "authorizedNetworks", "monitoring", "resourceLabels", "protect"])
def test_an_edit_in_place_keeps_the_identity(edit: str) -> None:
    assert cluster_plan({**STANDARD, edit: CHANGED[edit]}).identifier == cluster_plan(STANDARD).identifier


@pytest.mark.parametrize(
    ("said", "ip", "endpoint"),
    [
        ({}, "private", "dns"),
        ({"authorizedNetworks": NETWORKS}, "public", "dns"),
        ({"authorizedNetworks": NETWORKS, "controlPlane": {"dnsEndpoint": False}}, "public", "public"),
        ({"controlPlane": {"dnsEndpoint": False}}, "private", "private"),
        ({"controlPlane": {"ipEndpoint": "none"}}, "none", "dns"),
    ],
)
def test_the_way_in(said: dict[str, Any], ip: str, endpoint: str) -> None:
    managed = cluster_plan({**STANDARD, **said}).managed
    assert managed is not None
    assert (managed.control_plane.ip, managed.control_plane.kubeconfig_endpoint) == (ip, endpoint)


@pytest.mark.parametrize(
    ("said", "nodes"),
    [
        ({}, 1),
        ({"systemPool": {"maxNodes": 2}}, 0),
        ({"systemPool": {"minNodes": 6, "maxNodes": 9}}, 2),
        ({"zones": ["us-central1-a"], "systemPool": {"maxNodes": 1}}, 1),
        ({"location": "us-central1-a"}, 1),
        ({"location": "us-central1-a", "zones": ["us-central1-b"], "systemPool": {"minNodes": 4, "maxNodes": 4}}, 2),
    ],
)
def test_the_system_pool_starts_within_its_bounds(said: dict[str, Any], nodes: int) -> None:
    managed = cluster_plan({**STANDARD, **said}).managed
    assert managed is not None
    assert managed.system_nodes == nodes


def test_notes_name_what_must_be_there() -> None:
    assert cluster_plan(STANDARD).notes == ()
    assert any("NAT" in remark for remark in cluster_plan({**STANDARD, "network": "shared"}).remarks)
    for nat in (False, True):
        made = cluster_plan({**STANDARD, "networkOptions": {"nat": nat}})
        assert any("made without NAT" in remark for remark in made.remarks) is not nat
    assert cluster_plan({**STANDARD, "network": "shared", "networkOptions": {"nat": True}}).notes == ()
    assert any(
        "inside the network" in n for n in cluster_plan({**STANDARD, "controlPlane": {"dnsEndpoint": False}}).remarks
    )


@pytest.mark.parametrize("key", ["protect", "deletionProtection"])
def test_a_protected_cluster_says_what_a_destroy_without_a_preview_takes(key: str) -> None:
    (note,) = cluster_plan({**STANDARD, key: True}).notes
    assert (note.id, note.level) == ("skipped-preview", "advice")
    assert cluster_plan({**STANDARD, key: False}).notes == ()


def test_a_cluster_that_the_provider_alone_keeps_says_what_a_destroy_takes_before() -> None:
    plan = cluster_plan(allow_replace=("cluster",), deletionProtection=True)
    (note,) = plan.notes
    assert (note.id, note.level, plan.protect) == ("unfinished-destroy", "may fail", False)
    assert cluster_plan(allow_replace=("cluster",), protect=True).notes == ()


@pytest.mark.parametrize("host", ["10.0.0.2", "evil.example.com", "a.gke.goog.example.com"])
def test_only_googles_own_names_go_without_the_clusters_authority(host: str) -> None:
    assert '"certificate-authority-data": "Q0E="' in render_kubeconfig("llm", host, "Q0E=")
    assert "certificate-authority-data" not in render_kubeconfig("llm", "gke-1.us-central1.gke.goog", "Q0E=")


def test_a_pool_without_a_driver_says_so() -> None:
    def remarks(**values: Any) -> tuple[str, ...]:
        pool = NodePool.model_validate({"machineType": "g2-standard-8", **values})
        return plan_pool("l4", pool, cluster_plan(STANDARD)).remarks

    assert any("installs no driver" in remark for remark in remarks(driverVersion="INSTALLATION_DISABLED"))
    assert not any("installs no driver" in remark for remark in remarks())
