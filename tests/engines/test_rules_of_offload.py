"""Weights on the host beside layers whose caches have blocks of their own, which releases up to 0.19 cannot do."""

from typing import Any

import pytest

from l4serve.planning.models.catalogue import find_model
from l4serve.planning.workload.judgement.model_traits import model_traits
from tests.engines.rule_cases import GEMMA, T4, errors, like

RULE = "vllm-offloaded-beside-layer-groups"
WINDOWS, STATES = like(GEMMA, cache_groups="windows"), like(GEMMA, cache_groups="states")
ONE_POOL: dict[str, Any] = {"extra_args": ("--disable-hybrid-kv-cache-manager",)}


@pytest.mark.parametrize(
    ("version", "model", "settings", "refused"),
    [
        ("0.9.0", STATES, {}, False),
        ("0.9.1", STATES, {}, True),
        ("0.19.1", STATES, ONE_POOL, True),
        ("0.20.0", STATES, {}, False),
        ("0.11.0", WINDOWS, {}, True),
        ("0.11.0", WINDOWS, ONE_POOL, False),
        ("0.11.0", GEMMA, {}, False),
        ("0.9.2", STATES, {"extra_env": {"VLLM_USE_V1": "0"}}, False),
        ("0.9.2", STATES, {"gpu": T4, "dtype": "half"}, False),
    ],
)
def test_weights_on_the_host_beside_groups_of_layers(
    version: str, model: Any, settings: dict[str, Any], *, refused: bool
) -> None:
    assert (RULE in errors("vllm", version, model, cpuOffloadGb=4, **settings)) is refused
    assert RULE not in errors("vllm", version, model, **settings)


@pytest.mark.parametrize(
    ("model_id", "groups"),
    [
        ("Qwen/Qwen3-Next-80B-A3B-Instruct", "states"),
        ("google/gemma-3-12b-it", "windows"),
        ("openai/gpt-oss-20b", "windows"),
        ("Qwen/Qwen3-8B", None),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", None),
    ],
)
def test_what_a_model_keeps_beside_whole_contexts(model_id: str, groups: str | None) -> None:
    assert model_traits(find_model(model_id), model_id).cache_groups == groups
