"""Flags that set one key of an object are led to the typed field that sets the whole, with its value."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from l4serve.engines.argv import EngineRefusal
from tests.engines.test_argv import NEWEST, V26, built, load_contract

FIRST = load_contract("vllm", "0.22.0")
PROMPT = {"method": "ngram", "num_speculative_tokens": 5}
DRAFT = {"method": "draft_model", "model": "Qwen/Qwen2.5-3B-Instruct", "num_speculative_tokens": 3}


@pytest.mark.parametrize("contract", [FIRST, V26, NEWEST], ids=lambda contract: contract.version)
@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("--spec-method=ngram", "--spec-tokens=5"), PROMPT),
        (("--spec-meth", "ngram", "--spec-tok", "5"), PROMPT),
        (
            ("--spec-method=draft_model", "--spec-model=Qwen/Qwen2.5-3B-Instruct", "--spec_tokens=3"),
            DRAFT,
        ),
    ],
)
def test_parts_of_the_speculative_config_are_led_to_the_whole(
    contract: Any, arguments: tuple[str, ...], meant: Mapping[str, Any]
) -> None:
    """Before, they were passed on, and memory was judged as if nothing were drafted."""
    with pytest.raises(EngineRefusal) as refusal:
        built(contract, extra_args=arguments)
    found = refusal.value.problems
    assert len(found) == len(meant)
    assert {problem.remedy for problem in found} == {
        f"remove it, and set engine.speculativeConfig: {json.dumps(meant)} instead"
    }
    assert json.dumps(meant, separators=(",", ":")) in built(contract, {"speculativeConfig": meant}).argv[-1]


@pytest.mark.parametrize(
    ("argument", "remedy"),
    [
        ("--spec-tokens=5", "remove it"),
        ("--spec-tokens=7", 'set engine.speculativeConfig: {"method": "ngram", "num_speculative_tokens": 7}'),
    ],
)
def test_a_part_that_is_in_the_typed_field_too_is_told(argument: str, remedy: str) -> None:
    with pytest.raises(EngineRefusal) as refusal:
        built(V26, {"speculativeConfig": PROMPT}, extra_args=(argument,))
    (problem,) = refusal.value.problems
    assert "num_speculative_tokens beside engine.speculativeConfig" in problem.message
    assert problem.remedy.endswith(remedy)


def test_a_release_without_the_flags_says_when_they_came() -> None:
    with pytest.raises(EngineRefusal) as refusal:
        built(load_contract("vllm", "0.21.0"), extra_args=("--spec-method=ngram",))
    (problem,) = refusal.value.problems
    assert "came with 0.22.0" in problem.remedy
