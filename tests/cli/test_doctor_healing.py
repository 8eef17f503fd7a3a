"""l4serve doctor: the command that heals a stack whose update was killed."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from l4serve.cli.app import app
from l4serve.cli.commands.doctor_command import MOST_STATE_BYTES
from l4serve.cli.commands.render_command import render_stack
from l4serve.config.data_file import load_data
from l4serve.planning.stack import pending
from l4serve.planning.stack.pending import HEALING, READING
from tests.factories import loaded
from tests.sandbox.test_every_option import every_option

URN = "urn:pulumi:dev::gke-llm-serving::"
CLUSTER: dict[str, Any] = {
    "urn": f"{URN}gcp:container/cluster:Cluster::cluster-cluster",
    "type": "gcp:container/cluster:Cluster",
    "inputs": {"project": "p", "location": "us-central1-a", "name": "llm-dev"},
}
CLUSTER_ID = "projects/p/locations/us-central1-a/clusters/llm-dev"
NAMESPACE = {
    "urn": f"{URN}kubernetes:core/v1:Namespace::namespace",
    "type": "kubernetes:core/v1:Namespace",
    "inputs": {"metadata": {"name": "llm"}},
}
DEPLOYMENT = {
    "urn": f"{URN}l4serve:serving:InferenceService$kubernetes:apps/v1:Deployment::llm/chat-deployment",
    "type": "kubernetes:apps/v1:Deployment",
    "inputs": {"metadata": {"namespace": "llm", "name": "chat"}, "spec": {}},
}
CLASS = {
    "urn": f"{URN}kubernetes:cloud.google.com/v1:ComputeClass::l4",
    "type": "kubernetes:cloud.google.com/v1:ComputeClass",
    "inputs": {"metadata": {"name": "l4"}},
}
ACCOUNT = {
    "urn": f"{URN}gcp:serviceaccount/account:Account::nodes-account",
    "type": "gcp:serviceaccount/account:Account",
    "inputs": {"project": "p", "accountId": "llm-nodes"},
}


def state(*resources: dict[str, Any], kind: str = "creating") -> dict[str, Any]:
    pending = [{"resource": each, "type": kind} for each in resources]
    return {"version": 3, "deployment": {"manifest": {}, "pending_operations": pending}}


def doctor(document: Any) -> tuple[int, str]:
    text = document if isinstance(document, str) else json.dumps(document)
    result = CliRunner().invoke(app, ["doctor"], input=text)
    return result.exit_code, result.output


def unseen(resource: dict[str, Any]) -> dict[str, Any]:
    """What the state of an object says that a killed update was making: what was asked for, and to do it again."""
    outputs = {**resource["inputs"], "__inputs": resource["inputs"]}
    return {"outputs": outputs, "initErrors": [pending._APPLIED_AGAIN]}


def adopted(document: Any) -> Any:
    result = CliRunner().invoke(app, ["doctor", "--adopt"], input=json.dumps(document))
    assert result.exit_code == 0
    return json.loads(result.stdout)["deployment"]


def test_what_google_made_is_adopted_and_the_rest_made_again() -> None:
    code, said = doctor(state(CLUSTER, NAMESPACE, ACCOUNT))
    assert code == 1
    assert f"{CLUSTER['urn']}\n    adopted as {CLUSTER_ID}" in said
    assert "projects/p/serviceAccounts/llm-nodes@p.iam.gserviceaccount.com" in said
    assert f"{NAMESPACE['urn']}\n    made again by pulumi up" in said
    assert f"Heal it with: pulumi cancel; {HEALING}" in said
    assert "pulumi destroy in place of pulumi up" in said


def test_what_kubernetes_made_is_adopted_so_that_an_update_back_deletes_it() -> None:
    code, said = doctor(state(DEPLOYMENT, CLASS))
    assert code == 1
    assert f"{DEPLOYMENT['urn']}\n    adopted as llm/chat\n" in said
    assert f"{CLASS['urn']}\n    adopted as l4\n" in said
    assert adopted(state(DEPLOYMENT, CLASS)) == {
        "manifest": {},
        "resources": [{**DEPLOYMENT, "id": "llm/chat", **unseen(DEPLOYMENT)}, {**CLASS, "id": "l4", **unseen(CLASS)}],
        "pending_operations": [],
    }


def test_a_namespace_that_may_be_somebody_elses_is_not_adopted() -> None:
    _, said = doctor(state(NAMESPACE))
    assert "to go back without it, if it is this stack's: kubectl delete namespace llm" in said
    assert adopted(state(NAMESPACE))["resources"] == []


@pytest.mark.parametrize("metadata", [None, "x", [], {}, {"namespace": "llm"}], ids=str)
def test_a_kubernetes_object_without_a_name_is_made_again(metadata: Any) -> None:
    code, said = doctor(state({**DEPLOYMENT, "inputs": {"metadata": metadata}}))
    assert code == 1
    assert "made again by pulumi up" in said


@pytest.mark.parametrize(
    ("resource", "kind", "remedy"),
    [(DEPLOYMENT, "updating", HEALING), (DEPLOYMENT, "deleting", READING), (CLUSTER, "updating", READING)],
    ids=["updated", "deleted", "Google's"],
)
def test_what_a_killed_update_changed_is_to_be_read_again(resource: dict[str, Any], kind: str, remedy: str) -> None:
    code, said = doctor(state(resource, kind=kind))
    assert code == 1
    assert f"{resource['urn']}\n    read again by pulumi refresh" in said
    assert f"Heal it with: pulumi cancel; {remedy}\n" in said
    assert "Nothing is pending" not in said


def test_what_a_killed_update_asked_for_is_in_the_adopted_state_so_that_a_refresh_reads_what_it_added() -> None:
    old = {"metadata": {"name": "old"}, "spec": {"replicas": 1}}
    held = [{**each, "id": "x", "inputs": old, "outputs": old} for each in (DEPLOYMENT, ACCOUNT)]
    replaced = {**held[0], "delete": True}
    document = state(DEPLOYMENT, ACCOUNT, kind="updating")
    document["deployment"]["resources"] = [*held, replaced]
    assert adopted(document)["resources"] == [{**held[0], "inputs": DEPLOYMENT["inputs"]}, held[1], replaced]


DISK = {
    "urn": f"{URN}gcp:compute/disk:Disk::chat-weights-fill",
    "type": "gcp:compute/disk:Disk",
    "inputs": {"project": "p", "zone": "us-central1-a", "name": "chat-weights-fill-6182cbc"},
}
POLICY = {
    "urn": f"{URN}gcp:monitoring/alertPolicy:AlertPolicy::chat-alerts-idle",
    "type": "gcp:monitoring/alertPolicy:AlertPolicy",
    "inputs": {"project": "p", "displayName": "llm/chat: idle"},
}


def test_a_disk_whose_next_name_would_be_another_is_adopted() -> None:
    assert (
        adopted(state(DISK))["resources"][0]["id"] == "projects/p/zones/us-central1-a/disks/chat-weights-fill-6182cbc"
    )


def test_what_cloud_monitoring_has_named_itself_may_have_a_twin() -> None:
    _, said = doctor(state(POLICY))
    wanted = "gcloud monitoring policies list --project p --filter 'displayName=\"llm/chat: idle\"'"
    assert f"made again by pulumi up; then delete a twin, if there is one: {wanted}" in " ".join(said.split())


def test_every_cloud_resource_is_adopted_made_again_without_harm_or_told_to_have_a_twin() -> None:
    made = render_stack(loaded({**every_option(), "monitoring": {"alerts": {"via": "policies"}, "dashboard": True}}))
    held = load_data(pending.__file__, "import_ids.yaml")
    harmless = {"BucketIAMMember", "IAMMember", "RouterNatAddress", "SecretIamMember", "Service"}
    others = {each["type"] for each in made.cloud} - held["ids"].keys() - held["twins"].keys()
    assert {each.rsplit(":", 1)[-1] for each in others} == harmless


def test_the_adopted_state_holds_what_was_made_under_its_id_and_its_inputs() -> None:
    """As outputs too: Google's provider imports what has none, and destroys no cluster that it has imported."""
    document = state(CLUSTER, NAMESPACE)
    first = {"urn": f"{URN}pulumi:pulumi:Stack::s", "type": "pulumi:pulumi:Stack"}
    document["deployment"]["resources"] = [first]
    document["deployment"]["pending_operations"].append({"resource": ACCOUNT, "type": "deleting"})
    assert adopted(document) == {
        "manifest": {},
        "resources": [first, {**CLUSTER, "id": CLUSTER_ID, "outputs": CLUSTER["inputs"]}],
        "pending_operations": [{"resource": ACCOUNT, "type": "deleting"}],
    }


