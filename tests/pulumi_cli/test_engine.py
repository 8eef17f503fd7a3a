"""The real Pulumi engine and its Kubernetes provider on the program, against the sandbox's control plane."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import AppsV1Api, CoreV1Api, PolicyV1Api
from kubernetes.client.exceptions import ApiException

from l4serve.planning.stack import pending
from tests.pulumi_cli.conftest import SERVING, TOKEN, ControlPlane, Deployed, engine_on, serving_on

pytestmark = [pytest.mark.pulumi_cli, pytest.mark.timeout(900, func_only=True)]

SPACE = SERVING["namespace"]
SECOND_TOKEN = "hf_second_token_of_the_tests"
OBJECTS = ("Deployment", "Namespace", "Secret", "Service", "ServiceAccount")


def with_engine(**flags: Any) -> dict[str, Any]:
    """The workloads of the stack with other engine flags."""
    qwen = SERVING["workloads"]["qwen"]
    return {"qwen": {**qwen, "engine": {**qwen["engine"], **flags}}}


def template(deployed: Deployed) -> Any:
    return AppsV1Api(deployed.client).read_namespaced_deployment("qwen", SPACE).spec.template.spec


def secrets(deployed: Deployed) -> list[str]:
    return [secret.metadata.name for secret in CoreV1Api(deployed.client).list_namespaced_secret(SPACE).items]


def test_the_first_preview_shows_what_the_update_creates(deployed: Deployed) -> None:
    assert sorted(deployed.previewed.steps, key=repr) == sorted(deployed.created.steps, key=repr)
    assert {step.op for step in deployed.created.steps} == {"create"}
    assert {step.kind for step in deployed.created.steps} >= set(OBJECTS)


def test_the_pods_run_with_the_planned_command_line(deployed: Deployed) -> None:
    (pod,) = CoreV1Api(deployed.client).list_namespaced_pod(SPACE, field_selector="status.phase=Running").items
    assert pod.spec.node_name in ("one", "two", "three")
    assert "--max-model-len=8192" in pod.spec.containers[0].args


def test_nothing_is_left_to_do_before_and_after_a_refresh(deployed: Deployed) -> None:
    deployed.engine.configure(deployed.serving())
    deployed.engine.up()
    assert deployed.engine.preview().steps == ()
    assert deployed.engine.refresh().steps == ()
    assert deployed.engine.preview().steps == ()


def test_what_a_killed_update_was_making_is_adopted_in_its_state(deployed: Deployed) -> None:
    """As `l4serve doctor --adopt` does."""
    state = json.loads(deployed.engine.call("stack", "export").stdout)
    held = state["deployment"]["resources"]
    (service,) = (each for each in held if each["type"] == "kubernetes:core/v1:Service")
    begun = {key: value for key, value in service.items() if key not in ("id", "outputs", "created", "modified")}
    held.remove(service)
    state["deployment"]["pending_operations"] = [{"resource": begun, "type": "creating"}]
    deployed.engine.call("stack", "import", stdin=json.dumps(pending.adopted(state)))
    deployed.engine.refresh()
    assert deployed.engine.preview().steps == ()
    assert "pending_operations" not in json.loads(deployed.engine.call("stack", "export").stdout)["deployment"]


def test_the_outputs_say_how_to_reach_a_workload(deployed: Deployed) -> None:
    workloads = json.loads(deployed.engine.call("stack", "output", "workloads", "--json").stdout)
    assert workloads["qwen"]["url"] == f"http://qwen.{SPACE}.svc.cluster.local:8000"
    assert workloads["qwen"]["model"] == "Qwen/Qwen2.5-1.5B-Instruct"


def test_an_edited_flag_rolls_the_deployment_in_place(deployed: Deployed) -> None:
    before = AppsV1Api(deployed.client).read_namespaced_deployment("qwen", SPACE).metadata.uid
    deployed.engine.configure(deployed.serving(workloads=with_engine(maxModelLen=4096)))
    outcome = deployed.engine.up()
    assert [(step.op, step.kind) for step in outcome.steps] == [("update", "Deployment")]
    assert "--max-model-len=4096" in template(deployed).containers[0].args
    assert AppsV1Api(deployed.client).read_namespaced_deployment("qwen", SPACE).metadata.uid == before


def test_a_new_token_comes_before_the_old_one_goes(deployed: Deployed) -> None:
    assert secrets(deployed) == ["hf-secret-1"]
    deployed.engine.set_token(SECOND_TOKEN)
    deployed.engine.configure(deployed.serving(huggingFace={"tokenRevision": 2}))
    outcome = deployed.engine.up()
    order = [(step.op, step.kind) for step in outcome.steps if step.op != "replace"]
    assert order == [("create", "Secret"), ("update", "Deployment"), ("delete", "Secret")]
    assert secrets(deployed) == ["hf-secret-2"]
    held = CoreV1Api(deployed.client).read_namespaced_secret("hf-secret-2", SPACE).data["hf_api_token"]
    assert base64.b64decode(held).decode() == SECOND_TOKEN
    (reference,) = [v.value_from.secret_key_ref for v in template(deployed).containers[0].env if v.value_from]
    assert (reference.name, reference.key) == ("hf-secret-2", "hf_api_token")


BAD_NAME = {"Bad_Name": SERVING["workloads"]["qwen"], **with_engine(maxModelLenn=4096)}
REFUSED: tuple[tuple[dict[str, Any], tuple[str, ...]], ...] = (
    ({"workloads": BAD_NAME}, ("workloads.Bad_Name", "workloads.qwen.engine.maxModelLenn")),
    ({"workloads": with_engine(maxModelLen=999_999)}, ("workloads.qwen.engine.maxModelLen",)),
)


@pytest.mark.parametrize(("changes", "paths"), REFUSED, ids=["no such config", "no such context"])
def test_a_refused_config_is_read_as_a_sentence_and_touches_nothing(
    deployed: Deployed, changes: dict[str, Any], paths: tuple[str, ...]
) -> None:
    def versions() -> list[str]:
        found = AppsV1Api(deployed.client).list_namespaced_deployment(SPACE).items
        return [each.metadata.resource_version for each in found]

    before = versions()
    deployed.engine.configure(deployed.serving(**changes))
    for outcome in (deployed.engine.preview(refused=True), deployed.engine.up(refused=True)):
        assert all(path in outcome.errors for path in paths)
        assert "Traceback" not in outcome.output, outcome.output[outcome.output.index("Traceback") :][:3000]
        assert [step for step in outcome.steps if step.kind in OBJECTS] == []
    assert versions() == before


def test_a_gated_model_without_a_token_names_both_ways(control_plane: ControlPlane, tmp_path: Path) -> None:
    engine = engine_on(control_plane, tmp_path, "tokenless", quick=False)
    engine.configure(serving_on(control_plane.state.kubeconfig, namespace="llm-tokenless"))
    outcome = engine.preview(refused=True)
    assert "pulumi config set --secret hfToken" in outcome.errors
    assert "existingSecret" in outcome.errors
    assert "Traceback" not in outcome.output


def test_a_key_that_nobody_reads_is_refused_with_the_command_that_was_meant(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    engine = engine_on(control_plane, tmp_path, "mistaken")
    engine.configure(serving_on(control_plane.state.kubeconfig, namespace="llm-mistaken"))
    engine.call("config", "set", "serving.workloads.qwen.replicas", "2")
    engine.call("config", "set", "--secret", "hftoken", stdin=TOKEN)
    outcome = engine.preview(refused=True)
    assert "pulumi config set --path 'serving.workloads.qwen.replicas' VALUE" in outcome.errors
    assert "pulumi config set --secret hfToken" in outcome.errors
    assert "an unhandled error occurred" not in outcome.output
    assert TOKEN not in outcome.output


def test_the_token_is_plain_in_no_state_output_or_object(deployed: Deployed) -> None:
    exported = deployed.engine.call("stack", "export").stdout
    assert '"ciphertext"' in exported
    core, apps = CoreV1Api(deployed.client), AppsV1Api(deployed.client)
    objects = (
        core.list_namespaced_pod(SPACE), core.list_namespaced_event(SPACE), core.list_namespaced_config_map(SPACE),
        apps.list_namespaced_deployment(SPACE), apps.list_namespaced_replica_set(SPACE),
    )  # fmt: skip
    places = [exported, deployed.engine.config_file.read_text("utf-8"), *deployed.engine.outputs, *map(str, objects)]
    for token in (TOKEN, SECOND_TOKEN):
        for form in (token, base64.b64encode(token.encode()).decode()):
            assert not any(form in place for place in places)


def test_a_destroy_leaves_nothing_on_the_cluster_of_the_environment(
    deployed: Deployed, control_plane: ControlPlane, tmp_path: Path
) -> None:
    engine = engine_on(control_plane, tmp_path, "passing", quick=False)
    workloads = {"qwen": {**SERVING["workloads"]["qwen"], "replicas": 2}}
    engine.configure(SERVING | {"cluster": {"mode": "existing"}, "namespace": "llm-passing", "workloads": workloads})
    engine.set_token(TOKEN)
    engine.up()
    assert PolicyV1Api(control_plane.client).list_namespaced_pod_disruption_budget("llm-passing").items
    engine.destroy()
    with pytest.raises(ApiException) as gone:
        CoreV1Api(control_plane.client).read_namespace("llm-passing")
    assert gone.value.status == 404
    assert json.loads(engine.call("stack", "export").stdout)["deployment"].get("resources") is None
