"""What the program registers for a workload, in an update and in a preview."""

from dataclasses import replace
from typing import Any

import pulumi
import pytest

from components.inference_service import InferenceService, InferenceServiceArgs
from l4serve.config.keys.secrets import HuggingFace
from l4serve.planning.gke.hf_token import plan_secret
from l4serve.planning.workload.workload_plan import WorkloadPlan
from tests import factories
from tests.components.recorder import Recorded, record
from tests.stack_cases import planned

BOTH = pytest.mark.parametrize("preview", [False, True], ids=["update", "preview"])
CHILDREN = {
    "kubernetes:core/v1:ServiceAccount": "account",
    "kubernetes:core/v1:Service": "service",
    "kubernetes:policy/v1:PodDisruptionBudget": "budget",
    "kubernetes:apps/v1:Deployment": "deployment",
}


def workload(name: str = "llama-8b") -> WorkloadPlan:
    (found,) = [w for w in planned("prod").workloads if w.name == name]
    return found


def registered(plan: WorkloadPlan, *, preview: bool) -> dict[str, Recorded]:
    def program() -> None:
        InferenceService(plan.name, InferenceServiceArgs(plan=plan, secret_name=pulumi.Output.from_input("hf-secret")))

    return {r.type: r for r in record(program, preview=preview)}


@BOTH
def test_children_and_their_names(preview: bool) -> None:
    resources = registered(workload(), preview=preview)
    component = resources.pop("l4serve:serving:InferenceService")
    assert {kind: r.name for kind, r in resources.items()} == {
        k: f"llm-serving/llama-8b-{v}" for k, v in CHILDREN.items()
    }
    assert {r.parent for r in resources.values()} == {component.urn}


@BOTH
def test_one_replica_needs_no_disruption_budget(preview: bool) -> None:
    assert "kubernetes:policy/v1:PodDisruptionBudget" not in registered(workload("qwen-7b"), preview=preview)


@BOTH
def test_service_and_budget_select_the_pods(preview: bool) -> None:
    resources = registered(workload(), preview=preview)
    deployment = resources["kubernetes:apps/v1:Deployment"].inputs["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    budget = resources["kubernetes:policy/v1:PodDisruptionBudget"].inputs["spec"]
    selectors = (
        resources["kubernetes:core/v1:Service"].inputs["spec"]["selector"],
        budget["selector"]["matchLabels"],
        deployment["selector"]["matchLabels"],
    )
    assert all(selector and selector.items() <= labels.items() for selector in selectors)


@BOTH
def test_the_rollout_is_given_the_time_that_a_model_needs(preview: bool) -> None:
    spec: dict[str, Any] = registered(workload(), preview=preview)["kubernetes:apps/v1:Deployment"].inputs["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    startup = container["startupProbe"]["periodSeconds"] * container["startupProbe"]["failureThreshold"]
    assert spec["progressDeadlineSeconds"] > startup >= 1800


@BOTH
def test_a_cluster_without_known_room_replaces_pods_in_place(preview: bool) -> None:
    spec = registered(planned("local").workloads[0], preview=preview)["kubernetes:apps/v1:Deployment"].inputs["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}


@BOTH
def test_a_pool_with_room_keeps_the_model_there(preview: bool) -> None:
    spec = registered(workload(), preview=preview)["kubernetes:apps/v1:Deployment"].inputs["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


@BOTH
def test_a_token_file_is_mounted_where_its_variable_points(preview: bool) -> None:
    source = plan_secret(HuggingFace(secretManager={"secret": "hf", "delivery": "file"}), project="my-project")
    plan = replace(workload(), secret=source)
    spec = registered(plan, preview=preview)["kubernetes:apps/v1:Deployment"].inputs["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    (mount,) = [m for m in container["volumeMounts"] if m.get("readOnly")]
    (volume,) = [v for v in spec["volumes"] if v["name"] == mount["name"]]
    assert volume["csi"] == {
        "driver": "secrets-store-gke.csi.k8s.io",
        "readOnly": True,
        "volumeAttributes": {"secretProviderClass": "hf-secret-source"},
    }
    variables = {variable["name"]: variable.get("value") for variable in container["env"]}
    assert mount["readOnly"] and variables["HF_TOKEN_PATH"] == f"{mount['mountPath']}/hf_api_token"
    assert not any("valueFrom" in variable for variable in container["env"])


@pytest.mark.parametrize(
    ("version", "names"),
    [
        ("2.0.4", ["HUGGING_FACE_HUB_TOKEN"]),
        ("2.2.0", ["HUGGING_FACE_HUB_TOKEN", "HF_TOKEN"]),
        ("2.3.1", ["HUGGING_FACE_HUB_TOKEN", "HF_TOKEN"]),
        ("3.3.7", ["HF_TOKEN"]),
    ],
)
def test_a_token_comes_under_each_name_that_a_part_of_the_release_reads(version: str, names: list[str]) -> None:
    engine = {"kind": "tgi", "version": version, "maxModelLen": None, "maxInputTokens": 1024, "maxTotalTokens": 2048}
    serving = factories.serving({"qwen": factories.workload(engine=engine)})
    (plan,) = factories.planned({**serving, "huggingFace": {"existingSecret": "hf", "key": "token"}}).workloads
    spec = registered(plan, preview=False)["kubernetes:apps/v1:Deployment"].inputs["spec"]["template"]["spec"]
    kept = [variable for variable in spec["containers"][0]["env"] if "valueFrom" in variable]
    assert [variable["name"] for variable in kept] == names
    assert {variable["valueFrom"]["secretKeyRef"]["key"] for variable in kept} == {"token"}
    assert plan.token_variable == " and ".join(names)


@BOTH
def test_keys_and_settings_come_from_where_they_are_kept(preview: bool) -> None:
    kept = {"secret": "keys", "key": "vllm"}
    fields: dict[str, Any] = {"apiKey": kept, "env": {"HTTPS_PROXY": {"configMap": "net", "key": "proxy"}}}
    (plan,) = factories.planned(factories.serving({"qwen": factories.workload(**fields)})).workloads
    spec = registered(plan, preview=preview)["kubernetes:apps/v1:Deployment"].inputs["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert {v["name"]: v["valueFrom"] for v in container["env"] if "valueFrom" in v} == {
        "VLLM_API_KEY": {"secretKeyRef": {"name": "keys", "key": "vllm"}},
        "HTTPS_PROXY": {"configMapKeyRef": {"name": "net", "key": "proxy"}},
    }
    assert not any("key" in argument for argument in container["args"])
    assert container["readinessProbe"]["httpGet"]["path"] == "/health"
