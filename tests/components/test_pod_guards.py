"""What the program registers to guard a workload's pods: user, policies, identity."""

from typing import Any

import pytest

from components.inference_service import InferenceService, InferenceServiceArgs
from components.pod_cloud_roles import PodCloudRoles, PodCloudRolesArgs
from components.pod_network_policy import PodNetworkPolicy, PodNetworkPolicyArgs
from l4serve.config.refusals.problems import ConfigError
from l4serve.planning.workload.workload_plan import WorkloadPlan
from policy.workload_rules import is_pinned
from tests import factories
from tests.components.recorder import Recorded, by_purpose, record

BOTH = pytest.mark.parametrize("preview", [False, True], ids=["update", "preview"])
GOOGLE = "llm-pods@my-project.iam.gserviceaccount.com"


def plan(**fields: Any) -> WorkloadPlan:
    (found,) = factories.planned(factories.serving({"qwen": factories.workload(**fields)})).workloads
    return found


def served(found: WorkloadPlan, *, preview: bool) -> dict[str, Recorded]:
    made = record(lambda: InferenceService("qwen", InferenceServiceArgs(plan=found)), preview=preview) or []
    return {each.type: each for each in made}


def pod(found: WorkloadPlan, *, preview: bool) -> dict[str, Any]:
    spec: dict[str, Any] = served(found, preview=preview)["kubernetes:apps/v1:Deployment"].inputs["spec"]
    inner: dict[str, Any] = spec["template"]["spec"]
    return inner


@pytest.mark.parametrize(("port", "low"), [(443, True), (1023, True), (1024, False), (8000, False)])
def test_a_low_port_is_opened_to_users_other_than_root(port: int, low: bool) -> None:
    context = pod(plan(service={"port": port}), preview=False)["securityContext"]
    assert context.get("sysctls") == ([{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}] if low else None)


@BOTH
def test_a_pod_keeps_to_pod_security_restricted(preview: bool) -> None:
    spec = pod(plan(), preview=preview)
    (container,) = spec["containers"]
    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 2000,
        "runAsGroup": 0,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert spec["automountServiceAccountToken"] is False
    writable = {mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")}
    assert writable == {"/dev/shm", "/home/vllm", "/tmp"}
    assert {volume["name"]: "emptyDir" in volume for volume in spec["volumes"]} == {"dshm": True, "writable": True}


@BOTH
def test_a_variable_of_the_config_comes_before_that_of_the_user(preview: bool) -> None:
    (container,) = pod(plan(extraEnv={"HOME": "/tmp/me"}), preview=preview)["containers"]
    assert [variable["value"] for variable in container["env"] if variable["name"] == "HOME"] == ["/tmp/me"]


@BOTH
def test_an_image_as_it_is_runs_as_it_is(preview: bool) -> None:
    spec = pod(plan(podSecurity={"level": "baseline"}), preview=preview)
    (container,) = spec["containers"]
    assert spec["securityContext"] == {"seccompProfile": {"type": "RuntimeDefault"}}
    assert "readOnlyRootFilesystem" not in container["securityContext"]
    assert not container.get("env")


@BOTH
def test_the_policy_selects_the_pods_and_closes_both_ways(preview: bool) -> None:
    found = plan()
    assert found.network is not None
    args = PodNetworkPolicyArgs(plan=found, guard=found.network)
    made = {r.type: r for r in record(lambda: PodNetworkPolicy("qwen", args), preview=preview)}
    policy = made["kubernetes:networking.k8s.io/v1:NetworkPolicy"]
    labels = found.metadata.pod_labels
    assert policy.name == "llm-serving/qwen-network"
    assert policy.inputs["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
    assert policy.inputs["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert policy.inputs["spec"]["ingress"] == [
        {"from": [{"podSelector": {}}], "ports": [{"protocol": "TCP", "port": 8000}]}
    ]
    weights = policy.inputs["spec"]["egress"][-1]["to"][0]["ipBlock"]
    assert weights["cidr"] == "0.0.0.0/0" and "10.0.0.0/8" in weights["except"]


def roles(found: WorkloadPlan, *, preview: bool) -> dict[str, Recorded]:
    args = PodCloudRolesArgs(identity=found.identity, namespace=found.namespace)
    return by_purpose(record(lambda: PodCloudRoles("qwen", args), preview=preview))


@BOTH
def test_pods_act_as_a_google_account(preview: bool) -> None:
    found = plan(serviceAccount={"googleAccount": GOOGLE})
    made = roles(found, preview=preview)
    assert made["qwen-acts-as"].inputs == {
        "serviceAccountId": f"projects/my-project/serviceAccounts/{GOOGLE}",
        "role": "roles/iam.workloadIdentityUser",
        "member": "serviceAccount:my-project.svc.id.goog[llm-serving/qwen]",
    }
    account = served(found, preview=preview)["kubernetes:core/v1:ServiceAccount"].inputs
    assert account["metadata"]["annotations"] == {"iam.gke.io/gcp-service-account": GOOGLE}


@BOTH
def test_an_account_that_is_there_is_used_and_not_made(preview: bool) -> None:
    found = plan(serviceAccount={"name": "mine"})
    assert pod(found, preview=preview)["serviceAccountName"] == "mine"
    assert "kubernetes:core/v1:ServiceAccount" not in served(found, preview=preview)


DIGEST = f"sha256:{'ab' * 32}"


@pytest.mark.parametrize(
    "image", [f"docker.io/vllm/vllm-openai:v0.26.0@{DIGEST}", f"docker.io/vllm/vllm-openai@{DIGEST}"]
)
def test_an_image_that_a_digest_pins_runs_as_the_releases_own(image: str) -> None:
    found = plan(engine={"image": image})
    own = plan()
    (container,) = pod(found, preview=False)["containers"]
    assert container["image"] == image and is_pinned(image)
    assert found.guard == own.guard and found.engine.argv == own.engine.argv
    assert found.engine.contract == own.engine.contract
    assert [note.text for note in found.notes] == [note.text for note in own.notes]


def test_a_digest_beside_the_tag_of_another_release_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"holds vLLM 0\.20\.0"):
        plan(engine={"image": f"docker.io/vllm/vllm-openai:v0.20.0@{DIGEST}"})
