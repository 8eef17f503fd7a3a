"""A file that a command line names is in the image, or in the config, or the release is refused."""

from dataclasses import replace
from typing import Any

import pytest

from l4serve.engines.argv import EngineRefusal, build_launch
from tests.engines.rule_cases import QWEN, case
from tests.factories import planned, serving, workload

TEMPLATE = "{{ bos_token }}{% for message in messages %}{{ message['content'] }}{% endfor %}"


def refused(version: str = "0.26.0", *, extra_args: tuple[str, ...] = (), **engine: Any) -> dict[str, str]:
    try:
        build_launch(case("vllm", version, QWEN, extra_args=extra_args, **engine))
    except EngineRefusal as refusal:
        return {problem.path: problem.message for problem in refusal.problems}
    return {}


@pytest.mark.parametrize(
    ("path", "engine"),
    [
        ("engine.chatTemplate", {"chatTemplate": "/templates/llama.jinja"}),
        ("engine.chatTemplate", {"chatTemplate": "template.jinja"}),
        ("engine.tokenizer", {"tokenizer": "/models/tokenizer"}),
        ("engine.generationConfig", {"generationConfig": "/generation"}),
        ("engine.lora.adapters", {"lora": {"adapters": [{"name": "sql", "path": "/adapters/sql"}]}}),
        ("engine.speculativeConfig", {"speculativeConfig": {"model": "/drafts/eagle", "num_speculative_tokens": 2}}),
    ],
)
def test_a_file_that_nothing_mounts_is_refused(path: str, engine: dict[str, Any]) -> None:
    found = refused(**engine)
    assert list(found.values()) == [message for message in found.values() if "nothing mounts" in message]
    assert len(found) == 1
    assert next(iter(found)).startswith(path.rsplit(".", 1)[0])


def test_extra_arguments_are_looked_at_too() -> None:
    assert "nothing mounts" in refused(extra_args=("--hf-config-path=/models/config",))["extraArgs[0]"]
    assert "nothing mounts" in refused(extra_args=("--tool-parser-plugin=mine.py",))["extraArgs[0]"]
    assert refused(extra_args=("--tool-parser-plugin=mine.py",), image="ghcr.io/a/v:1") == {}


@pytest.mark.parametrize(("version", "image", "missing"), [("0.26.0", None, True), ("0.26.0", "ghcr.io/a/v:1", False)])
def test_a_variable_that_names_a_file_is_looked_at_too(version: str, image: str | None, missing: bool) -> None:
    given: dict[str, Any] = {"image": image} if image else {}
    asked = case("vllm", version, QWEN, **given)
    logging = replace(asked, extra_env={"VLLM_LOGGING_CONFIG_PATH": "/etc/logging.json"})
    if not missing:
        assert build_launch(logging).env["VLLM_LOGGING_CONFIG_PATH"] == "/etc/logging.json"
        return
    with pytest.raises(EngineRefusal, match=r"extraEnv.VLLM_LOGGING_CONFIG_PATH.*nothing mounts"):
        build_launch(logging)
    assert build_launch(replace(logging, mounted=("/etc",))).argv


@pytest.mark.parametrize(
    "engine",
    [
        {"chatTemplate": TEMPLATE},
        {"chatTemplate": "/vllm-workspace/examples/tool_chat_template_llama3.1_json.jinja"},
        {"chatTemplate": "examples/tool_chat_template_hermes.jinja"},
        {"tokenizer": "Qwen/Qwen2.5-7B-Instruct"},
        {"generationConfig": "vllm"},
        {"lora": {"adapters": [{"name": "sql", "path": "acme/sql"}]}},
        {"chatTemplate": "/templates/llama.jinja", "image": "ghcr.io/acme/vllm:v0.26.0"},
    ],
)
def test_what_the_image_or_the_hub_has_is_taken(engine: dict[str, Any]) -> None:
    assert refused(**engine) == {}


def test_a_word_for_a_template_is_told_without_the_secret_in_it() -> None:
    (said,) = refused(chatTemplate="password=plainXvXB5a6zy7").values()
    assert "names password=[hidden]" in said


