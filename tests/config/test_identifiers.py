"""Identifiers follow their grammars: no part is `.` or `..`, no slash ends them, no letter looks like another."""

from typing import Any

import pytest

from l4serve.config.refusals.problems import ConfigError
from l4serve.engines.argv import EngineRefusal
from tests.each_case import each
from tests.engines.test_argv import V26, built, load_contract, refused
from tests.factories import loaded, serving, workload

ODD: tuple[str, ...] = (
    "a/..",
    "../a",
    "a/./b",
    ".",
    "..",
    "a/",
    "/",
    "a//b",
    "-x",
    "~/x",
    "a\tb",
    "\u0430cme/x",
    "gs://../x",
    "/a/../b",
)
ODD += ("a/b/", "file:///x", "=", "%2e%2e/x", "https://u/x", "--config=x", "", " a", "a ", "a\u200b")
MODEL = {"id": "Qwen/Qwen2.5-1.5B-Instruct"}
PLACES: dict[str, Any] = {
    "tokenizer": lambda text: {"engine": {"tokenizer": text}},
    "generationConfig": lambda text: {"engine": {"generationConfig": text}},
    "adapter": lambda text: {"engine": {"lora": {"adapters": [{"name": "x", "path": text}]}}},
    "adapter-name": lambda text: {"engine": {"lora": {"adapters": [{"name": text, "path": "a/b"}]}}},
    "served-name": lambda text: {"engine": {"servedModelName": [text]}},
    "revision": lambda text: {"model": {**MODEL, "revision": text}},
    "model": lambda text: {"model": {"id": text}},
    "image": lambda text: {"engine": {"image": text}},
    "claim": lambda text: {"model": {**MODEL, "source": {"kind": "claim", "claim": "c", "path": text or ".."}}},
    "cache": lambda text: {"compileCache": {"claim": "c", "path": text or ".."}},
    "home": lambda text: {"podSecurity": {"user": 1000, "home": text}},
    "service": lambda text: {"service": {"name": text}},
    "pool": lambda text: {"nodePool": text},
    "label": lambda text: {"labels": {text: "x"}},
    "bucket": lambda text: {"serviceAccount": {"buckets": {text: "read"}}},
}


@each(PLACES, str)
def test_no_identifier_takes_what_has_not_its_form(place: str) -> None:
    for text in ODD:
        with pytest.raises(ConfigError):
            loaded(serving({"qwen": workload(**PLACES[place](text))}))


SOURCES = (
    "org/name",
    "name",
    "Qwen/Qwen2.5-1.5B_x",
    "/models/.cache/a-1",
    "gs://my-models/a/b",
    "org/name@v1.0",
    "a/b/c",
)


def test_identifiers_of_every_usual_form_pass() -> None:
    for text in SOURCES:
        loaded(serving({"qwen": workload(engine={"tokenizer": text})}))
    for text in ("chat", "gpt-4o", "org/name:free", "my name", "v1.0_x", "Qwen/Qwen3 (fast)".replace(" (fast)", "+")):
        loaded(serving({"qwen": workload(engine={"servedModelName": [text]})}))


PROJECTS = ("projects/../secrets/a", "projects/./secrets/a", "projects/a..b/secrets/a", "projects//secrets/a")


@each(PROJECTS, str)
def test_a_path_inside_a_project_names_a_project(secret: str) -> None:
    with pytest.raises(ConfigError):
        loaded(serving({"qwen": workload(apiKey={"secretManager": {"secret": secret}})}))
    for form in (
        "projects/my-project/secrets/a",
        "projects/123456789012/secrets/a",
        "projects/example.com:my-p/secrets/a",
    ):
        loaded(serving({"qwen": workload(apiKey={"secretManager": {"secret": form}})}))


FLAGS = {
    "--hf-config-path": "org/name",
    "--tokenizer-revision": "refs/pr/1",
    "--code-revision": "main",
    "--download-dir": "/home/vllm/x",
    "--logits-processors": "vllm.module:Class",
    "--middleware": "vllm.module.Class",
    "--tool-parser-plugin": "plugins/mine",
}


