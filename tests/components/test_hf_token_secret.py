"""The token reaches the cluster in one Secret's data, or by name from Secret Manager."""

from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pytest

from components.hf_token_secret import HfTokenSecret, HfTokenSecretArgs
from l4serve.config.keys.secrets import HuggingFace
from l4serve.config.refusals.problems import ConfigError
from l4serve.planning.gke.hf_token import SecretPlan, plan_secret
from tests.components.recorder import Recorded, Secret, by_type, only, record
from tests.factories import cluster_plan

BOTH = pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
TOKEN = "hf_notatoken"
SECRET = "kubernetes:core/v1:Secret"
PROVIDER_CLASS = "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass"
SYNC = "kubernetes:secret-sync.gke.io/v1:SecretSync"
ACCESS = "gcp:secretmanager/secretIamMember:SecretIamMember"


def secret_plan(**config: Any) -> SecretPlan:
    return plan_secret(HuggingFace.model_validate(config), project="my-project")


def run(plan: SecretPlan, *, preview: bool = False, token: str | None = TOKEN) -> tuple[list[Recorded], dict[str, Any]]:
    seen: dict[str, Any] = {}

    def program() -> None:
        provider = k8s.Provider("cluster", cluster_identifier="test")
        secret = HfTokenSecret(
            "hf-token",
            HfTokenSecretArgs(
                plan=plan,
                namespace="serving",
                token=None if token is None else pulumi.Output.from_input(token),
                project="my-project",
            ),
            pulumi.ResourceOptions(providers=[provider]),
        )
        secret.secret_name.apply(lambda name: seen.__setitem__("secret", name))
        secret.provider_class.apply(lambda name: seen.__setitem__("class", name))

    recorded = record(program, preview=preview, invoked=lambda token, arguments: {"number": "123456"})
    return recorded, seen


@BOTH
def test_the_token_is_marked_secret_and_lies_in_the_data_alone(preview: bool) -> None:
    recorded, seen = run(secret_plan(), preview=preview)
    secret = only(recorded, SECRET)
    assert secret.inputs["stringData"] == Secret({"hf_api_token": TOKEN})
    assert TOKEN not in repr({key: value for key, value in secret.inputs.items() if key != "stringData"})
    assert all(TOKEN not in repr(r.inputs) for r in recorded if r is not secret)
    assert secret.inputs["metadata"]["name"] == "hf-secret"
    assert secret.inputs["metadata"]["namespace"] == "serving"
    assert seen["secret"] == "hf-secret"


def test_a_revision_names_another_secret_so_that_the_new_one_comes_first() -> None:
    names = [secret_plan(**said).secret_name for said in ({}, {"tokenRevision": 1}, {"tokenRevision": 2})]
    assert names == ["hf-secret", "hf-secret-1", "hf-secret-2"]
    recorded, _ = run(secret_plan(tokenRevision=2))
    assert only(recorded, SECRET).inputs["metadata"]["name"] == "hf-secret-2"


def test_nothing_of_the_plan_or_the_names_is_derived_from_the_token() -> None:
    first, _ = run(secret_plan(tokenRevision=3), token=TOKEN)
    other, _ = run(secret_plan(tokenRevision=3), token="hf_another")
    assert [(r.name, r.inputs.get("metadata")) for r in first] == [(r.name, r.inputs.get("metadata")) for r in other]


@BOTH
def test_an_existing_secret_is_named_and_never_made(preview: bool) -> None:
    recorded, seen = run(secret_plan(existingSecret="mine", key="token"), preview=preview, token=None)
    assert by_type(recorded, SECRET) == []
    assert seen["secret"] == "mine"


@BOTH
def test_without_a_token_no_secret_is_made(preview: bool) -> None:
    recorded, seen = run(secret_plan(), preview=preview, token=None)
    assert by_type(recorded, SECRET) == []
    assert seen == {"secret": None, "class": None}


@BOTH
def test_secret_manager_is_synced_into_the_secret_that_pods_name(preview: bool) -> None:
    recorded, seen = run(secret_plan(secretManager={"secret": "hf", "version": "3"}), preview=preview, token=None)
    source, sync = only(recorded, PROVIDER_CLASS), only(recorded, SYNC)
    assert source.inputs["spec"]["provider"] == "gke"
    assert "projects/my-project/secrets/hf/versions/3" in source.inputs["spec"]["parameters"]["secrets"]
    assert sync.inputs["metadata"]["name"] == "hf-secret-synced"
    assert sync.inputs["spec"]["secretProviderClassName"] == source.inputs["metadata"]["name"]
    assert sync.inputs["spec"]["secretObject"]["data"] == [{"sourcePath": "hf_api_token", "targetKey": "hf_api_token"}]
    assert by_type(recorded, SECRET) == []
    assert seen["secret"] == "hf-secret-synced"
    assert only(recorded, ACCESS).urn in sync.dependencies


def test_the_sync_alone_may_read_the_secret() -> None:
    recorded, _ = run(secret_plan(secretManager={"secret": "projects/vault/secrets/hf"}), token=None)
    access = only(recorded, ACCESS).inputs
    assert access["secretId"] == "projects/vault/secrets/hf"
    assert access["role"] == "roles/secretmanager.secretAccessor"
    assert access["member"] == (
        "principal://iam.googleapis.com/projects/123456/locations/global/workloadIdentityPools/"
        "my-project.svc.id.goog/subject/ns/serving/sa/hf-secret-reader"
    )


def test_a_mounted_file_needs_no_kubernetes_secret() -> None:
    plan = secret_plan(secretManager={"secret": "hf", "delivery": "file"})
    recorded, seen = run(plan, token=None)
    assert plan.token_file == "/var/run/secrets/huggingface/hf_api_token"
    assert seen == {"secret": None, "class": "hf-secret-source"}
    assert by_type(recorded, SYNC) == []
    assert only(recorded, ACCESS).inputs["member"].endswith("my-project.svc.id.goog/namespace/serving")


def test_access_may_be_left_to_others() -> None:
    recorded, _ = run(secret_plan(secretManager={"secret": "hf", "manageAccess": False}), token=None)
    assert by_type(recorded, ACCESS) == []


FILE = {"secret": "hf", "delivery": "file"}


@pytest.mark.parametrize(
    ("cluster", "manager", "tgi", "path"),
    [
        ({}, {"secret": "hf"}, (), "huggingFace.secretManager"),
        ({"secretManager": True}, {"secret": "hf"}, ("a",), None),
        ({"secretManager": True}, FILE, (), None),
        ({"secretManager": True}, FILE, ("a",), "huggingFace.secretManager.delivery"),
    ],
)
def test_what_cannot_deliver_the_token_is_refused(
    cluster: dict[str, Any], manager: dict[str, str], tgi: tuple[str, ...], path: str | None
) -> None:
    config = HuggingFace.model_validate({"secretManager": manager})
    if path is None:
        assert plan_secret(config, project="p", cluster=cluster_plan(**cluster), env_only=tgi)
        return
    with pytest.raises(ConfigError) as caught:
        plan_secret(config, project="p", cluster=cluster_plan(**cluster), env_only=tgi)
    assert [problem.path for problem in caught.value.problems] == [path]


@pytest.mark.parametrize(
    "config",
    [
        {"existingSecret": "a", "secretManager": {"secret": "b"}},
        {"existingSecret": "a", "tokenRevision": 2},
        {"secretManager": {"secret": "b", "version": "0"}},
        {"key": "a/b"},
    ],
)
def test_contradictions_are_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        HuggingFace.model_validate(config)
