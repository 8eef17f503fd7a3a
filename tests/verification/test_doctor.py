"""A doctor's findings: this machine, Google's APIs behind a server on loopback, and what a cluster says of its pods."""

from typing import Any

import pytest
import requests

from l4serve.config.data_file import load_data
from l4serve.planning.machines.shapes import all_shapes
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.verification import doctor_quota
from l4serve.verification.doctor_cloud import cloud_findings, no_project
from l4serve.verification.doctor_cluster import autoscalers, drivers, pending_pods
from l4serve.verification.doctor_finding import Finding
from l4serve.verification.doctor_local import local_findings
from l4serve.verification.doctor_quota import gpus_asked
from l4serve.verification.google_apis import ApiError, GoogleApis
from tests import factories
from tests.verification.google_stand_in import Answers, google

PERMISSIONS = [
    "container.clusters.create",
    "compute.networks.create",
    "iam.serviceAccounts.create",
    "iam.serviceAccounts.actAs",
    "resourcemanager.projects.setIamPolicy",
    "serviceusage.services.enable",
    "compute.subnetworks.create",
]
SERVICES = ["cloudresourcemanager.googleapis.com", "serviceusage.googleapis.com"]


def answers(*, l4: int = 4, everywhere: int = 4, sold: bool = True, allowed: Any = PERMISSIONS) -> Answers:
    zone = "/compute/projects/my-project/zones/us-central1-a"
    shapes: Answers = {f"{zone}/machineTypes/g2-standard-8": {}, f"{zone}/acceleratorTypes/nvidia-l4": {}}
    enabled = [{"name": f"projects/1/services/{name}", "state": "ENABLED"} for name in SERVICES]
    return {
        "/projects/projects/my-project": {"lifecycleState": "ACTIVE"},
        "/projects/projects/my-project:testIamPermissions": {"permissions": allowed},
        "/services/projects/my-project/services:batchGet": {"services": enabled},
        "/compute/projects/my-project/regions/us-central1": {"quotas": [{"metric": "NVIDIA_L4_GPUS", "limit": l4}]},
        "/compute/projects/my-project/aggregated/instances": {},
        "/compute/projects/my-project": {"quotas": [{"metric": "GPUS_ALL_REGIONS", "limit": everywhere}]},
        **(shapes if sold else {}),
    }


def plan(**pool: Any) -> StackPlan:
    return factories.planned(factories.serving(pools={"l4": {**factories.POOL, **pool}}))


def asked(documents: Answers, of: StackPlan | None = None) -> dict[str, Finding]:
    with google(documents) as apis:
        return {each.subject: each for each in cloud_findings(of or plan(), "my-project", apis)}


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({}, "ok"),
        ({"name": "llm", "location": "us-central1-a"}, "bad"),
        ({"monitoring": {"dashboard": True}}, "bad"),
        ({"monitoring": {"alerts": {"via": "policies"}}}, "bad"),
    ],
)
def test_a_project_is_missed_only_where_google_is_asked_for_something(fields: dict[str, Any], verdict: str) -> None:
    monitoring = {"monitoring": fields.pop("monitoring")} if "monitoring" in fields else {}
    values = factories.serving(cluster={**factories.EXISTING, **fields}, **monitoring)
    assert no_project(factories.planned(values)).verdict == verdict


def test_a_project_that_has_everything_is_well() -> None:
    found = asked(answers())
    assert {each.verdict for each in found.values()} == {"ok"}
    assert set(found) >= {"project", "APIs", "roles", "quota of nvidia-l4 in us-central1", "zones of l4"}


def test_quota_below_what_the_stack_may_ask_for_is_told_by_region_and_everywhere() -> None:
    found = asked(answers(l4=1, everywhere=0))
    regional, everywhere = found["quota of nvidia-l4 in us-central1"], found["quota of GPUs in all regions"]
    assert (regional.verdict, everywhere.verdict) == ("bad", "bad")
    assert regional.text == "NVIDIA_L4_GPUS is 1, and the stack may ask for 4: pods stay Pending"
    assert "ask for 4" in regional.remedy