@each(FLAGS, str)
def test_arguments_that_name_something_take_its_form(flag: str) -> None:
    assert built(V26, extra_args=(f"{flag}={FLAGS[flag]}",))
    for text in ("a/..", "../a", "a\tb", "\u0430cme/x", "a/", "%2e%2e/x"):
        assert "extraArgs[0]" in refused(V26, extra_args=(f"{flag}={text}",))


def test_a_folder_of_media_may_be_the_root_and_end_with_a_slash() -> None:
    """vLLM takes any folder (`MediaConnector` of 0.26.0), and recipes name the root."""
    for text in ("/", "/data/", "/data", "media"):
        assert built(V26, extra_args=(f"--allowed-local-media-path={text}",))
    for text in ("/..", "/data/../etc", "//", "a\tb"):
        assert "extraArgs[0]" in refused(V26, extra_args=(f"--allowed-local-media-path={text}",))


def test_the_names_inside_a_draft_take_their_forms() -> None:
    draft = {"method": "draft_model", "num_speculative_tokens": 3, "model": "org/small"}
    for key, text in (("model", "a/.."), ("revision", "-x"), ("tokenizer", "../a")):
        assert f"engine.speculativeConfig.{key}" in refused(V26, {"speculativeConfig": {**draft, key: text}})
    with pytest.raises(EngineRefusal):
        built(load_contract("tgi", "3.3.7"), extra_args=("--huggingface-hub-cache=../x",))


@each(
    ("ab", "a" * 64, f"{'a' * 64}.example.com", ".".join(["a" * 50] * 5)),
    str,
)
def test_a_bucket_has_a_name_that_cloud_storage_takes(bucket: str) -> None:
    with pytest.raises(ConfigError, match="3 to 63 characters"):
        of_bucket(bucket)
    of_bucket("a" * 63)


def of_bucket(name: str) -> None:
    source = {"kind": "bucket", "uri": f"gs://{name}/x"}
    loaded(serving({"qwen": {**workload(), "model": {**MODEL, "source": source}}}))


def test_names_of_images_and_tokenizers_are_bounded() -> None:
    loaded(serving({"qwen": workload(engine={"image": f"example.com:5000/{'a' * 238}:{'v' * 128}"})}))
    with pytest.raises(ConfigError, match="registries take 255"):
        loaded(serving({"qwen": workload(engine={"image": f"example.com:5000/{'a' * 239}:v1"})}))
    assert "extraArgs[0]" in refused(V26, extra_args=(f"--tokenizer={'a' * 501}",))


CLASSES = ("--middleware", "--worker-extension-cls", "--scheduler-cls", "--logits-processors")


@each(CLASSES, str)
def test_a_class_that_the_stock_image_does_not_bring_is_refused(flag: str) -> None:
    assert "image brings no such" in refused(V26, extra_args=(f"{flag}=os.system",))["extraArgs[0]"]
    assert built(V26, extra_args=(f"{flag}=vllm.a.B",))
    assert built(V26, {"image": "example.com/own:v1"}, extra_args=(f"{flag}=own.a.B",))


def test_of_several_classes_each_is_one_that_the_image_brings() -> None:
    assert "extraArgs[1]" in refused(V26, extra_args=("--middleware=vllm.a.B", "--middleware=os.system"))
    assert "extraArgs[0]" in refused(V26, extra_args=("--logits-processors", "vllm.a.B", "os.system"))


@pytest.mark.parametrize("image", [f"sha256:{'a1' * 32}", "a1" * 32])
def test_a_digest_alone_is_no_image(image: str) -> None:
    pinned = {"qwen": workload(engine={"image": image})}
    with pytest.raises(
        ConfigError, match=r"names no image\n    fix: write it as REGISTRY/NAME@sha256:a1a1a1a1a1a1\.\.\."
    ):
        loaded(serving(pinned))
    pinned = {"qwen": workload(engine={"image": f"docker.io/vllm/vllm-openai@sha256:{'a1' * 32}"})}
    loaded(serving(pinned))
