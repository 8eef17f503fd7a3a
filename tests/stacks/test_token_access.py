"""Who may read the token where pods mount it: the driver asks for it as the account that the pod acts as."""

import pytest

from l4serve.cli.recording import Registration
from tests import factories
from tests.stacks.registered import rendered

GOOGLE = "llm-pods@my-project.iam.gserviceaccount.com"


def granted(delivery: str) -> set[str]:
    workloads = {"a": factories.workload(), "b": factories.workload(serviceAccount={"googleAccount": GOOGLE})}
    config = factories.serving(
        {**workloads, "c": factories.workload(serviceAccount={"googleAccount": GOOGLE})},
        cluster={**factories.STANDARD, "secretManager": True},
        huggingFace={"secretManager": {"secret": "hf", "delivery": delivery}},
    )
    _, registered = rendered(factories.loaded(config))
    return {_member(each) for each in registered if each.type == "gcp:secretmanager/secretIamMember:SecretIamMember"}


def _member(grant: Registration) -> str:
    member = grant.inputs["member"]
    return member if isinstance(member, str) and member.startswith("serviceAccount:") else "of Kubernetes"


@pytest.mark.parametrize(
    ("delivery", "members"), [("file", {"of Kubernetes", f"serviceAccount:{GOOGLE}"}), ("sync", {"of Kubernetes"})]
)
def test_pods_that_act_as_a_google_account_may_mount_the_token(delivery: str, members: set[str]) -> None:
    assert granted(delivery) == members
