"""The identity of the pods: what it may do, and what nobody could grant."""

from typing import Any

import pytest

from l4serve.config.problems import ConfigError
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
