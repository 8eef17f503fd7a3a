"""Recorded inputs of each cluster mode, at preview and at up."""

import json
from typing import Any

import pytest

from l4serve.planning.gke.node_scopes import NODE_SCOPES
from tests.components.recorder import UNKNOWN, Recorded, by_type, only, record
from tests.components.stack_parts import ADDRESS, CA, CLUSTER_TYPE, DNS_HOST, POOL_TYPE, cloud_outputs, cluster_program
from tests.factories import AUTOPILOT, STANDARD, cluster_plan

STANDARD_ONLY = {
    "nodeConfig",
    "initialNodeCount",
    "removeDefaultNodePool",
    "enableShieldedNodes",
    "datapathProvider",
    "defaultMaxPodsPerNode",
    "workloadIdentityConfig",
    "nodePoolDefaults",
    "nodeLocations",
}

BOTH = pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])


def recorded_cluster(preview: bool = False, base: Any = STANDARD, **changes: Any) -> Recorded:
    program = cluster_program(cluster_plan(base, **changes))
    return only(record(program, preview=preview, outputs=cloud_outputs), CLUSTER_TYPE)


@BOTH
def test_standard_is_hardened(preview: bool) -> None:
    inputs = recorded_cluster(preview).inputs
    assert inputs["privateClusterConfig"] == {"enablePrivateNodes": True, "enablePrivateEndpoint": True}
    assert inputs["masterAuthorizedNetworksConfig"] == {"cidrBlocks": [], "gcpPublicCidrsAccessEnabled": False}
    assert inputs["controlPlaneEndpointsConfig"]["dnsEndpointConfig"] == {"allowExternalTraffic": True}
    assert inputs["enableShieldedNodes"] is True
    assert inputs["datapathProvider"] == "ADVANCED_DATAPATH"
    assert inputs["workloadIdentityConfig"] == {"workloadPool": "my-project.svc.id.goog"}
    assert inputs["monitoringConfig"] == {
        "enableComponents": ["SYSTEM_COMPONENTS", "DCGM"],
        "managedPrometheus": {"enabled": True},
    }
    assert inputs["nodePoolDefaults"]["nodeConfigDefaults"]["insecureKubeletReadonlyPortEnabled"] == "FALSE"


@BOTH
def test_standard_throws_its_default_pool_away_under_the_nodes_own_account(preview: bool) -> None:
    cluster = recorded_cluster(preview)
    assert cluster.inputs["removeDefaultNodePool"] is True
    assert cluster.inputs["nodeConfig"]["serviceAccount"] == "nodes@p.iam.test"
    assert set(cluster.ignore_changes) == {"nodeConfig", "initialNodeCount"}
    assert "enableAutopilot" not in cluster.inputs


@BOTH
def test_standard_has_a_small_system_pool(preview: bool) -> None:
    program = cluster_program(cluster_plan(systemPool={"machineType": "e2-standard-2", "minNodes": 2, "maxNodes": 4}))
    resources = record(program, preview=preview, outputs=cloud_outputs)
    pool = only(resources, POOL_TYPE)
    assert pool.inputs["nodeConfig"]["machineType"] == "e2-standard-2"
    assert pool.inputs["nodeConfig"]["serviceAccount"] == "nodes@p.iam.test"
    assert pool.inputs["nodeConfig"]["shieldedInstanceConfig"]["enableSecureBoot"] is True
    assert pool.inputs["autoscaling"]["totalMinNodeCount"] == 2
    assert "nodeCount" not in pool.inputs
    assert pool.deleted_with == only(resources, CLUSTER_TYPE).urn


@BOTH
def test_the_system_pool_may_lie_elsewhere_and_be_of_several_types(preview: bool) -> None:
    system = {"zones": ["us-central1-b", "us-central1-f"], "fallbackMachineTypes": ["n2-standard-4"]}
    program = cluster_program(cluster_plan(location="us-central1-a", systemPool=system))
    pools = {
        each.name: each.inputs
        for each in record(program, preview=preview, outputs=cloud_outputs)
        if each.type == POOL_TYPE
    }
    first, other = pools["cluster-system-pool"], pools["cluster-system-n2-standard-4-pool"]
    assert first["nodeLocations"] == other["nodeLocations"] == ["us-central1-b", "us-central1-f"]
    assert (first["name"], other["name"]) == ("system", "system-n2-standard-4")
    assert (first["initialNodeCount"], other["initialNodeCount"]) == (1, 0)
    assert (first["autoscaling"]["totalMinNodeCount"], other["autoscaling"]["totalMinNodeCount"]) == (1, 0)
    assert other["nodeConfig"]["machineType"] == "n2-standard-4"


