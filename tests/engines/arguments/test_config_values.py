"""Keys and values of configurations on a command line, as each release's own classes take them."""

import json
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from l4serve.engines.arguments.checking import check_argv
from l4serve.engines.arguments.config_words import told, value_fits
from l4serve.engines.releases.contract import load_contract
from tests.each_case import each

DRAFTS = '{"method":"%s","num_speculative_tokens":3}'
REFUSED = [
    # The old classes made objects by their own constructors, which know no other keys and look at no value.
    ("0.8.0", '--override-pooler-config={"kind":"MEAN"}', "'kind' is not a key"),
    ("0.8.5", '--speculative-config={"modell":"x","num_speculative_tokens":3}', "'modell' is not a key"),
    ("0.20.0", "--ir-op-priority=3", "not a JSON object"),
    ("0.33.0", '--ir-op-priority={"rms":["native"]}', "'rms' is not a key"),
    ("0.10.0", "--speculative-config=" + DRAFTS % "egale", "did you mean eagle"),
    ("0.33.0", "--speculative-config=" + DRAFTS % "lookahead", "method is one of"),
    ("0.26.0", '--speculative-config={"method":"ngram","num_speculative_tokens":0}', "a whole number > 0"),
    ("0.16.0", '--compilation-config={"cudagraph_mode":"FULLY"}', "cudagraph_mode is one of"),
    ("0.26.0", '--compilation-config={"pass_config":{"fuse":true}}', "'pass_config.fuse' is not a key"),
    ("0.26.0", "--compilation-config.pass_config.enable_sp=maybe", "true or false"),
    ("0.26.0", "-cc.cudagraph_mode=WHOLE", "cudagraph_mode is one of"),
    ("0.26.0", "--attention-config.backend=flash", "backend is one of"),
    (
        "0.26.0",
        '--kv-transfer-config={"kv_connector":null,"kv_role":"kv_both","kv_port":"many"}',
        "a whole number",
    ),
    (
        "0.10.2",
        '--kv-transfer-config={"kv_connector":"OffloadingConnector","kv_role":"kv_both"}',
        "kv_connector is one of",
    ),
    (
        "0.13.0",
        '--kv-transfer-config={"kv_connector":"SharedStorageConnector","kv_role":"kv_both"}',
        "ExampleConnector",
    ),
    ("0.24.0", "--kv-transfer-config.kv_connector=P2pNcclConnector", "kv_connector is one of"),
    ("0.26.0", "--mm-processor-kwargs=3", "3 is not an object"),
    ("0.33.0", "--stream-interval=0", "a whole number >= 1"),
    ("0.26.0", "--tokenizer-mode=fast", "none that the release knows"),
    ("0.20.0", "--config-format=gguf", "none that the release knows"),
    ("0.26.0", "--distributed-executor-backend=rey", "external_launcher, mp, ray, uni"),
    ("0.26.0", "--mamba-backend=cuda", "none that the release knows"),
    ("0.14.0", "--max-num-partial-prefills=0", "a whole number >= 1"),
]
TAKEN = [
    ("0.8.5", '--override-pooler-config={"pooling_type":"MEAN"}'),
    ("0.9.0", '--speculative-config={"method":"egale","num_speculative_tokens":"3"}'),
    ("0.12.0", '--kv-events-config={"unknown":1}'),
    ("0.26.0", '--compilation-config={"cudagraph_mode":"full_decode_only","mode":"vllm_compile"}'),
    ("0.26.0", '--compilation-config={"cudagraph_mode":2,"mode":3,"pass_config":{"enable_sp":"yes"}}'),
    ("0.26.0", "-cc.custom_ops+=none,+rms_norm"),
    ("0.26.0", "-cc.max_cudagraph_capture_size=1k"),
    ("0.26.0", '--ir-op-priority={"rms_norm":"native, vllm_c"}'),
    (
        "0.26.0",
        '--kv-transfer-config={"kv_connector":null,"kv_role":"kv_both","kv_port":"14579","kv_rank":null}',
    ),
    ("0.11.0", '--kv-transfer-config={"kv_connector":"OffloadingConnector","kv_role":"kv_both"}'),
    ("0.26.0", '--kv-transfer-config={"kv_connector":"Own","kv_connector_module_path":"own.kv","kv_role":"kv_both"}'),
    ("0.26.0", "--max-num-batched-tokens=8k"),
    ("0.26.0", "--max-model-len=-1"),
    ("0.26.0", "--max-logprobs=-1"),
    ("0.26.0", "--tokenizer-mode=slow"),
    ("0.26.0", "--mm-encoder-attn-backend=flash_attn"),
    ("0.26.0", "--distributed-executor-backend=my.module.Executor"),
]