def test_spot_machines_count_against_their_own_quota() -> None:
    found = asked(answers(), plan(spot=True))["quota of nvidia-l4 in us-central1"]
    assert found.verdict == "unknown"
    assert "PREEMPTIBLE_NVIDIA_L4_GPUS" in found.text


def test_a_zone_without_the_machine_is_named() -> None:
    found = asked(answers(sold=False))["zones of l4"]
    assert "us-central1-a has no g2-standard-8" in found.text
    assert found.remedy.startswith("set nodePools.l4.zones")


def test_rights_that_the_login_lacks_name_their_roles() -> None:
    found = asked(answers(allowed=PERMISSIONS[1:]))["roles"]
    assert found.text == "the login lacks container.clusters.create"
    assert "roles/container.admin" in found.remedy


def whole(**fields: Any) -> StackPlan:
    """A stack that makes more in the cloud than its cluster."""
    chat = factories.workload(nodePool="l4", serviceAccount={"buckets": {"logs": "write"}})
    chat["model"]["source"] = {"kind": "bucket", "uri": "gs://models/chat"}
    disk = factories.workload(nodePool="l4", expose={"enabled": False})
    disk["model"]["source"] = {"kind": "hyperdisk"}
    door = {"to": "network", "reserveAddress": True}
    watched = {"alerts": {"via": "policies"}, "dashboard": True}
    return factories.planned(factories.serving({"chat": chat, "disk": disk}, expose=door, monitoring=watched, **fields))


def test_what_the_stack_makes_beside_its_cluster_takes_rights_too() -> None:
    bucket = "/storage/b/{}/iam/testPermissions"
    documents = answers() | {bucket.format("models"): {"permissions": ["storage.buckets.setIamPolicy"]}}
    documents |= {bucket.format("logs"): {}}
    found = asked(documents, whole())
    for permission, role in {
        "compute.addresses.create": "roles/compute.networkAdmin",
        "monitoring.alertPolicies.create": "roles/monitoring.alertPolicyEditor",
        "monitoring.dashboards.create": "roles/monitoring.dashboardEditor",
        "compute.disks.create": "roles/compute.storageAdmin",
    }.items():
        assert permission in found["roles"].text and role in found["roles"].remedy
    assert (found["bucket models"].verdict, found["bucket logs"].verdict) == ("ok", "bad")
    assert "grant roles/storage.admin on gs://logs" in found["bucket logs"].remedy
    assert not [subject for subject in asked(answers()) if subject.startswith("bucket")]


def test_pools_of_a_cluster_that_is_looked_up_take_its_update() -> None:
    cluster = {"mode": "existing", "name": "kept", "location": "us-central1-a", "project": "my-project"}
    found = asked(answers(), factories.planned(factories.serving(cluster=cluster, pools={"l4": factories.POOL})))
    assert found["roles"].text == "the login lacks container.clusters.update"
    assert "roles/container.clusterAdmin" in found["roles"].remedy


def test_an_endpoint_picker_takes_an_api_that_nobody_turns_on_in_a_cluster_of_others() -> None:
    cluster = {"mode": "existing", "name": "kept", "location": "us-central1-a", "project": "my-project"}
    picked = factories.workload(expose={"inferencePool": True})
    values = factories.serving(
        {"chat": picked}, cluster=cluster, pools={"l4": factories.POOL}, expose={"to": "network"}
    )
    assert "networkservices.googleapis.com" in asked(answers(), factories.planned(values))["APIs"].text


def test_an_api_that_is_off_has_its_command() -> None:
    documents = answers()
    documents["/services/projects/my-project/services:batchGet"] = {}
    found = asked(documents)["APIs"]
    assert found.remedy.startswith("gcloud services enable cloudresourcemanager.googleapis.com")


def test_a_project_that_nobody_may_see_ends_the_questions() -> None:
    documents = answers()
    del documents["/projects/projects/my-project"]
    assert [each.verdict for each in asked(documents).values()] == ["bad"]


