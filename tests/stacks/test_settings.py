"""Inside Pulumi: the loader reads Pulumi's config, and every refusal is a readable run error."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from l4serve.cli.recording import record_program
from stacks import serving as serving_module
from stacks.settings import REASONS_SHOWN
from tests.config.wrong_configs import GOOD
from tests.factories import POOL, planned, serving, workload

ROOT = Path(__file__).resolve().parents[2]
SERVING, TOKEN = "gke-llm-serving:serving", "gke-llm-serving:hfToken"
GATED = {"workloads": {"gemma": {"recipe": "vllm-7b-token"}}}


def run(
    config_object: Any, *, token: str | None = None, secrets: tuple[str, ...] = (TOKEN,), **more: str
) -> Mapping[str, Any]:
    config = {SERVING: config_object if isinstance(config_object, str) else json.dumps(config_object), **more}
    if token is not None:
        config[TOKEN] = token
    recorded = record_program(
        ROOT / "__main__.py", project="gke-llm-serving", stack="test", base=ROOT, config=config, secrets=secrets
    )
    return {r.name: r for r in recorded.registrations}


def test_a_good_config_builds() -> None:
    assert "llm-serving/qwen-deployment" in run(GOOD)


def test_every_problem_stands_in_one_run_error() -> None:
    wrong = {**GOOD, "cluster": {"mode": "moon"}, "nodePool": {}}
    with pytest.raises(pulumi.RunError) as refusal:
        run(wrong)
    assert "2 problems" in str(refusal.value)
    assert "cluster.mode" in str(refusal.value)
    assert "nodePool: " in str(refusal.value)


def written(folder: Path, serving_object: Any) -> str:
    """What a preview says of a stack whose file lies in its folder."""
    (folder / "Pulumi.test.yaml").write_text(yaml.safe_dump({"config": {SERVING: serving_object}}, sort_keys=False))
    config = {SERVING: json.dumps(serving_object)}
    program: dict[str, Any] = {
        "project": "gke-llm-serving",
        "stack": "test",
        "base": folder,
        "config": config,
        "secrets": (TOKEN,),
    }
    with pytest.raises(pulumi.RunError) as refusal:
        record_program(ROOT / "__main__.py", **program)
    return str(refusal.value)


@pytest.mark.parametrize(
    ("edits", "told"),
    [
        ({"cluster": {"mode": "moon", "name": "x"}}, r":4: cluster.mode: 'moon' is none of"),
        (
            {"workloads": {"q": workload("Qwen/Qwen2.5-32B-Instruct")}},
            r":\d+: workloads.q.engine.maxModelLen: the model",
        ),
        ({"workloads": {"q": {"model": {"id": "a/b"}}}}, r":\d+: workloads.q.engine: a value is req"),
        (GATED, r":1: gke-llm-serving:hfToken: the models of gemma are gated"),
    ],
    ids=["a wrong word", "the judgement", "a missing key", "no token"],
)
def test_a_preview_names_file_line_and_remedy(edits: dict[str, Any], told: str, tmp_path: Path) -> None:
    said = written(tmp_path, {**GOOD, **edits})
    assert re.search(rf"^Pulumi\.test\.yaml{told}", said, re.M), said
    assert re.search(r"^    fix: ", said, re.M), said


def test_a_file_that_is_not_what_pulumi_handed_over_is_not_named(tmp_path: Path) -> None:
    """`pulumi --config-file` reads another one, whose lines are not these."""
    (tmp_path / "Pulumi.test.yaml").write_text(yaml.safe_dump({"config": {SERVING: GOOD}}), encoding="utf-8")
    config = {SERVING: json.dumps({**GOOD, "nodePool": {}})}
    program: dict[str, Any] = {
        "project": "gke-llm-serving",
        "stack": "test",
        "base": tmp_path,
        "config": config,
        "secrets": (),
    }
    with pytest.raises(pulumi.RunError) as refusal:
        record_program(ROOT / "__main__.py", **program)
    assert "\nnodePool: there is no such key here" in str(refusal.value)


def test_a_model_that_does_not_fit_stops_the_preview() -> None:
    wrong = json.loads(json.dumps(GOOD))
    wrong["workloads"]["qwen"]["model"]["id"] = "Qwen/Qwen2.5-32B-Instruct"
    with pytest.raises(pulumi.RunError, match="does not fit"):
        run(wrong)


def test_a_gated_model_without_token_names_both_ways() -> None:
    with pytest.raises(pulumi.RunError) as refusal:
        run({**GOOD, **GATED})
    assert "pulumi config set --secret hfToken" in str(refusal.value)
    assert "existingSecret" in str(refusal.value)


def test_a_token_becomes_one_secret() -> None:
    resources = run({**GOOD, **GATED}, token="hf_never_shown")
    assert "llm-serving/hf-token-secret" in resources
    assert "hf_never_shown" not in repr(resources)


def test_an_existing_secret_makes_none() -> None:
    resources = run({**GOOD, **GATED, "huggingFace": {"existingSecret": "mine"}})
    assert not [name for name in resources if "hf-token-" in name]
    (container,) = resources["llm-serving/gemma-deployment"].inputs["spec"]["template"]["spec"]["containers"]
    assert {"name": "mine", "key": "hf_api_token"} in [
        e.get("valueFrom", {}).get("secretKeyRef") for e in container["env"]
    ]


def test_secrets_inside_the_serving_object_are_refused() -> None:
    with pytest.raises(pulumi.RunError, match="only hfToken is a secret"):
        run(GOOD, secrets=(SERVING,))


def test_no_serving_config() -> None:
    with pytest.raises(pulumi.RunError, match="no serving config"):
        run("null")


@pytest.mark.parametrize(
    ("key", "command"),
    [
        ("serving.workloads.qwen.replicas", "pulumi config set --path 'serving.workloads.qwen.replicas' VALUE"),
        ("serving.workloads[0]", "pulumi config set --path 'serving.workloads[0]' VALUE"),
        ("workloads.qwen.replicas", "pulumi config set --path 'serving.workloads.qwen.replicas' VALUE"),
        ("namespace", "pulumi config set --path 'serving.namespace' VALUE"),
        ("hftoken", "pulumi config set --secret hfToken"),
        ("hf_token", "pulumi config set --secret hfToken"),
        ("project", "below gke-llm-serving:serving, or remove it: pulumi config rm 'gke-llm-serving:project'"),
    ],
)
def test_a_key_that_the_program_would_not_read_is_refused_with_the_right_command(key: str, command: str) -> None:
    other: dict[str, Any] = {f"gke-llm-serving:{key}": "hf_never_shown"}
    with pytest.raises(pulumi.RunError) as refusal:
        run(GOOD, **other)
    assert f"gke-llm-serving:{key}: there is no such key" in str(refusal.value)
    assert command in str(refusal.value)
    assert "hf_never_shown" not in str(refusal.value)


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (TOKEN, "the token is written in plain text"),
        ("gke-llm-servin:hfToken", "pulumi config set --secret hfToken"),
        ("gcp:projct", "did you mean gcp:project?"),
    ],
)
@pytest.mark.parametrize("secret", [False, True])
def test_a_preview_refuses_the_keys_that_check_refuses(key: str, told: str, secret: bool) -> None:
    config = {key: "hunter22-not-a-real-one"}
    if secret and key == TOKEN:
        assert run(GOOD, secrets=(TOKEN,), **config)
        return
    with pytest.raises(pulumi.RunError) as refusal:
        run(GOOD, secrets=(key,) if secret else (), **config)
    assert f"{key}: " in str(refusal.value) and told in str(refusal.value)
    assert "hunter22" not in str(refusal.value)


def test_an_encrypted_project_is_refused_and_not_told() -> None:
    with pytest.raises(pulumi.RunError, match="gcp:project: an encrypted value cannot be used") as refusal:
        run(GOOD, secrets=("gcp:project",), **{"gcp:project": "hunter22-project"})
    assert "hunter22" not in str(refusal.value)


def test_keys_of_other_programs_pass() -> None:
    others = {"gcp:region": "us-central1", "kubernetes:context": "kind", "aws:region": "x", "gcp:project": "my-project"}
    assert "llm-serving/qwen-deployment" in run(GOOD, secrets=("aws:region",), **others)


def test_a_refusal_ends_the_program_with_its_reasons_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pulumi's host adds nothing to what was logged where the program ends with this status."""
    logged: list[str] = []
    monkeypatch.setattr(pulumi.log, "error", logged.append)
    with pytest.raises(pulumi.RunError) as refusal:
        run("null")
    assert logged == [str(refusal.value)]
    assert REASONS_SHOWN == 32


