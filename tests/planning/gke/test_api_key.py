"""The key that clients send, from Pulumi's config, a Secret or Secret Manager: where it lies, and what is refused."""

import json
from typing import Any

import pytest

from l4serve.cli.commands.render_command import Rendered
from l4serve.cli.recording import SECRET_MARKER
from l4serve.cli.shell.output import safe_text
from l4serve.config.refusals.problems import ConfigError
from l4serve.config.stack_file import PROJECT, SERVING_KEY, parse_stack
from l4serve.planning.stack.stack_planner import plan_stack
from tests import factories
from tests.stack_cases import made

SEALED = {"secure": "v1:abc"}
MANAGED = {**factories.ZONAL, "secretManager": True}


def serving(key: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return factories.serving({"chat": factories.workload(apiKey=key)}, **fields)


def rendered(key: dict[str, Any], **fields: Any) -> Rendered:
    return made(serving(key, **fields))


def variable(found: Rendered) -> dict[str, Any]:
    (deployment,) = [each for each in found.objects if each["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    (found_in,) = [each for each in container["env"] if each["name"] == "VLLM_API_KEY"]
    reference: dict[str, Any] = found_in["valueFrom"]["secretKeyRef"]
    return reference


def parsed(more: dict[str, Any], key: dict[str, Any]) -> Any:
    config = {SERVING_KEY: serving(key), "gcp:project": "my-project", **more}
    return parse_stack("made", config, base=factories.ROOT)


def refusal(more: dict[str, Any], key: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as refused:
        parsed(more, key)
    return str(refused.value)


def test_a_secret_of_the_config_becomes_a_secret_of_the_namespace_and_stands_nowhere_else() -> None:
    found = rendered({"config": "chatKey"})
    assert variable(found) == {"name": "chat-api-key", "key": "api-key"}
    (secret,) = [each for each in found.objects if each["kind"] == "Secret"]
    assert secret["metadata"]["name"] == "chat-api-key"
    assert secret["stringData"] == {"api-key": SECRET_MARKER}
    assert "placeholder-for-a-key" not in json.dumps([found.objects, found.cloud, found.outputs])
    deployment = next(each for each in found.objects if each["kind"] == "Deployment")
    assert not any("key" in argument for argument in deployment["spec"]["template"]["spec"]["containers"][0]["args"])


def test_a_new_revision_is_a_new_secret_which_rolls_the_pods() -> None:
    assert variable(rendered({"config": "chatKey", "revision": 2}))["name"] == "chat-api-key-2"


def test_secret_manager_is_copied_into_a_secret() -> None:
    found = rendered({"secretManager": {"secret": "chat", "version": "3"}}, cluster=MANAGED)
    kinds = {each["kind"]: each for each in found.objects}
    assert variable(found)["name"] == kinds["SecretSync"]["metadata"]["name"] == "chat-api-key-synced"
    assert variable(rendered({"config": "chatKey"}))["name"] != variable(found)["name"], (
        "an update goes from one to the other"
    )
    listing = kinds["SecretProviderClass"]["spec"]["parameters"]["secrets"]
    assert "projects/my-project/secrets/chat/versions/3" in listing
    (grant,) = [each for each in found.cloud if "secretmanager" in each["type"]]
    assert grant["name"] == "llm-serving/chat-api-key/my-project/chat-reader-access"
    assert grant["inputs"]["member"].endswith("/sa/chat-api-key-reader")
    assert "Secret" not in kinds


def test_secret_manager_needs_its_sync_in_the_cluster() -> None:
    with pytest.raises(ConfigError) as refused:
        factories.planned(serving({"secretManager": {"secret": "chat"}}))
    assert "set cluster.secretManager: true" in str(refused.value)


def test_a_secret_that_is_there_is_named_and_not_made() -> None:
    found = rendered({"secret": "kept"})
    assert variable(found) == {"name": "kept", "key": "api-key"}
    assert not [each for each in found.objects if each["kind"] == "Secret"]


def test_the_file_may_hold_the_encrypted_key_and_nothing_else() -> None:
    name, key = f"{PROJECT}:chatKey", {"config": "chatKey"}
    assert set(parsed({name: SEALED}, key).secrets) == {"chatKey"}
    told = refusal({name: "hunter22-not-a-real-one"}, key)
    assert "pulumi config set --secret chatKey" in told and "hunter22" not in told
    assert "no such key" in refusal({f"{PROJECT}:otherKey": SEALED}, key)


def test_a_missing_key_is_told_in_the_plan() -> None:
    key = {"config": "chatKey"}
    (note,) = [note for note in plan_stack(parsed({}, key)).notes if note.id == "key-missing"]
    assert note.level == "will fail" and "pulumi config set --secret chatKey" in note.text
    assert not [
        note for note in plan_stack(parsed({f"{PROJECT}:chatKey": SEALED}, key)).notes if "chatKey" in note.text
    ]


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ({}, "no place of the key is named"),
        ({"secret": "a", "config": "b"}, "remove all but one"),
        ({"secret": "a", "revision": 2}, "remove it"),
        ({"config": "hfToken"}, "another key of this project"),
        ({"config": "with space"}, "apiKey.config"),
    ],
)
def test_what_names_no_one_place_is_refused(key: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        factories.loaded(serving(key))
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("fields", "workload", "path"),
    [
        ({"huggingFace": {"secretManager": {"secret": "hub"}}}, {}, "huggingFace.secretManager.secret"),
        ({}, {"apiKey": {"secretManager": {"secret": "key"}}}, "workloads.qwen.apiKey.secretManager.secret"),
        (
            {},
            {"apiKey": {"secretManager": {"secret": "projects/p/secrets/key"}}},
            "workloads.qwen.apiKey.secretManager.manageAccess",
        ),
        ({}, {"serviceAccount": {"buckets": {"models": "read"}}}, "workloads.qwen.serviceAccount.buckets"),
    ],
)
def test_a_secret_or_a_role_of_no_project_is_refused(
    fields: dict[str, Any], workload: dict[str, Any], path: str
) -> None:
    serving = factories.serving({"qwen": factories.workload(**workload)}, cluster=factories.EXISTING, **fields)
    with pytest.raises(ConfigError) as refused:
        factories.planned(serving, project=None)
    assert [(p.path, p.remedy) for p in refused.value.problems] == [(path, "set gcp:project")]
    named = factories.planned(serving, project="my-project")
    secrets = [w.engine.key_source for w in named.workloads] + [named.secret]
    assert all("projects/-/" not in (secret.secret_version or "") for secret in secrets if secret)


@pytest.mark.parametrize("version", ["2.0.0", "2.2.0"])
def test_a_release_that_asks_for_no_key_is_named_in_its_refusal(version: str) -> None:
    """What follows `apiKey:` is hidden as if it were the key, so the release's name comes later."""
    engine = {"kind": "tgi", "version": version, "maxModelLen": None, "maxTotalTokens": 4096}
    chat = factories.workload(engine=engine, apiKey={"secret": "kept"})
    with pytest.raises(ConfigError) as refused:
        factories.planned(factories.serving({"chat": chat}))
    assert f"tgi-{version} asks for no key" in safe_text(str(refused.value))