@pytest.mark.parametrize(
    ("system", "fix"),
    [
        ({"zones": ["us-east1-b"]}, "use zones of us-central1"),
        ({"fallbackMachineTypes": ["e2-standard-4"]}, "name other machine types"),
        ({"fallbackMachineTypes": ["g2-standard-4"]}, "use a machine type without GPUs"),
    ],
)
def test_a_system_pool_that_helps_nobody_is_refused(system: dict[str, Any], fix: str) -> None:
    with pytest.raises(ValueError, match=fix):
        cluster_plan(systemPool=system)


@BOTH
def test_autopilot_never_says_how_nodes_are_made(preview: bool) -> None:
    program = cluster_program(cluster_plan(AUTOPILOT))
    resources = record(program, preview=preview, outputs=cloud_outputs)
    cluster = only(resources, CLUSTER_TYPE)
    assert cluster.inputs["enableAutopilot"] is True
    assert not STANDARD_ONLY & set(cluster.inputs)
    assert cluster.ignore_changes == ()
    assert by_type(resources, POOL_TYPE) == []
    assert cluster.inputs["clusterAutoscaling"] == {
        "autoProvisioningDefaults": {
            "serviceAccount": "nodes@p.iam.test",
            "oauthScopes": list(NODE_SCOPES),
        }
    }


@BOTH
@pytest.mark.parametrize("base", [STANDARD, AUTOPILOT], ids=["standard", "autopilot"])
def test_authorized_networks_open_the_public_endpoint_to_them_alone(preview: bool, base: Any) -> None:
    networks = [{"cidr": "203.0.113.0/24", "name": "office"}, {"cidr": "198.51.100.7/32"}]
    inputs = recorded_cluster(preview, base, authorizedNetworks=networks).inputs
    assert inputs["privateClusterConfig"]["enablePrivateEndpoint"] is False
    assert inputs["masterAuthorizedNetworksConfig"]["cidrBlocks"] == [
        {"cidrBlock": "203.0.113.0/24", "displayName": "office"},
        {"cidrBlock": "198.51.100.7/32", "displayName": "198.51.100.7/32"},
    ]


@BOTH
def test_dns_only_turns_the_addresses_off(preview: bool) -> None:
    inputs = recorded_cluster(preview, controlPlane={"ipEndpoint": "none"}).inputs
    assert inputs["controlPlaneEndpointsConfig"] == {
        "dnsEndpointConfig": {"allowExternalTraffic": True},
        "ipEndpointsConfig": {"enabled": False},
    }
    assert inputs["privateClusterConfig"]["enablePrivateEndpoint"] is True
    assert "masterAuthorizedNetworksConfig" not in inputs


@BOTH
@pytest.mark.parametrize("base", [STANDARD, AUTOPILOT], ids=["standard", "autopilot"])
def test_every_option_reaches_the_cluster(preview: bool, base: Any) -> None:
    inputs = recorded_cluster(
        preview,
        base,
        releaseChannel="EXTENDED",
        minVersion="1.33",
        databaseEncryptionKey="projects/p/locations/us-central1/keyRings/r/cryptoKeys/k",
        secretManager=True,
        gatewayApi=False,
        costAllocation=False,
        resourceLabels={"team": "ml"},
        deletionProtection=True,
        monitoring={"components": ["KUBELET"], "dcgm": False},
        maintenance={
            "exclusions": [{"name": "freeze", "start": "2026-11-20T00:00:00Z", "end": "2026-12-02T00:00:00Z"}]
        },
    ).inputs
    assert inputs["releaseChannel"] == {"channel": "EXTENDED"}
    assert inputs["minMasterVersion"] == "1.33"
    assert inputs["databaseEncryption"] == {
        "state": "ENCRYPTED",
        "keyName": "projects/p/locations/us-central1/keyRings/r/cryptoKeys/k",
    }
    assert inputs["secretManagerConfig"] == {"enabled": True}
    assert inputs["secretSyncConfig"] == {"enabled": True}
    assert inputs["gatewayApiConfig"] == {"channel": "CHANNEL_DISABLED"}
    assert inputs["costManagementConfig"] == {"enabled": False}
    assert inputs["resourceLabels"] == {"team": "ml"}
    assert inputs["deletionProtection"] is True
    assert inputs["monitoringConfig"]["enableComponents"] == ["SYSTEM_COMPONENTS", "KUBELET"]
    assert inputs["maintenancePolicy"]["recurringWindow"]["recurrence"] == "FREQ=WEEKLY;BYDAY=SA,SU"
    assert inputs["maintenancePolicy"]["maintenanceExclusions"] == [
        {
            "exclusionName": "freeze",
            "startTime": "2026-11-20T00:00:00Z",
            "endTime": "2026-12-02T00:00:00Z",
            "exclusionOptions": {"scope": "NO_MINOR_OR_NODE_UPGRADES"},
        }
    ]


