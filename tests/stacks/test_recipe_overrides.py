"""A recipe is a preset that any field of the workload overrides, and null takes away."""

from typing import Any

import pytest

from l4serve.config.refusals.problems import ConfigError
from l4serve.config.stack_file import SERVING_KEY, parse_stack
from tests.config.wrong_configs import GOOD
from tests.stack_cases import ROOT


def workload(**fields: Any) -> Any:
    serving = GOOD | {"workloads": {"gemma": {"recipe": "vllm-7b-kvcache", **fields}}}
    return parse_stack("test", {SERVING_KEY: serving}, base=ROOT).config.workloads["gemma"]


def problems(**fields: Any) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        workload(**fields)
    return [problem.path for problem in refused.value.problems]


def test_one_flag_leaves_the_others() -> None:
    engine = workload(engine={"maxModelLen": "512"}).engine
    assert (engine.max_model_len, engine.kv_cache_dtype, engine.version) == (512, "fp8_e5m2", "0.10.0")


def test_one_limit_leaves_the_others() -> None:
    resources = workload(resources={"limits": {"memory": "30Gi"}}).resources
    assert (resources.limits.memory, resources.limits.cpu, resources.requests.memory) == ("30Gi", "2", "25Gi")


def test_variables_join_those_of_the_recipe() -> None:
    assert set(workload(extraEnv={"A": 1}).extra_env) == {"A", "LD_LIBRARY_PATH"}


@pytest.mark.parametrize(
    ("fields", "gone"),
    [
        ({"engine": {"kvCacheDtype": None}}, lambda w: w.engine.kv_cache_dtype),
        ({"extraEnv": {"LD_LIBRARY_PATH": None}}, lambda w: w.extra_env),
        ({"extraEnv": None}, lambda w: w.extra_env),
        ({"labels": {"app": None}}, lambda w: w.labels.get("app")),
        ({"gpus": None}, lambda w: w.gpus),
    ],
)
def test_null_takes_the_recipes_value_away(fields: dict[str, Any], gone: Any) -> None:
    assert not gone(workload(**fields))


def test_another_version_leaves_the_recipes_image() -> None:
    assert workload(engine={"version": "0.26.0"}).engine.image is None
    assert workload(engine={"version": "0.10.0"}).engine.image
    assert workload(engine={"version": "0.26.0", "image": "mine:1"}).engine.image == "mine:1"


def test_null_cannot_take_away_what_a_workload_needs() -> None:
    assert problems(engine=None) == ["workloads.gemma.engine"]
    assert problems(model={"id": None}) == ["workloads.gemma.model.id"]


@pytest.mark.parametrize("recipe", ["vllm-7b-tokens", ["vllm-7b-token"], {"a": 1}, 5])
def test_an_unknown_recipe_is_one_error_beside_those_it_does_not_explain(recipe: Any) -> None:
    assert problems(recipe=recipe) == ["workloads.gemma.recipe"]
    assert problems(recipe=recipe, engine={"numShard": 2}) == ["workloads.gemma.recipe"]
    assert problems(recipe=recipe, replicas=-1) == ["workloads.gemma.recipe", "workloads.gemma.replicas"]
    typo = {"kind": "vllm", "maxModelLenn": 1}
    assert problems(recipe=recipe, engine=typo) == ["workloads.gemma.recipe", "workloads.gemma.engine.maxModelLenn"]
