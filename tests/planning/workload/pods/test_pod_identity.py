"""The identity of the pods: what it may do, and what nobody could grant."""

from typing import Any

import pytest

from l4serve.config.refusals.problems import ConfigError
from tests import factories

GOOGLE = "llm-pods@my-project.iam.gserviceaccount.com"


def refusal(config: dict[str, Any], **options: Any) -> str:
    serving = factories.serving({"qwen": factories.workload(serviceAccount=config)}, cluster=factories.EXISTING)
    with pytest.raises(ConfigError) as refused:
        factories.planned(serving, **options)
    return str(refused.value)


def test_a_plain_workload_grants_nothing() -> None:
    (workload,) = factories.planned(factories.serving()).workloads
    identity = workload.identity
    assert (identity.account, identity.create, identity.google_account) == ("qwen", True, None)


@pytest.mark.parametrize("config", [{"googleAccount": GOOGLE}, {"buckets": {"models": "read"}}])
def test_roles_want_a_project(config: dict[str, Any]) -> None:
    assert "set gcp:project" in refusal(config, project=None)


def test_an_account_of_others_is_not_annotated() -> None:
    assert "annotate it with iam.gke.io/gcp-service-account yourself" in refusal(
        {"name": "mine", "googleAccount": GOOGLE}
    )


@pytest.mark.parametrize(
    ("account", "project"),
    [
        (GOOGLE, "my-project"),
        ("123456789-compute@developer.gserviceaccount.com", "123456789"),
        ("my-project@appspot.gserviceaccount.com", "my-project"),
        ("my-project.example.com@appspot.gserviceaccount.com", "example.com:my-project"),
        ("service-team@my-project.iam.gserviceaccount.com", "my-project"),
        ("llm-pods@my-project.example.com.iam.gserviceaccount.com", "example.com:my-project"),
    ],
)
def test_pods_act_as_any_account_that_a_project_has(account: str, project: str) -> None:
    serving = factories.serving({"qwen": factories.workload(serviceAccount={"googleAccount": account})})
    (workload,) = factories.planned(serving).workloads
    assert workload.identity.google_project == project


@pytest.mark.parametrize("account", ["me@example.com", "pods@my-project.iam.gserviceaccount.com", "1@developer"])
def test_what_is_no_service_account_is_told_with_the_forms_of_one(account: str) -> None:
    said = refusal({"googleAccount": account})
    assert "NAME@PROJECT.iam.gserviceaccount.com" in said and "NUMBER-compute@developer" in said


@pytest.mark.parametrize(
    "before", ["serviceAccount:", "projects/my-project/serviceAccounts/", "projects/-/serviceAccounts/"]
)
def test_an_account_as_policies_write_it_is_told_without_that(before: str) -> None:
    assert f"write it as {GOOGLE}" in refusal({"googleAccount": f"{before}{GOOGLE}"})


@pytest.mark.parametrize("service", ["container-engine-robot", "gcp-sa-aiplatform", "compute-system"])
def test_an_agent_of_google_is_nobodys_to_act_as(service: str) -> None:
    said = refusal({"googleAccount": f"service-123456789012@{service}.iam.gserviceaccount.com"})
    assert "is a service agent" in said and "name a service account that you made" in said
