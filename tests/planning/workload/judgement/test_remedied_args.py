"""A size of the cache that stands in extraArgs: memory stops there, and the field that mends it takes its place."""

import pytest

from l4serve.config.refusals.problems import ConfigError, Problem
from l4serve.engines.releases.contract import load_contract
from l4serve.planning.workload.judgement.remedied_args import remaining_args
from tests.factories import planned, serving, workload

QWEN = "Qwen/Qwen2.5-7B-Instruct"


def refusal(*extra_args: str, **engine: object) -> Problem:
    with pytest.raises(ConfigError) as refused:
        planned(serving({"q": workload(QWEN, engine={"maxModelLen": 8192, **engine}, extraArgs=list(extra_args))}))
    (problem,) = refused.value.problems
    return problem


@pytest.mark.parametrize(
    ("extra_args", "edit"),
    [
        (
            ("--num-gpu-blocks-override", "10", "--disable-uvicorn-access-log"),
            'engine.numGpuBlocksOverride: 512, extraArgs: ["--disable-uvicorn-access-log"]',
        ),
        (("--kv-cache-memory-bytes=1M",), "engine.kvCacheMemoryBytes: 448M, extraArgs: []"),
    ],
)
def test_a_tiny_cache_in_an_argument_is_mended_in_place_of_it(extra_args: tuple[str, ...], edit: str) -> None:
    problem = refusal(*extra_args)
    assert problem.path.endswith("extraArgs")
    assert problem.remedy is not None
    assert f"set {edit} (8192 cache tokens" in problem.remedy


def test_a_tiny_cache_in_a_field_is_named() -> None:
    assert refusal(numGpuBlocksOverride=10).path.endswith("engine.numGpuBlocksOverride")


def test_a_long_context_is_still_the_contexts_fault() -> None:
    with pytest.raises(ConfigError) as refused:
        planned(serving({"q": workload("google/gemma-7b", engine={"maxModelLen": 8192})}))
    assert refused.value.problems[0].path.endswith("engine.maxModelLen")


def test_only_arguments_of_the_edited_fields_go() -> None:
    contract = load_contract("vllm", "0.26.0")
    given = ("--num-gpu-blocks-override=10", "--aggregate-engine-logging", "--api-server-count", "1")
    assert remaining_args(given, {"engine.numGpuBlocksOverride": 512}, contract) == given[1:]
    assert remaining_args(given, {"engine.maxModelLen": 512, "gpus": 2}, contract) == given
