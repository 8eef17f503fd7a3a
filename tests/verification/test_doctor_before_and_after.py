"""What an update would fail by, before the first and after: quota that others use, APIs and rights that nobody gave."""

from typing import Any

import pytest

from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.verification.doctor_finding import Finding
from tests import factories
from tests.verification.test_doctor import PERMISSIONS, SERVICES, answers, asked

REGION = "/compute/projects/my-project/regions/us-central1"
NODES = "/compute/projects/my-project/aggregated/instances"
EXISTING = {"mode": "existing", "name": "kept", "location": "us-central1-a", "project": "my-project"}
IN_REGION = "quota of nvidia-l4 in us-central1"
EVERYWHERE = "quota of GPUs in all regions"


def node(cluster: str, pool: str = "l4", *, location: str = "us-central1-a", spot: bool = False) -> dict[str, Any]:
    """A machine with one L4 as Compute Engine shows it."""
    card = "https://www.googleapis.com/compute/v1/projects/my-project/zones/us-central1-a/acceleratorTypes/nvidia-l4"
    return {
        "labels": {
            "goog-k8s-cluster-name": cluster,
            "goog-k8s-cluster-location": location,
            "goog-k8s-node-pool-name": pool,
        },
        "guestAccelerators": [{"acceleratorType": card, "acceleratorCount": 1}],
        "scheduling": {"provisioningModel": "SPOT" if spot else "STANDARD"},
    }


def found(nodes: list[dict[str, Any]], usage: int, plan: StackPlan | None = None, *, limit: int = 4) -> Finding:
    documents = answers(everywhere=64)
    documents[REGION] = {"quotas": [{"metric": "NVIDIA_L4_GPUS", "limit": limit, "usage": usage}]}
    documents[NODES] = {"items": {"zones/us-central1-a": {"instances": nodes}, "zones/us-central1-b": {}}}
    return asked(documents, plan)[IN_REGION]


def test_quota_that_others_use_is_not_there_for_the_first_update() -> None:
    told = found([], 3)
    assert told.verdict == "bad"
    assert told.text == "NVIDIA_L4_GPUS is 4, of which others use 3, and the stack may ask for 4: pods stay Pending"
    assert "ask for 7" in told.remedy


def test_what_the_stack_has_already_is_not_counted_against_it() -> None:
    assert found([node("llm")] * 4, 4).verdict == "ok"
    assert found([node("llm")] * 2, 4).verdict == "bad", "others have the other two"
    assert found([node("llm", spot=True)] * 4, 4).verdict == "bad", "spot machines have a quota of their own"
    assert found([node("llm", location="europe-west4-a")] * 4, 4).verdict == "bad", "another cluster of the same name"


def test_of_a_found_cluster_the_pools_of_the_stack_count() -> None:
    plan = factories.planned(factories.serving(cluster=EXISTING, pools={"l4": factories.POOL}))
    (own,) = [pool.resource_name for pool in plan.node_pools]
    assert found([node("kept", own)] * 4, 4, plan).verdict == "ok"
    assert found([node("kept", "others")] * 4, 4, plan).verdict == "bad"


def test_the_quota_of_all_regions_has_its_users_too() -> None:
    documents = answers()
    documents["/compute/projects/my-project"] = {"quotas": [{"metric": "GPUS_ALL_REGIONS", "limit": 4, "usage": 1}]}
    assert asked(documents)[EVERYWHERE].verdict == "bad"
    documents[NODES] = {"items": {"zones/us-central1-a": {"instances": [node("llm")]}}}
    assert asked(documents)[EVERYWHERE].verdict == "ok"


def test_where_the_stack_turns_no_api_on_all_that_it_uses_are_asked_for() -> None:
    plan = factories.planned(factories.serving(cluster={**factories.ZONAL, "enableApis": False}))
    told = asked(answers(), plan)["APIs"]
    assert told.verdict == "bad"
    assert {"compute.googleapis.com", "container.googleapis.com", "iam.googleapis.com"} <= set(told.remedy.split())
    documents = answers()
    wanted = {*SERVICES, *(plan.cluster.managed.used_apis if plan.cluster.managed else ())}
    enabled = [{"name": f"projects/1/services/{name}", "state": "ENABLED"} for name in wanted]
    documents["/services/projects/my-project/services:batchGet"] = {"services": enabled}
    assert asked(documents, plan)["APIs"].verdict == "ok"


@pytest.mark.parametrize(
    ("fields", "permission"),
    [
        ({"serviceAccount": {"googleAccount": "llm-pods@my-project.iam.gserviceaccount.com"}}, "iam.serviceAccounts"),
        ({"apiKey": {"secretManager": {"secret": "chat-key"}}}, "secretmanager.secrets"),
    ],
)
def test_roles_that_the_stack_grants_take_the_right_to_grant_them(fields: dict[str, Any], permission: str) -> None:
    chat = factories.workload(**fields)
    values = factories.serving({"chat": chat}, cluster=EXISTING, pools={"l4": factories.POOL})
    documents = answers(allowed=["container.clusters.update"])
    told = asked(documents, factories.planned(values))["roles"]
    assert told.text == f"the login lacks {permission}.setIamPolicy"
    allowed = answers(allowed=["container.clusters.update", f"{permission}.setIamPolicy"])
    assert asked(allowed, factories.planned(values))["roles"].verdict == "ok"
    plain = factories.serving({"chat": factories.workload()}, cluster=EXISTING, pools={"l4": factories.POOL})
    assert asked(documents, factories.planned(plain))["roles"].verdict == "ok"


def test_a_secret_of_a_found_cluster_takes_its_api() -> None:
    chat = factories.workload(apiKey={"secretManager": {"secret": "chat-key"}})
    values = factories.serving({"chat": chat}, cluster=EXISTING, pools={"l4": factories.POOL})
    assert "secretmanager.googleapis.com" in asked(answers(), factories.planned(values))["APIs"].text


def test_a_subnet_in_a_shared_network_takes_a_right_in_its_project() -> None:
    shared = {
        "network": "projects/host-proj/global/networks/shared",
        "subnetwork": "projects/host-proj/regions/us-central1/subnetworks/nodes",
        "networkOptions": {"podsRange": "pods", "servicesRange": "services"},
    }
    door = {"to": "network", "makeProxyOnlySubnet": True}
    plan = factories.planned(factories.serving(cluster={**factories.ZONAL, **shared}, expose=door))
    host = "/projects/projects/host-proj:testIamPermissions"
    told = asked(answers(allowed=PERMISSIONS[:-1]) | {host: {}}, plan)
    assert told["roles"].verdict == "ok"
    assert told["roles in host-proj"].text == "the login lacks compute.subnetworks.create"
    assert "on project host-proj" in told["roles in host-proj"].remedy