def test_standard_only_options_reach_the_cluster() -> None:
    inputs = recorded_cluster(
        zones=["us-central1-b"],
        maxPodsPerNode=32,
        imageStreaming=False,
        gcsFuse=False,
        autoscalingProfile="BALANCED",
    ).inputs
    assert inputs["nodeLocations"] == ["us-central1-b"]
    assert inputs["defaultMaxPodsPerNode"] == 32
    assert inputs["nodePoolDefaults"]["nodeConfigDefaults"]["gcfsConfig"] == {"enabled": False}
    assert inputs["addonsConfig"]["gcsFuseCsiDriverConfig"] == {"enabled": False}
    assert inputs["clusterAutoscaling"] == {"enabled": False, "autoscalingProfile": "BALANCED"}


@BOTH
def test_protect_holds_until_a_replacement_is_allowed(preview: bool) -> None:
    assert recorded_cluster(preview, protect=True).protect
    assert not recorded_cluster(preview, protect=True, allow_replace=("cluster",)).protect
    assert not recorded_cluster(preview).protect


def test_deletion_protection_stops_a_destroy_before_it_begins() -> None:
    assert recorded_cluster(False, deletionProtection=True).protect
    assert not recorded_cluster(False, deletionProtection=True, allow_replace=("cluster",)).protect


def resolved(base: Any = STANDARD, **changes: Any) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    record(cluster_program(cluster_plan(base, **changes), seen), outputs=cloud_outputs)
    return seen


def test_kubeconfig_uses_the_dns_endpoint_and_its_public_certificate() -> None:
    seen = resolved()
    config = json.loads(seen["kubeconfig"])
    assert seen["endpoint"] == DNS_HOST
    assert config["clusters"][0]["cluster"] == {"server": f"https://{DNS_HOST}"}


def test_kubeconfig_of_an_address_carries_the_clusters_authority() -> None:
    config = json.loads(resolved(controlPlane={"dnsEndpoint": False})["kubeconfig"])
    assert config["clusters"][0]["cluster"] == {"server": f"https://{ADDRESS}", "certificate-authority-data": CA}


def test_kubeconfig_holds_no_credential() -> None:
    config = json.loads(resolved(AUTOPILOT)["kubeconfig"])
    (user,) = config["users"]
    assert set(user["user"]) == {"exec"}
    assert user["user"]["exec"]["command"] == "gke-gcloud-auth-plugin"


def test_a_found_cluster_is_reached_like_a_made_one() -> None:
    asked: dict[str, Any] = {}

    def invoked(token: str, arguments: Any) -> dict[str, Any]:
        asked[token] = dict(arguments)
        dns = {"allowExternalTraffic": True, "endpoint": DNS_HOST}
        return {
            "name": "llm",
            "endpoint": ADDRESS,
            "masterAuths": [{"clusterCaCertificate": CA}],
            "controlPlaneEndpointsConfigs": [{"dnsEndpointConfigs": [dns], "ipEndpointsConfigs": []}],
        }

    seen: dict[str, Any] = {}
    plan = cluster_plan({"mode": "existing", "name": "llm", "location": "us-central1"})
    resources = record(cluster_program(plan, seen), invoked=invoked)
    assert asked == {
        "gcp:container/getCluster:getCluster": {"name": "llm", "location": "us-central1", "project": "my-project"}
    }
    assert by_type(resources, CLUSTER_TYPE) == []
    assert json.loads(seen["kubeconfig"])["clusters"][0]["cluster"]["server"] == f"https://{DNS_HOST}"
    assert seen["cluster_name"] == "llm"


@BOTH
def test_a_cluster_known_by_kubeconfig_makes_nothing_and_hands_the_path_on(preview: bool) -> None:
    seen: dict[str, Any] = {}
    plan = cluster_plan({"mode": "existing", "kubeconfig": "/etc/kube/config", "context": "lab"})
    resources = record(cluster_program(plan, seen), preview=preview)
    assert [r for r in resources if r.custom] == []
    assert seen["kubeconfig"] == "/etc/kube/config"
    assert seen["cluster_name"] is None
    assert plan.identifier == "kubeconfig/lab"


def test_unknown_outputs_stay_unknown_at_preview() -> None:
    seen: dict[str, Any] = {}
    record(cluster_program(cluster_plan(), seen), preview=True)
    assert "kubeconfig" not in seen
    assert "endpoint" not in seen
    assert UNKNOWN not in seen.values()