def test_a_service_that_does_not_answer_is_no_fault_of_the_stack() -> None:
    documents = answers()
    del documents["/compute/projects/my-project/regions/us-central1"]
    assert asked(documents)["quota"].verdict == "unknown"
    with pytest.raises(ApiError, match="ConnectionError"):
        GoogleApis(requests.Session(), {"compute": "http://127.0.0.1:9"}).get("compute", "x")


def test_the_gpus_of_made_machines_count_too() -> None:
    pools = {"l4": factories.POOL}
    classes = {"any": {"priorities": [{"machineType": "g2-standard-24", "spot": True}]}}
    chat = factories.workload(computeClass="any", gpus=2, replicas=3)
    values = factories.serving({"chat": chat}, pools=pools, computeClasses=classes)
    assert gpus_asked(factories.planned(values)) == {("nvidia-l4", False): 4, ("nvidia-l4", True): 6}


@pytest.mark.parametrize("programs", [("pulumi", "gke-gcloud-auth-plugin"), ("pulumi",), ()])
def test_programs_that_are_not_on_path_are_told(programs: tuple[str, ...]) -> None:
    found = {each.subject: each for each in local_findings(plan(), lambda name: name if name in programs else None)}
    for name in ("pulumi", "gke-gcloud-auth-plugin"):
        assert (found[name].verdict == "ok") is (name in programs)


def test_a_gated_model_without_a_token_is_told() -> None:
    gated = factories.planned(factories.serving({"chat": factories.workload("meta-llama/Llama-3.1-8B-Instruct")}))
    token = {each.subject: each for each in local_findings(gated)}["token"]
    assert token.verdict == "bad"
    assert "pulumi config set --secret hfToken" in token.remedy


def test_a_key_that_the_config_lacks_is_told() -> None:
    guarded = factories.planned(factories.serving({"chat": factories.workload(apiKey={"config": "chatKey"})}))
    key = {each.subject: each for each in local_findings(guarded)}["API key"]
    assert (key.verdict, key.remedy) == ("bad", "pulumi config set --secret chatKey")
    assert "API key" not in {each.subject for each in local_findings(plan())}


@pytest.mark.parametrize(
    ("message", "fix"),
    [
        ("0/3 nodes are available: 3 Insufficient nvidia.com/gpu", "raise nodePools.NAME.maxNodes"),
        ("Node scale up failed: GCE quota exceeded. Insufficient nvidia.com/gpu", "GPUS_ALL_REGIONS"),
        ("3 node(s) had untolerated taint {a: b}", "another class or not ready"),
        ("0/2 nodes are available: 2 node(s) were unschedulable.", "kubectl uncordon NODE"),
        ('persistentvolumeclaim "models" not found', "kubectl get pvc"),
        ("something new", "kubectl describe pod"),
    ],
)
def test_a_pod_that_waits_has_the_schedulers_words_and_a_remedy(message: str, fix: str) -> None:
    condition = {"type": "PodScheduled", "status": "False", "message": message}
    pod = {"metadata": {"name": "chat-1"}, "status": {"phase": "Pending", "conditions": [condition]}}
    (found,) = pending_pods([pod], [])
    assert found.verdict == "bad"
    assert message in found.text
    assert fix in found.remedy


def test_words_of_the_autoscaler_come_from_events_of_the_pod() -> None:
    pod = {"metadata": {"name": "chat-1"}, "status": {"phase": "Pending"}}
    told = {"involvedObject": {"name": "chat-1"}, "message": "GCE out of resources"}
    (found,) = pending_pods([pod], [told, {"involvedObject": {"name": "other"}, "message": "no"}])
    assert (found.text, found.remedy) == (
        "Pending: GCE out of resources",
        "add zones, or a compute class with a second pool",
    )
    assert [each.verdict for each in pending_pods([], [])] == ["ok"]