def test_the_pool_that_a_cluster_begins_with_is_removed_by_the_next_update() -> None:
    """A create removes it last: it stays where the provider ended with its CLI, and a refresh asks nobody of it."""
    begun = {**CLUSTER, "inputs": {**CLUSTER["inputs"], "removeDefaultNodePool": True}}
    (found,) = adopted(state(begun))["resources"]
    assert found["inputs"] == begun["inputs"]
    assert found["outputs"] == CLUSTER["inputs"]


@pytest.mark.parametrize(("old", "after"), [({}, [{"delete": True}]), ({"pendingReplacement": True}, [])], ids=str)
def test_what_was_being_replaced_stays_only_to_be_deleted(old: dict[str, Any], after: list[dict[str, Any]]) -> None:
    document, held = state(CLUSTER), {**CLUSTER, "id": "old", **old}
    document["deployment"]["resources"] = [{**held, "delete": True}, held, {**NAMESPACE, "id": "n"}]
    found = adopted(document)["resources"]
    assert found == [
        {**held, "delete": True},
        {**CLUSTER, "id": CLUSTER_ID, "outputs": CLUSTER["inputs"]},
        *({**held, **each} for each in after),
        {**NAMESPACE, "id": "n"},
    ]


def test_what_a_destroy_has_left_since_is_told_with_what_ends_it() -> None:
    """A state that refers to a provider that it has no more is imported by no CLI."""
    provider = f"{URN}pulumi:providers:gcp::default_10_2_0"
    document = state({**CLUSTER, "provider": f"{provider}::an-id"})
    code, said = doctor(document)
    assert code == 1
    ends = "gcloud container clusters delete llm-dev --location us-central1-a --project p"
    assert f"left by a destroy since; delete it, if it is there: {ends}" in " ".join(said.split())
    assert adopted(document) == {"manifest": {}, "resources": [], "pending_operations": []}
    document["deployment"]["resources"] = [{"urn": provider, "type": "pulumi:providers:gcp"}]
    assert f"adopted as {CLUSTER_ID}" in doctor(document)[1]


