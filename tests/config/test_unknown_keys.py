"""Keys that nothing reads, beside the stack's object and in it: the hint names the nearest real key, or what to do."""

from pathlib import Path
from typing import Any

import pytest

from l4serve.config.refusals.problems import ConfigError
from l4serve.config.stack_file import PROJECT, SERVING_KEY, parse_stack
from tests.factories import serving, workload

HELD = {"secure": "v1:x"}


def hint(key: str, value: Any = HELD, api_key: str = "") -> str:
    """The remedy for a key of the config; the good stack takes its API key from the secret `api_key`, if any."""
    extra: dict[str, Any] = {"apiKey": {"config": api_key}} if api_key else {}
    values = {SERVING_KEY: serving({"qwen": workload(**extra)}), f"{PROJECT}:hfToken": HELD, key: value}
    with pytest.raises(ConfigError) as refused:
        parse_stack("x", values, base=Path.cwd())
    return next(problem.remedy for problem in refused.value.problems if problem.path == key)


@pytest.mark.parametrize("key", ["chatKye", "chatkey", "chatKeys"])
def test_a_misspelt_secret_is_led_to_the_one_that_a_workload_names(key: str) -> None:
    assert hint(f"{PROJECT}:{key}", api_key="chatKey") == f"did you mean {PROJECT}:chatKey?"
    assert hint(key, api_key="chatKey") == f"did you mean {PROJECT}:chatKey?"


@pytest.mark.parametrize("key", ["chatKey", "llm-key-2", "adminPassword"])
def test_a_secret_that_no_workload_names_is_not_taken_for_the_token(key: str) -> None:
    told = hint(f"{PROJECT}:{key}")
    assert "hfToken" not in told
    assert f"apiKey: {{config: {key}}}" in told
    assert f"pulumi config rm '{PROJECT}:{key}'" in told


@pytest.mark.parametrize(
    "key",
    ["hfTokn", "hfTokens", "HFToken", "hf_token", "hf-token", "HF_TOKEN", "huggingFaceToken", "HUGGING_FACE_HUB_TOKEN"],
)
def test_a_misspelt_token_is_led_to_it(key: str) -> None:
    full = f"{PROJECT}:{key}"
    assert hint(full) == f"pulumi config rm '{full}' && pulumi config set --secret hfToken"


@pytest.mark.parametrize(
    "key", ["serving.hfToken", "serving.huggingFace.token", "huggingFace.hf_token", 'workloads["x"].hfToken']
)
def test_a_token_inside_the_object_is_led_out_of_it(key: str) -> None:
    full = f"{PROJECT}:{key}"
    assert hint(full) == f"pulumi config rm {full!r} && pulumi config set --secret hfToken"


def test_a_secret_at_a_path_of_the_object_is_told_that_none_stands_there() -> None:
    full = f"{PROJECT}:serving.workloads.x.apiKey"
    rest = ", without --secret: a key for clients has a name of its own (apiKey.config)"
    assert (
        hint(full) == f"pulumi config rm '{full}' && pulumi config set --path 'serving.workloads.x.apiKey' VALUE{rest}"
    )


@pytest.mark.parametrize("key", ["workloads.x.replicas", "nodePools.l4.spot", "allowReplace[0]"])
def test_a_path_of_the_object_is_led_to_the_command_that_writes_there(key: str) -> None:
    full = f"{PROJECT}:{key}"
    assert hint(full, "2") == f"pulumi config rm '{full}' && pulumi config set --path 'serving.{key}' VALUE"


def test_a_misspelt_name_of_the_project_hides_no_secret() -> None:
    for name in ("gke-llm-servin", "gke_llm_serving", "GkeLlmServing"):
        assert hint(f"{name}:hfToken").endswith("pulumi config set --secret hfToken")
    assert hint("gke-llm-servng:chatKey", api_key="chatKey") == f"did you mean {PROJECT}:chatKey?"


@pytest.mark.parametrize("name", ["serving.workloads.x.chatKey", "engine.chatKey", "region"])
def test_a_setting_beside_the_object_is_led_into_it(name: str) -> None:
    told = hint(f"{PROJECT}:{name}", "x")
    assert "hfToken" not in told
    assert "serving" in told


@pytest.mark.parametrize("part", ["workload", "engine"])
def test_a_key_for_clients_inside_the_object_is_led_to_the_one_that_there_is(part: str) -> None:
    for key in ("chatKey", "api_key", "serverKey"):
        inside = workload(**({key: "x"} if part == "workload" else {"engine": {key: "x"}}))
        with pytest.raises(ConfigError) as refused:
            parse_stack("x", {SERVING_KEY: serving({"qwen": inside})}, base=Path.cwd())
        (told,) = [str(problem.remedy) for problem in refused.value.problems]
        assert "hfToken" not in told
        assert "apiKey" in told, (key, told)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("gpuPartitionSize", "1g.5gb"),
        ("gpuSharingConfig", {"gpuSharingStrategy": "TIME_SHARING", "maxSharedClientsPerGpu": 4}),
        ("mps", True),
    ],
)
@pytest.mark.parametrize("part", ["accelerator", ""])
def test_a_part_of_a_gpu_is_said_not_to_be_planned(key: str, value: Any, part: str) -> None:
    """https://cloud.google.com/kubernetes-engine/docs/how-to/gpus-multi: a pool of MIG partitions is another thing."""
    pool: dict[str, Any] = {"machineType": "a2-highgpu-1g", "maxNodes": 1}
    (pool.setdefault("accelerator", {"type": "nvidia-tesla-a100"}) if part else pool)[key] = value
    with pytest.raises(ConfigError) as refused:
        parse_stack("x", {SERVING_KEY: serving({"qwen": workload()}, nodePools={"a100": pool})}, base=Path.cwd())
    path = ".".join(filter(None, ("nodePools.a100", part, key)))
    assert next(p.remedy for p in refused.value.problems if p.path == path).startswith(
        "remove it: each pod takes whole"
    )