def test_a_node_without_gpus_lacks_its_driver() -> None:
    nodes = [
        {"metadata": {"name": n}, "status": {"allocatable": {"nvidia.com/gpu": g}}} for n, g in (("a", "1"), ("b", "0"))
    ]
    assert [(each.verdict, each.subject) for each in drivers(nodes)] == [("bad", "node b"), ("ok", "GPU nodes")]


def test_an_autoscaler_that_reads_nothing_is_told() -> None:
    condition = {"type": "ScalingActive", "status": "False", "message": "unable to get metric"}
    (found,) = autoscalers([{"metadata": {"name": "chat"}, "status": {"conditions": [condition]}}])
    assert "roles/monitoring.viewer" in found.remedy


def answered(machine: str, accelerator: str, quotas: Any, **pool: Any) -> tuple[Answers, StackPlan]:
    """What Google answers about a pool of another card, and its plan."""
    documents = answers(everywhere=64)
    documents["/compute/projects/my-project/regions/us-central1"] = {"quotas": quotas}
    zone = "/compute/projects/my-project/zones/us-central1-a"
    documents |= {f"{zone}/machineTypes/{machine}": {}, f"{zone}/acceleratorTypes/{accelerator}": {}}
    return documents, plan(machineType=machine, maxNodes=1, **pool)


QUOTA = "GPUS-PER-GPU-FAMILY-per-project-region"
FAMILIES = f"/quotas/projects/my-project/locations/global/services/compute.googleapis.com/quotaInfos/{QUOTA}"


@pytest.mark.parametrize(("own", "verdict"), [(None, "ok"), ("4", "bad"), ("-1", "ok")])
def test_a_newer_card_is_counted_by_its_family(own: str | None, verdict: str) -> None:
    documents, of = answered("a3-highgpu-8g", "nvidia-h100-80gb", [{"metric": "NVIDIA_H100_GPUS", "limit": 0}])
    rows: list[Any] = [
        {"dimensions": {"gpu_family": "NVIDIA_H100"}, "details": {"value": "8"}},
        {"dimensions": {"gpu_family": "NVIDIA_H200", "region": "us-central1"}, "details": {"value": "0"}},
    ]
    if own is not None:
        place = {"gpu_family": "NVIDIA_H100", "region": "us-central1"}
        rows.append({"dimensions": place, "details": {"value": own}})
    documents[FAMILIES] = {"dimensionsInfos": rows}
    found = asked(documents, of)["quota of nvidia-h100-80gb in us-central1"]
    assert found.verdict == verdict, found
    assert found.text.startswith("NVIDIA_H100 is ")


def test_without_cloud_quotas_a_newer_card_is_unknown_and_the_rest_is_not() -> None:
    documents, of = answered("a3-highgpu-8g", "nvidia-h100-80gb", [])
    found = asked(documents, of)
    told = found["quota of nvidia-h100-80gb in us-central1"]
    assert (told.verdict, found["quota of GPUs in all regions"].verdict) == ("unknown", "ok")
    assert "gcloud services enable cloudquotas.googleapis.com" in told.remedy


def test_flex_start_counts_against_the_preemptible_quota() -> None:
    documents, of = answered(
        "a3-highgpu-8g", "nvidia-h100-80gb", [{"metric": "PREEMPTIBLE_NVIDIA_H100_GPUS", "limit": 8}], flexStart={}
    )
    assert asked(documents, of)["quota of nvidia-h100-80gb in us-central1"].verdict == "ok"


def test_every_accelerator_that_gke_sells_has_its_quotas() -> None:
    table = load_data(doctor_quota.__file__, "doctor.yaml")["quotas"]
    assert set(table) == {shape.accelerator for shape in all_shapes(None)}
    for row in table.values():
        assert ("metric" in row) != ("family" in row) and row["preemptible"].startswith("PREEMPTIBLE_")


def test_autopilot_asks_for_the_gpus_of_its_pods() -> None:
    chat = factories.workload(autoscaling={"maxReplicas": 5})
    values = factories.serving({"chat": chat, "two": factories.workload(gpus=2)}, cluster=factories.AUTOPILOT)
    assert gpus_asked(factories.planned(values)) == {("nvidia-l4", False): 7}
