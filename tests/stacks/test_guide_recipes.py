"""The seven recipes against the guide's facts, field by field, in the manifests that the program renders."""

import json
from pathlib import Path
from typing import Any

import pytest

from l4serve.config.recipes import recipes
from tests.stack_cases import objects, planned

FACTS = json.loads((Path(__file__).parents[1] / "data/guide_variants.json").read_text("utf-8"))
COMMON, VARIANTS = FACTS["common"], FACTS["variants"]
EACH = pytest.mark.parametrize("name", VARIANTS)


def pod(name: str) -> dict[str, Any]:
    return objects("guide", "Deployment")[name]["spec"]["template"]["spec"]


def container(name: str) -> dict[str, Any]:
    (only,) = pod(name)["containers"]
    return only


def test_all_seven_are_deployed_at_once() -> None:
    assert set(objects("guide", "Deployment")) == set(VARIANTS)
    assert {o["metadata"]["namespace"] for o in objects("guide", "Deployment").values()} == {"llm-serving"}


@EACH
def test_engine_image_and_model(name: str) -> None:
    facts = VARIANTS[name]
    assert planned("guide").workloads[sorted(VARIANTS).index(name)].engine.kind == facts["engine"]
    assert container(name)["image"] == COMMON["images"][facts["engine"]]
    flag = "--model" if facts["engine"] == "vllm" else "--model-id"
    assert f"{flag}={facts['model']}" in container(name)["args"]


@EACH
def test_flags(name: str) -> None:
    _, *flags = container(name)["args"]
    assert sorted(flags) == sorted(VARIANTS[name]["args"])


@EACH
def test_vllm_runs_the_guides_entry_point(name: str) -> None:
    expected = ["python3", "-m", "vllm.entrypoints.openai.api_server"] if VARIANTS[name]["engine"] == "vllm" else None
    assert container(name).get("command") == expected


@EACH
def test_resources(name: str) -> None:
    facts = VARIANTS[name]
    for kind in ("requests", "limits"):
        assert container(name)["resources"][kind] == {**facts[kind], "nvidia.com/gpu": str(facts["gpus"])}


@EACH
def test_labels_and_replicas(name: str) -> None:
    deployment = objects("guide", "Deployment")[name]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    server = {"vllm": "vllm", "tgi": "text-generation-inference"}[VARIANTS[name]["engine"]]
    assert labels["app"] == COMMON["pod_labels"]["app"]
    assert labels["ai.gke.io/inference-server"] == server
    assert labels["ai.gke.io/model"] == VARIANTS[name]["model"].split("/")[1].lower()
    assert deployment["metadata"]["labels"]["l4serve.dev/recipe"] == name
    assert deployment["spec"]["replicas"] == COMMON["replicas"]


@EACH
def test_token_secret_and_key(name: str) -> None:
    token = COMMON["token"]
    expected = {"name": token["env"], "valueFrom": {"secretKeyRef": {"name": token["secret"], "key": token["key"]}}}
    assert expected in container(name)["env"]


@EACH
def test_shared_memory(name: str) -> None:
    mount, *_ = container(name)["volumeMounts"]
    volume, *_ = pod(name)["volumes"]
    assert mount == {"name": volume["name"], "mountPath": COMMON["shm"]["mount"]}
    assert volume["emptyDir"]["medium"] == COMMON["shm"]["emptyDir.medium"]


@EACH
def test_ports_and_service(name: str) -> None:
    (port,) = objects("guide", "Service")[name]["spec"]["ports"]
    service = COMMON["service"]
    assert (port["port"], port["targetPort"]) == (service["port"], service["targetPort"])
    assert objects("guide", "Service")[name]["spec"]["type"] == service["type"]
    environment = {e["name"]: e.get("value") for e in container(name)["env"]}
    assert environment.get("PORT") == ("8000" if VARIANTS[name]["engine"] == "tgi" else None)


@EACH
def test_gpu_nodes_are_selected_and_tolerated(name: str) -> None:
    assert COMMON["node_selector"].items() <= pod(name)["nodeSelector"].items()
    assert {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"} in pod(name)["tolerations"]


@EACH
def test_what_the_original_lacks(name: str) -> None:
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container(name)[probe]["httpGet"]["path"] == "/health"
    vllm = VARIANTS[name]["engine"] == "vllm"
    closed = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    assert container(name)["securityContext"] == closed | ({"readOnlyRootFilesystem": True} if vllm else {})
    assert pod(name)["enableServiceLinks"] is False
    environment = {e["name"]: e.get("value") for e in container(name)["env"]}
    library = environment.get("LD_LIBRARY_PATH")
    assert library == ("/usr/local/nvidia/lib64:/usr/local/cuda/lib64" if vllm else None)
    assert "$" not in json.dumps(container(name))


@EACH
def test_every_deviation_has_its_reason(name: str) -> None:
    deviations = recipes()[name].deviations
    assert len(deviations) >= 6
    assert all(d.what and d.why for d in deviations)
