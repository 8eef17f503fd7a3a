"""Every typed field reaches the engine or is refused; what the engine does not know never leaves."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from pydantic.alias_generators import to_camel

from l4serve.config.keys.tgi import TgiEngine
from l4serve.config.keys.vllm import VllmEngine
from l4serve.config.refusals.problems import Problem
from l4serve.engines import argv
from l4serve.engines.arguments.value_texts import type_words
from l4serve.engines.argv import EngineRefusal, Launch, build_launch, check_argv
from l4serve.engines.case import Case
from l4serve.engines.gpu_layout import GpuLayout
from l4serve.engines.releases.contract import Contract, contract_versions, load_contract
from scripts import engine_samples
from scripts.emit_argv_cases import cases
from tests.each_case import each
from tests.engines.rule_cases import GEMMA, L4

ALL = [load_contract(kind, version) for kind in ("vllm", "tgi") for version in contract_versions(kind)]
SAMPLES: dict[str, Mapping[str, tuple[Any, ...]]] = {"vllm": engine_samples.VLLM, "tgi": engine_samples.TGI}
MODELS: dict[str, Any] = {"vllm": VllmEngine, "tgi": TgiEngine}
PLUMBING = {"kind", "version", "image", "contract"}
NEWEST = load_contract("vllm", contract_versions("vllm")[-1])
V26 = load_contract("vllm", "0.26.0")


def name(contract: Contract) -> str:
    return contract.name


ENDS = {version for kind in ("vllm", "tgi") for version in (contract_versions(kind)[0], contract_versions(kind)[-1])}
"""The oldest and the newest release of an engine; to walk over those between takes long."""
ENDS_AND_OTHERS = [
    pytest.param(each, id=name(each), marks=[] if each.version in ENDS else pytest.mark.slow) for each in ALL
]


def built(contract: Contract, settings: Mapping[str, Any] | None = None, **other: Any) -> Launch:
    engine = MODELS[contract.engine].model_validate({**(settings or {}), "version": contract.version})
    case = Case(engine=engine, contract=contract, model=GEMMA, gpu=L4, layout=GpuLayout(1, 1, 1), port=8000)
    return build_launch(replace(case, **other))


def refused(contract: Contract, settings: Mapping[str, Any] | None = None, **other: Any) -> dict[str, str]:
    with pytest.raises(EngineRefusal) as caught:
        built(contract, settings, **other)
    return {problem.path: f"{problem.message} | {problem.remedy}" for problem in caught.value.problems}


def attempt(contract: Contract, settings: Mapping[str, Any]) -> tuple[Launch | None, tuple[Problem, ...]]:
    try:
        return built(contract, settings), ()
    except EngineRefusal as refusal:
        return None, refusal.problems


@pytest.mark.parametrize("kind", ["vllm", "tgi"])
def test_every_typed_field_has_samples(kind: str) -> None:
    fields = {to_camel(field) for field in MODELS[kind].model_fields} - PLUMBING
    assert fields == set(SAMPLES[kind])


@pytest.mark.parametrize("contract", ENDS_AND_OTHERS)
def test_every_typed_field_reaches_the_engine_or_is_refused(contract: Contract) -> None:
    plain = built(contract)
    for field, values in SAMPLES[contract.engine].items():
        for value in values:
            if field in ("tensorParallelSize", "numShard", "pipelineParallelSize"):
                layout = GpuLayout(2, 1, 2) if field.startswith("pipe") else GpuLayout(2, 2, 1)
                assert built(contract, layout=layout).argv != plain.argv
                continue
            launch, problems = attempt(contract, {field: value})
            assert all(p.path.startswith(f"engine.{field}") and p.remedy for p in problems), (field, value)
            if launch is None:
                continue
            assert (launch.argv, launch.env) != (plain.argv, plain.env), (field, value)
            assert check_argv(launch.argv, launch.env, contract) == (), (field, value)


@pytest.mark.parametrize("contract", ENDS_AND_OTHERS)
def test_generated_command_lines_keep_the_contract(contract: Contract) -> None:
    combinations = 300 if contract.version in ENDS else 50
    found = list(cases(contract, seed=7, combinations=combinations))
    accepted = [case for case in found if case["accept"]]
    assert len(accepted) >= combinations
    assert len(found) - len(accepted) >= 25
    for case in accepted:
        assert check_argv(tuple(case["argv"]), case["env"], contract) == (), case


@each(ALL, name)
def test_an_unset_field_emits_nothing(contract: Contract) -> None:
    launch = built(contract)
    size = "--tensor-parallel-size=1" if contract.engine == "vllm" else "--num-shard=1"
    assert launch.argv == (f"{contract.model_flag}=google/gemma-7b", size)
    driver = {} if contract.image_facts.finds_driver else {"LD_LIBRARY_PATH": "/usr/local/nvidia/lib64"}
    assert launch.env == (driver if contract.engine == "vllm" else {"PORT": "8000"})


@pytest.mark.parametrize("contract", ALL, ids=name)
def test_an_unknown_flag_added_to_the_builder_fails(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    # Not by the cache, which would keep it for the tests that come after.
    monkeypatch.setattr("l4serve.engines.argv._flagged_fields", argv._flagged_fields.__wrapped__)
    monkeypatch.setattr("l4serve.engines.argv.flag_names", lambda kind, field: ("--no-such-flag",))
    problems = refused(contract, {"dtype": "bfloat16"})
    assert any("--no-such-flag" in text for text in problems.values())


@each(ALL, name)
def test_an_unknown_extra_flag_is_refused(contract: Contract) -> None:
    problems = refused(contract, extra_args=("--no-such-flag=1",))
    assert "--no-such-flag" in problems["extraArgs[0]"]


def test_what_is_misspelt_in_other_letters_names_the_near_one() -> None:
    assert check_argv(("--MAX-MODEL-LEN=8",), {}, V26)[0].remedy == "did you mean --max-model-len?"
    near = check_argv((), {"VLLM_use_deep_gem": "1"}, V26)
    assert [problem.remedy for problem in near] == ["did you mean VLLM_USE_DEEP_GEMM?"]
    assert check_argv((), {"VLLM_OF_OUR_OWN_MAKING": "1"}, V26) == ()


def test_a_misspelt_flag_names_the_near_one() -> None:
    assert "--uvicorn-log-level" in refused(V26, extra_args=("--uvicorn-loglevel=info",))["extraArgs[0]"]


@pytest.mark.parametrize(
    ("flag", "replacement"),
    [
        ("--swap-space=4", "recomputes"),
        ("--disable-log-requests", "--no-enable-log-requests"),
        ("--num-scheduler-steps=8", "multi-step"),
        ("--task=generate", "--runner"),
        ("--guided-decoding-backend=xgrammar", "--structured-outputs-config"),
        ("--rope-scaling={}", "--hf-overrides"),
    ],
)
def test_a_removed_flag_is_refused_with_its_replacement(flag: str, replacement: str) -> None:
    assert replacement in refused(V26, extra_args=(flag,))["extraArgs[0]"]
    problem = check_argv((flag,), {}, V26)[0]
    assert replacement in problem.remedy and "https://" in problem.remedy


def test_a_removed_variable_is_refused_with_its_replacement() -> None:
    problem = check_argv((), {"VLLM_ATTENTION_BACKEND": "FLASHINFER"}, V26)[0]
    assert "--attention-backend" in problem.remedy
    assert (
        "engine.attentionBackend"
        in refused(V26, extra_env={"VLLM_ATTENTION_BACKEND": "X"})["extraEnv.VLLM_ATTENTION_BACKEND"]
    )


def test_a_misspelt_variable_is_refused_and_a_foreign_one_is_not() -> None:
    assert "VLLM_LOGGING_LEVEL" in refused(V26, extra_env={"VLLM_LOGING_LEVEL": "INFO"})["extraEnv.VLLM_LOGING_LEVEL"]
    assert built(V26, extra_env={"NCCL_DEBUG": "INFO", "VLLM_MY_PLUGIN_PORT": "1"}).env["NCCL_DEBUG"] == "INFO"


def test_a_flag_that_came_later_says_so() -> None:
    text = refused(load_contract("vllm", "0.10.0"), extra_args=("--shutdown-timeout=30",))["extraArgs[0]"]
    assert "it came with 0.18.0" in text


@pytest.mark.parametrize(
    ("extra", "field"),
    [
        ("--max-model-len=8", "engine.maxModelLen"),
        ("--max_model_len=8", "engine.maxModelLen"),
        ("-tp=2", "engine.tensorParallelSize"),
        ("--no-enable-prefix-caching", "engine.enablePrefixCaching"),
        ("--model=other", "model.id"),
        ("--port=9", "service.port"),
        ("--enable-lora", "engine.lora"),
        ("-tp 2", "engine.tensorParallelSize"),
        ("--tensor_parallel_size 2", "engine.tensorParallelSize"),
        ("--speculative-config.method=ngram", "engine.speculativeConfig"),
        ("--hf-token hf_x", "huggingFace"),
        ("-dp 2", "replicas"),
        ("--data-parallel-size=2", "replicas"),
    ],
)
def test_an_extra_argument_may_not_repeat_a_typed_field(extra: str, field: str) -> None:
    problems = refused(V26, extra_args=tuple(extra.split()))
    assert problems.keys() == {"extraArgs[0]"}
    assert field in problems["extraArgs[0]"]


@pytest.mark.parametrize("variable", ["HF_TOKEN", "HF_TOKEN_PATH", "HUGGING_FACE_HUB_TOKEN"])
@pytest.mark.parametrize("contract", ENDS_AND_OTHERS)
def test_no_engine_takes_the_token_from_extra_variables(contract: Contract, variable: str) -> None:
    assert "huggingFace" in refused(contract, extra_env={variable: "x"})[f"extraEnv.{variable}"]


def test_no_variable_multiplies_the_gpus_beyond_the_plan() -> None:
    for name in ("VLLM_DP_SIZE", "VLLM_DP_RANK", "VLLM_DP_MASTER_IP"):
        assert "replicas" in refused(V26, extra_env={name: "2"})[f"extraEnv.{name}"]


def test_an_extra_variable_may_not_repeat_a_typed_field() -> None:
    tgi = load_contract("tgi", "3.3.7")
    for variable, field in (
        ("MAX_INPUT_TOKENS", "engine.maxInputTokens"),
        ("PORT", "service.port"),
        ("HF_TOKEN", "huggingFace"),
    ):
        assert field in refused(tgi, extra_env={variable: "1"})[f"extraEnv.{variable}"]


def test_extra_arguments_are_checked_for_values_and_repetition() -> None:
    problems = refused(
        V26,
        extra_args=(
            "--uvicorn-log-level=loud",
            "--max-logprobs",
            "--stream-interval=2",
            "--stream-interval=3",
            "stray",
        ),
    )
    assert "none of its choices" in problems["extraArgs[0]"]
    assert problems["extraArgs[1]"]
    assert "repeats extraArgs[2]" in problems["extraArgs[3]"]
    assert "stands alone" in problems["extraArgs[4]"]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("enable-log-requests", "--enable-log-requests"),
        ("enable_log_requests", "--enable-log-requests"),
        ("\u2014enable-log-requests", "--enable-log-requests"),
        ("\u2013-max-logprobs=5", "--max-logprobs"),
    ],
)
def test_an_option_without_its_dashes_is_told_with_them(word: str, meant: str) -> None:
    assert f"did you mean {meant}?" in refused(V26, extra_args=(word,))["extraArgs[0]"]


@pytest.mark.parametrize("contract", [V26, load_contract("tgi", "3.3.7")], ids=lambda contract: contract.name)
def test_the_type_of_every_option_is_told_in_words(contract: Contract) -> None:
    """The names by which contracts keep types are for programs."""
    kinds = {flag.type for flag in contract.flags.values() if flag.takes_value}
    assert kinds
    assert not [kind for kind in kinds if "_" in type_words(kind) or type_words(kind).endswith((kind, " int"))]


def test_what_the_launcher_collects_may_come_more_than_once() -> None:
    extra = ("--cors-allow-origin=https://a.example", "--cors-allow-origin", "https://b.example")
    assert built(load_contract("tgi", "3.3.7"), extra_args=extra).argv[-3:] == extra


def test_extra_arguments_with_their_values_apart_or_nested_pass() -> None:
    extra = (
        "--middleware",
        "vllm.b",
        "--middleware=starlette.d",
        "--compilation-config.mode=3",
        "--stream-interval",
        "4",
        "-O3",
    )
    assert built(V26, extra_args=extra).argv[-len(extra) :] == extra


def test_a_switch_with_a_value_is_refused() -> None:
    assert "takes no value" in check_argv(("--enforce-eager=true",), {}, V26)[0].message


def test_booleans_take_the_contracts_form() -> None:
    off = {"enablePrefixCaching": False, "enforceEager": True, "disableCustomAllReduce": False}
    assert {"--no-enable-prefix-caching", "--enforce-eager", "--no-disable-custom-all-reduce"} <= set(
        built(V26, off).argv
    )
    assert {"--disable-prefix-caching", "--enforce-eager", "--enable-custom-all-reduce"} <= set(built(NEWEST, off).argv)


def test_the_attention_backend_is_a_variable_before_it_is_a_flag() -> None:
    old = built(load_contract("vllm", "0.10.0"), {"attentionBackend": "FLASHINFER"})
    assert old.env["VLLM_ATTENTION_BACKEND"] == "FLASHINFER"
    assert "--attention-backend=FLASHINFER" in built(V26, {"attentionBackend": "FLASHINFER"}).argv


def test_adapters_take_each_engines_form() -> None:
    adapters = [{"name": "a", "path": "acme/a"}, {"name": "b", "path": "/vllm-workspace/b"}]
    one = built(V26, {"lora": {"adapters": adapters[:1], "maxRank": 32}}).argv
    assert one[-3:] == ("--enable-lora", "--lora-modules=a=acme/a", "--max-lora-rank=32")
    assert built(V26, {"lora": {"adapters": adapters}}).argv[-3:] == (
        "--lora-modules",
        "a=acme/a",
        "b=/vllm-workspace/b",
    )
    tgi = load_contract("tgi", "3.3.7")
    local = {**adapters[1], "path": "/usr/src/b"}
    assert "--lora-adapters=acme/a,b=/usr/src/b" in built(tgi, {"loraAdapters": [adapters[0], local]}).argv