def test_adapters_may_come_while_the_server_runs() -> None:
    argv = build_launch(case("vllm", "0.26.0", QWEN, lora={})).argv
    assert "--enable-lora" in argv
    assert not any(token.startswith("--lora-modules") for token in argv)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("examples/tool_chat_template_hermess.jinja", "examples/tool_chat_template_hermes.jinja"),
        ("/vllm-workspace/examples/tool_chat_template_lama3.1_json.jinja", "tool_chat_template_llama3.1_json.jinja"),
        ("tool_chat_template_hermes.jinja", "examples/tool_chat_template_hermes.jinja"),
    ],
)
def test_a_misspelt_template_of_the_image_gets_its_name(written: str, meant: str) -> None:
    with pytest.raises(EngineRefusal) as refusal:
        build_launch(case("vllm", "0.26.0", QWEN, chatTemplate=written))
    (problem,) = refusal.value.problems
    assert problem.path == "engine.chatTemplate"
    assert problem.remedy.startswith("did you mean ")
    assert problem.remedy.endswith(f"{meant}?")


@pytest.mark.parametrize(
    ("version", "image", "taken"),
    [
        ("0.26.0", None, False),
        ("0.26.0", "vllm/vllm-openai:v0.26.0", False),
        ("0.26.0", "vllm/vllm-openai:latest", True),
        ("0.26.0.post1", None, True),
    ],
)
def test_a_template_that_is_like_none_is_left_alone_where_the_release_is_open(
    version: str, image: str | None, taken: bool
) -> None:
    given: dict[str, Any] = {"image": image} if image else {}
    found = refused(version, chatTemplate="examples/our_own_words.jinja", **given)
    assert ("engine.chatTemplate" not in found) == taken


PACKAGE = "/usr/local/lib/python3.12/dist-packages/vllm/transformers_utils/chat_templates"


@pytest.mark.parametrize(
    ("template", "first", "last_without"),
    [
        ("examples/tool_chat_template_glm4.jinja", "0.14.0", "0.13.0"),
        ("/vllm-workspace/examples/tool_chat_template_gemma4.jinja", "0.19.1", "0.19.0"),
        ("./examples/template_baichuan.jinja", "0.24.0", "0.25.0"),
        ("template_chatml.jinja", "0.13.0", "0.12.0"),
        ("template_kimi_audio.jinja", "0.18.0", "0.17.1"),
        (f"{PACKAGE}/template_chatml.jinja", "0.9.0", "0.8.5"),
        ("template_chatml.jinja", "0.26.0", "0.8.5"),
    ],
)
def test_a_release_has_the_templates_of_its_own_archive(template: str, first: str, last_without: str) -> None:
    assert refused(first, chatTemplate=template) == {}
    assert "nothing mounts" in refused(last_without, chatTemplate=template)["engine.chatTemplate"]


@pytest.mark.parametrize("version", ["0.15.0", "0.15.1"])
def test_a_release_without_an_archive_has_what_either_neighbour_has(version: str) -> None:
    for name in ("template_dse_qwen2_vl", "pooling/embed/template/dse_qwen2_vl"):
        assert refused(version, chatTemplate=f"examples/{name}.jinja") == {}
    assert refused(version, chatTemplate="examples/template_llava.jinja")


@pytest.mark.parametrize(
    ("path", "engine"),
    [
        ("engine.tokenizer", {"tokenizer": "gs://bucket/tokenizer"}),
        (
            "engine.speculativeConfig",
            {"speculativeConfig": {"model": "gs://bucket/draft", "num_speculative_tokens": 2}},
        ),
    ],
)
def test_a_bucket_that_nothing_grants_is_refused(path: str, engine: dict[str, Any]) -> None:
    assert "no role lets the pods read" in refused(**engine)[path]


@pytest.mark.parametrize("turned", [False, True])
def test_adapters_of_a_bucket_and_of_the_hub_go_together(turned: bool) -> None:
    adapters = [{"name": "x", "path": "gs://bucket/x"}, {"name": "y", "path": "my/y"}]
    tgi = {"kind": "tgi", "version": "3.3.7", "maxModelLen": None, "maxTotalTokens": 4096}
    engine = {**tgi, "loraAdapters": adapters[::-1] if turned else adapters}
    (plan,) = planned(serving({"qwen": workload(engine=engine)})).workloads
    assert any("x=/adapters/x" in word and "my/y" in word for word in plan.engine.argv)
