"""Recorded inputs of network, NAT, node identity and enabled APIs."""

from typing import Any

import pytest

from components.gke_network import GkeNetwork, GkeNetworkArgs
from components.node_identity import NodeIdentity, NodeIdentityArgs
from components.project_services import ProjectServices, ProjectServicesArgs
from l4serve.planning.gke.cluster_plan import ManagedPlan
from tests.components.recorder import UNKNOWN, Recorded, by_type, only, record
from tests.factories import cluster_plan

BOTH = pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
NETWORK = "gcp:compute/network:Network"
SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
NAT = "gcp:compute/routerNat:RouterNat"
NAT_ADDRESSES = "gcp:compute/routerNatAddress:RouterNatAddress"
ADDRESS = "gcp:compute/address:Address"
ACCOUNT = "gcp:serviceaccount/account:Account"
GRANT = "gcp:projects/iAMMember:IAMMember"
SERVICE = "gcp:projects/service:Service"
LEAST = {
    "roles/container.defaultNodeServiceAccount",
    "roles/artifactregistry.reader",
    "roles/monitoring.metricWriter",
}


def managed(**changes: Any) -> ManagedPlan:
    plan = cluster_plan(**changes).managed
    assert plan is not None
    return plan


def run_network(preview: bool, **changes: Any) -> tuple[list[Recorded], dict[str, Any]]:
    seen: dict[str, Any] = {}

    def program() -> None:
        network = GkeNetwork("network", GkeNetworkArgs(plan=managed(**changes).network))
        network.network.apply(lambda value: seen.__setitem__("network", value))
        network.subnetwork.apply(lambda value: seen.__setitem__("subnetwork", value))
        network.egress_addresses.apply(lambda value: seen.__setitem__("egress", value))

    def outputs(type_: str, name: str, inputs: Any) -> dict[str, Any]:
        return {"selfLink": f"link/{inputs.get('name')}", "address": "192.0.2.1"}

    return record(program, preview=preview, outputs=outputs), seen


@BOTH
def test_a_made_network_has_ranges_nat_and_no_open_port(preview: bool) -> None:
    recorded, _ = run_network(preview)
    assert only(recorded, NETWORK).inputs["autoCreateSubnetworks"] is False
    subnetwork = only(recorded, SUBNETWORK).inputs
    assert subnetwork["privateIpGoogleAccess"] is True
    assert subnetwork["ipCidrRange"] == "10.0.0.0/20"
    assert subnetwork["secondaryIpRanges"] == [
        {"rangeName": "pods", "ipCidrRange": "10.4.0.0/14"},
        {"rangeName": "services", "ipCidrRange": "10.8.0.0/20"},
    ]
    assert only(recorded, NAT).inputs["sourceSubnetworkIpRangesToNat"] == "ALL_SUBNETWORKS_ALL_IP_RANGES"
    assert "routingMode" not in only(recorded, NETWORK).inputs
    assert not [r for r in recorded if "firewall" in r.type.lower()]


def test_a_made_network_is_handed_on_by_its_link() -> None:
    _, seen = run_network(False)
    assert seen == {"network": "link/llm-net", "subnetwork": "link/llm-nodes", "egress": ["192.0.2.1"]}
    _, at_preview = run_network(True)
    assert at_preview == {}


@BOTH
def test_public_nodes_need_no_nat(preview: bool) -> None:
    recorded, _ = run_network(preview, privateNodes=False)
    assert by_type(recorded, NAT) == []
    assert len(by_type(recorded, NETWORK)) == 1


@BOTH
def test_an_existing_network_is_left_alone(preview: bool) -> None:
    recorded, seen = run_network(preview, network="shared", subnetwork="serving")
    assert [r for r in recorded if r.custom] == []
    assert seen == {"network": "shared", "subnetwork": "serving", "egress": []}


@BOTH
def test_nat_can_be_added_to_an_existing_network(preview: bool) -> None:
    recorded, _ = run_network(preview, network="shared", subnetwork="serving", networkOptions={"nat": True})
    kinds = {r.type for r in recorded if r.custom}
    assert kinds == {"gcp:compute/router:Router", ADDRESS, NAT, NAT_ADDRESSES}


@BOTH
def test_more_addresses_are_added_without_replacing_the_nat(preview: bool) -> None:
    one, _ = run_network(preview)
    three, _ = run_network(preview, networkOptions={"natAddresses": 3})
    assert len(by_type(three, ADDRESS)) == 3
    assert only(three, NAT).inputs["natIpAllocateOption"] == "MANUAL_ONLY"
    assert repr(only(three, NAT).inputs) == repr(only(one, NAT).inputs)
    assert len(only(three, NAT_ADDRESSES).inputs["natIps"]) == 3


def run_identity(preview: bool, **changes: Any) -> tuple[list[Recorded], dict[str, Any]]:
    seen: dict[str, Any] = {}

    def program() -> None:
        apis = ProjectServices("apis", ProjectServicesArgs(apis=managed().apis, project="my-project"))
        identity = NodeIdentity("nodes", NodeIdentityArgs(plan=managed(**changes).identity, after=apis.services))
        identity.email.apply(lambda value: seen.__setitem__("email", value))

    def outputs(type_: str, name: str, inputs: Any) -> dict[str, Any]:
        mail = f"{inputs.get('accountId')}@my-project.iam.gserviceaccount.com"
        return {"email": mail, "member": f"serviceAccount:{mail}"} if type_ == ACCOUNT else {"etag": "e"}

    return record(program, preview=preview, outputs=outputs), seen


@BOTH
def test_the_nodes_have_an_account_of_least_privilege(preview: bool) -> None:
    recorded, seen = run_identity(preview)
    assert only(recorded, ACCOUNT).inputs["accountId"] == "llm-nodes"
    assert {grant.inputs["role"] for grant in by_type(recorded, GRANT)} == LEAST
    member = UNKNOWN if preview else "serviceAccount:llm-nodes@my-project.iam.gserviceaccount.com"
    assert {repr(grant.inputs["member"]) for grant in by_type(recorded, GRANT)} == {repr(member)}
    assert seen == ({} if preview else {"email": "llm-nodes@my-project.iam.gserviceaccount.com"})


def test_the_account_waits_for_its_api() -> None:
    recorded, _ = run_identity(False)
    services = {service.urn for service in by_type(recorded, SERVICE)}
    assert services <= set(only(recorded, ACCOUNT).dependencies)


@BOTH
def test_an_existing_account_is_used_as_it_is(preview: bool) -> None:
    recorded, seen = run_identity(preview, nodeServiceAccount="mine@p.iam.gserviceaccount.com")
    assert by_type(recorded, ACCOUNT) == by_type(recorded, GRANT) == []
    assert seen == {"email": "mine@p.iam.gserviceaccount.com"}


def test_a_long_cluster_name_still_gives_a_valid_account_id() -> None:
    account_id = managed(name="a-very-long-cluster-name-for-inference").identity.account_id
    assert account_id is not None
    assert len(account_id) <= 30
    assert account_id != managed(name="a-very-long-cluster-name-for-inferenc2").identity.account_id


def test_apis_stay_on_after_a_destroy_and_can_be_left_to_others() -> None:
    recorded, _ = run_identity(False)
    assert {s.inputs["service"] for s in by_type(recorded, SERVICE)} >= {
        "container.googleapis.com",
        "compute.googleapis.com",
    }
    assert all(s.inputs["disableOnDestroy"] is False for s in by_type(recorded, SERVICE))
    assert managed(enableApis=False).apis == ()
    assert "secretmanager.googleapis.com" in managed(secretManager=True).apis
