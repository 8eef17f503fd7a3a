"""Rights of the login where Google Cloud names a project by number, in projects of others, and on buckets."""

from typing import Any

import pytest

from l4serve.verification.doctor_cloud import cloud_findings
from l4serve.verification.doctor_finding import Finding
from tests import factories
from tests.verification.google_stand_in import Answers, google
from tests.verification.test_doctor import PERMISSIONS, answers, asked

NUMBER = "123456789012"
ACCOUNTS = "iam.serviceAccounts.setIamPolicy"
SECRETS = "secretmanager.secrets.setIamPolicy"
BUCKET = "/storage/b/{}/iam/testPermissions"


def numbered(**fields: Any) -> Answers:
    """What Google answers where it tells the number of the project too."""
    documents = answers(**fields)
    documents["/projects/projects/my-project"] |= {"projectId": "my-project", "projectNumber": NUMBER}
    return documents


def planned(source: Any = None, **workload: Any) -> Any:
    return factories.planned(factories.serving({"chat": sourced(source, **workload)}))


def sourced(source: Any, **workload: Any) -> Any:
    chat = factories.workload(**workload)
    chat["model"] |= {"source": source} if source else {}
    return chat


def acting_as(account: str) -> Any:
    return planned(serviceAccount={"googleAccount": account})


def with_secret(secret: str) -> Any:
    chat = factories.workload(apiKey={"secretManager": {"secret": secret}})
    cluster = {**factories.ZONAL, "secretManager": True}
    return factories.planned(factories.serving({"chat": chat}, cluster=cluster))


@pytest.mark.parametrize(
    ("of", "permission"),
    [
        (acting_as(f"{NUMBER}-compute@developer.gserviceaccount.com"), ACCOUNTS),
        (acting_as("my-project@appspot.gserviceaccount.com"), ACCOUNTS),
        (with_secret(f"projects/{NUMBER}/secrets/chat-key"), SECRETS),
    ],
    ids=["account of Compute Engine", "account of App Engine", "secret by number"],
)
def test_a_project_that_is_named_by_number_is_the_stacks_own(of: Any, permission: str) -> None:
    found = asked(numbered(), of)
    assert permission in found["roles"].text
    assert found["roles"].verdict == "bad"
    found = asked(numbered(allowed=[*PERMISSIONS, permission]), of)
    assert found["roles"].verdict == "ok"
    assert not [subject for subject in found if subject.startswith("roles in")]


def test_a_stack_that_names_its_project_by_number_knows_its_accounts() -> None:
    documents = {path.replace("projects/my-project", f"projects/{NUMBER}"): each for path, each in numbered().items()}
    with google(documents) as apis:
        of = acting_as("llm-pods@my-project.iam.gserviceaccount.com")
        found = {each.subject: each for each in cloud_findings(of, NUMBER, apis)}
    assert ACCOUNTS in found["roles"].text


@pytest.mark.parametrize(
    ("of", "permission", "role"),
    [
        (acting_as("llm-pods@team-b.iam.gserviceaccount.com"), ACCOUNTS, "roles/iam.serviceAccountAdmin"),
        (with_secret("projects/team-b/secrets/chat-key"), SECRETS, "roles/secretmanager.admin"),
    ],
    ids=["account", "secret"],
)
def test_what_lies_in_another_project_takes_rights_there(of: Any, permission: str, role: str) -> None:
    path = "/projects/projects/team-b:testIamPermissions"
    for document, verdict in ({"permissions": [permission]}, "ok"), ({}, "bad"), (None, "unknown"):
        found = asked(numbered() | ({path: document} if document is not None else {}), of)
        there = found["roles in team-b"]
        assert (found["roles"].verdict, there.verdict) == ("ok", verdict)
        assert verdict == "ok" or there.remedy == f"grant {role} on project team-b"


def on_bucket(bucket: str, of: Any, *permissions: str) -> Finding:
    return asked(numbered() | {BUCKET.format(bucket): {"permissions": [*permissions]}}, of)[f"bucket {bucket}"]


FROM_BUCKET = {"kind": "bucket", "uri": "gs://models/chat"}
ADAPTER = {"lora": {"adapters": [{"name": "tuned", "path": "gs://tuned/a"}]}}


def test_a_bucket_of_the_weights_names_the_key_that_leaves_it_to_the_user_and_the_order() -> None:
    found = on_bucket("models", planned(FROM_BUCKET))
    assert found.remedy == (
        "grant roles/storage.admin on gs://models to the login, or set workloads.chat.model.source.manageAccess: "
        "false, then pulumi up, then grant roles/storage.objectViewer to llm-serving/chat on gs://models yourself"
    )
    assert "roles/storage.objectViewer" in found.text


@pytest.mark.parametrize(("use", "role"), [("read", "objectViewer"), ("write", "objectUser")])
def test_a_bucket_of_a_service_account_has_no_such_key(use: str, role: str) -> None:
    of = planned(serviceAccount={"buckets": {"logs": use}})
    found = on_bucket("logs", of)
    assert f"by which the pods get roles/storage.{role}" in found.text
    assert "manageAccess" not in found.remedy
    assert (
        f"or remove workloads.chat.serviceAccount.buckets.logs, then pulumi up, then grant roles/storage.{role} to "
        in found.remedy
    )
    held = on_bucket("logs", of, "storage.buckets.setIamPolicy")
    assert (held.verdict, held.text) == ("ok", f"the login may grant roles/storage.{role}")


def test_a_bucket_of_adapters_has_the_key_of_the_weights_or_none() -> None:
    assert on_bucket("tuned", planned(engine=ADAPTER)).remedy == "grant roles/storage.admin on gs://tuned to the login"
    assert (
        "set workloads.chat.model.source.manageAccess"
        in on_bucket("tuned", planned(FROM_BUCKET, engine=ADAPTER)).remedy
    )


def test_a_bucket_of_two_workloads_takes_both_edits() -> None:
    reads = sourced(FROM_BUCKET)
    writes = factories.workload(serviceAccount={"buckets": {"models": "write"}})
    fix = on_bucket("models", factories.planned(factories.serving({"chat": reads, "logs": writes}))).remedy
    assert (
        "or set workloads.chat.model.source.manageAccess: false and "
        "remove workloads.logs.serviceAccount.buckets.models, then pulumi up, then "
        "grant roles/storage.objectViewer to llm-serving/chat and roles/storage.objectUser to llm-serving/logs on "
    ) in fix