@each(REFUSED, lambda case: f"{case[0]} {case[1]}")
def test_what_no_class_takes_is_refused(case: tuple[str, str, str]) -> None:
    release, argument, said = case
    problems = check_argv((argument,), {}, load_contract("vllm", release))
    assert said in " ".join(f"{problem.message} {problem.remedy}" for problem in problems)


@each(TAKEN, " ".join)
def test_what_a_class_takes_passes(case: tuple[str, str]) -> None:
    assert check_argv((case[1],), {}, load_contract("vllm", case[0])) == ()


@pytest.mark.parametrize(
    ("word", "takes", "refuses"),
    [
        ("bool", [True, 1, 0.0, "yes", "FALSE"], [2, "maybe", None, []]),
        ("int>=-1", [-1, 3, 3.0, "4", True], [-2, 3.5, "x", None]),
        ("float>0<=1 | none", [0.5, "1", None], [0, 1.5, {}]),
        ('in("a",1)', ["a", 1], ["A", "1", None]),
        ("name(FULL,NONE) | in(0,2)", ["full", 2], ["half", 1]),
        ("word(b-c)", ["B-C", "b_c"], ["bc"]),
        ("list[int]", [[1, "2"], ()], ["1", [1, "x"]]),
        ("any", [object()], []),
    ],
)
def test_words_take_what_pydantic_takes(word: str, takes: list[object], refuses: list[object]) -> None:
    assert [value for value in takes if not value_fits(word, value)] == []
    assert [value for value in refuses if value_fits(word, value)] == []


TYPES: list[tuple[str, Any]] = [
    ("int", int),
    ("int>=1", Annotated[int, Field(ge=1)]),
    ("float", float),
    ("float>0<=1", Annotated[float, Field(gt=0, le=1)]),
    ("bool", bool),
    ("str", str),
    ('in("a",1)', Literal["a", 1]),
    ("list[int]", list[int]),
    ("list[str] | str", list[str] | str),
    ("dict", dict),
    ("int | none", int | None),
    ("bool | str | none", bool | str | None),
]
VALUES = [0, 1, -1, 2, 3.0, 3.5, 1e300, "0", "1", "1.5", "abc", "", "true", "yes", " 1 ", "1_000", "0x10", "1e3", "nan"]
VALUES += [None, True, False, [], [1], ["1"], ["a"], [1.5], [True], {}, {"a": 1}, "a", "1.0", "ON"]


@each(TYPES, lambda case: str(case[0]))
def test_words_agree_with_pydantic_itself(case: tuple[str, Any]) -> None:
    word, kind = case
    adapter = TypeAdapter(kind)
    for value in VALUES:
        for ask in (adapter.validate_python, lambda it: adapter.validate_json(json.dumps(it))):
            try:
                ask(value)
                takes = True
            except ValidationError:
                takes = False
            assert value_fits(word, value) is takes, value


def test_a_long_list_is_told_in_part() -> None:
    assert told(f"in({','.join(map(str, range(20)))}) | none").endswith("7 and 12 more or null")


BOUNDS = [
    ("0.26.0", "--renderer-num-workers=0", "a whole number >= 1"),
    ("0.19.0", "--renderer-num-workers=-1", "a whole number >= 1"),
    ("0.33.0", "--sse-keep-alive-interval=-5", "a whole number >= 0"),
    ("0.8.5", "--seed=-1", ">= 0 and <= 4294967295"),
    ("0.33.0", "--seed=4294967296", ">= 0 and <= 4294967295"),
    ("0.26.0", "--num-gpu-blocks-override=0", "a whole number >= 1"),
    ("0.26.0", "--offload-num-in-group=0", "a whole number >= 1"),
    ("0.10.2", "--cpu-offload-gb=-1", "a number >= 0"),
    ("0.26.0", "--cpu-offload-gb=-0.5", "a number >= 0"),
    ("0.9.2", "--num-scheduler-steps=0", "a whole number >= 1"),
    ("0.26.0", "--shutdown-timeout=-1", "a whole number >= 0"),
]


@each(BOUNDS, " ".join)
def test_numbers_that_a_start_refuses_are_told(case: tuple[str, str, str]) -> None:
    version, argument, words = case
    (problem,) = check_argv((argument,), {}, load_contract("vllm", version))
    assert words in problem.message


@pytest.mark.parametrize(
    "argument",
    ["--renderer-num-workers=4", "--sse-keep-alive-interval=0", "--seed=0", "--seed=4294967295",
     "--num-gpu-blocks-override=512", "--num-gpu-blocks-override=None", "--offload-prefetch-step=0",
     "--cpu-offload-gb=0", "--h11-max-header-count=1", "--h11-max-incomplete-event-size=0", "--max-log-len=0"],
)  # fmt: skip
def test_numbers_that_a_release_serves_with_pass(argument: str) -> None:
    assert check_argv((argument,), {}, load_contract("vllm", "0.29.0")) == ()