def test_what_a_killed_update_made_is_taken_over_by_the_next() -> None:
    provider = run(GOOD)["kubernetes"]
    assert provider.inputs["upsertExistingObjects"] == "true"


@pytest.mark.parametrize(("previewing", "messages"), [(True, 1), (False, 0)])
def test_the_notes_of_a_stack_are_one_message_of_its_preview(
    monkeypatch: pytest.MonkeyPatch, previewing: bool, messages: int
) -> None:
    warned: list[str] = []
    told: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", warned.append)
    monkeypatch.setattr(pulumi.log, "info", told.append)
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: previewing)
    spot, bare = {**POOL, "spot": True}, {**POOL, "driverVersion": "INSTALLATION_DISABLED"}
    plan = planned(serving({"qwen": workload(nodePool="l4")}, pools={"l4": spot, "bare": bare, "other": spot}))
    serving_module._show_notes(plan, [])
    assert len(warned) == len(told) == messages
    assert all(line.startswith("qwen: fits, ") and "1 pod, 0.48 USD per hour" in line for line in told)
    for message in warned:
        assert message.startswith("2 notes on this stack:\n")
        levels = [line.strip().partition(":")[0] for line in message.splitlines()[1:]]
        assert levels == ["will fail", "may fail"]
        assert "may fail: nodePools.l4, nodePools.other: spot" in message


KEYED = {**GOOD, "workloads": {"chat": workload(apiKey={"config": "chatKey"})}}
CHAT_KEY = "gke-llm-serving:chatKey"


def test_a_key_of_the_config_reaches_its_secret_alone() -> None:
    built = run(KEYED, secrets=(TOKEN, CHAT_KEY), **{CHAT_KEY: "hunter22-not-a-real-one"})
    assert "llm-serving/chat-api-key-secret" in built
    assert "hunter22" not in json.dumps({name: r.inputs for name, r in built.items()}, default=str)


@pytest.mark.parametrize(
    ("more", "secrets", "told"),
    [({}, (TOKEN,), "set --secret chatKey"), ({CHAT_KEY: "hunter22-not-a-real-one"}, (TOKEN,), "in plain text")],
)
def test_a_key_that_is_missing_or_in_the_open_stops_the_program(
    more: dict[str, str], secrets: tuple[str, ...], told: str
) -> None:
    with pytest.raises(pulumi.RunError) as refusal:
        run(KEYED, secrets=secrets, **more)
    assert told in str(refusal.value) and "hunter22" not in str(refusal.value)