def test_a_state_without_creates_is_adopted_as_it_is() -> None:
    document = state(ACCOUNT, kind="updating")
    assert adopted(document) == {**document["deployment"], "resources": []}


def test_only_an_exported_state_is_adopted() -> None:
    assert CliRunner().invoke(app, ["doctor", "-s", "dev", "--adopt"]).exit_code == 2
    assert CliRunner().invoke(app, ["doctor", "--adopt"], input="{}").stdout == ""


@pytest.mark.parametrize(
    "deployment",
    [
        {"resources": [1], "pending_operations": []},
        {"resources": {"a": 1}},
        {"resources": [{"urn": []}]},
        {"resources": [{}]},
        {"pending_operations": [{"resource": {**CLUSTER, "inputs": [1]}, "type": "creating"}]},
        {"pending_operations": [{"resource": {**CLUSTER, "inputs": "a"}, "type": "creating"}]},
    ],
    ids=str,
)
def test_a_state_of_odd_parts_is_refused_as_none(deployment: Any) -> None:
    for options in ((), ("--adopt",)):
        done = CliRunner().invoke(app, ["doctor", *options], input=json.dumps({"deployment": deployment}))
        assert done.exit_code == 2
        assert "what pulumi stack export writes" in done.output


def test_a_create_whose_inputs_do_not_name_it_is_made_again() -> None:
    _, said = doctor(state({**CLUSTER, "inputs": {"name": "llm-dev"}}))
    assert "made again by pulumi up" in said


def test_a_state_without_pending_operations_needs_nothing() -> None:
    for document in (state(), state(CLUSTER, kind="reading"), {"deployment": {"pending_operations": None}}):
        assert doctor(document)[0] == 0


def test_what_is_no_state_is_refused_readably(tmp_path: Path) -> None:
    for text in ("[]", "{}", "nonsense"):
        code, said = doctor(text)
        assert (code, "Traceback" in said) == (2, False)
    assert CliRunner().invoke(app, ["doctor", str(tmp_path / "none")]).exit_code == 2


@pytest.mark.parametrize("name", ["pipe", "endless", "large", "folder", "absent"])
def test_only_a_bounded_regular_file_is_read(tmp_path: Path, name: str) -> None:
    file = tmp_path / "state.json"
    match name:
        case "pipe":
            os.mkfifo(file)
        case "endless":
            file.symlink_to("/dev/zero")
        case "large":
            file.write_bytes(b" " * (MOST_STATE_BYTES + 1))
        case "folder":
            file.mkdir()
    result = CliRunner().invoke(app, ["doctor", str(file)])
    assert result.exit_code == 2
    assert "error: " in result.output


def test_standard_input_is_bounded_too() -> None:
    code, said = doctor(" " * (MOST_STATE_BYTES + 1))
    assert code == 2
    assert "larger than 8 MiB" in said


@pytest.mark.parametrize("resource", [None, {"type": "creating"}, {"type": "creating", "resource": 5}, "x"], ids=str)
def test_pending_operations_of_another_form_are_refused(resource: Any) -> None:
    code, said = doctor({"deployment": {"pending_operations": [resource]}})
    assert code == 2
    assert "pulumi stack export" in said


def test_what_a_state_names_acts_on_no_terminal() -> None:
    acting = "\x1b[31m\n::error ::y"
    code, said = doctor(
        state({**NAMESPACE, "urn": acting}, {**CLUSTER, "inputs": {**CLUSTER["inputs"], "name": acting}})
    )
    assert code == 1
    assert "\x1b" not in said
    assert not any(line.startswith("::") for line in said.splitlines())
