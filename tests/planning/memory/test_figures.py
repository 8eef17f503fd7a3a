"""No figure of a verdict is below 0: what lacks has a figure of its own."""

from collections.abc import Iterator
from typing import Any

import pytest

from l4serve.planning.stack.plan_json import stack_json
from tests.factories import planned, serving, workload

TGI: dict[str, Any] = {
    "kind": "tgi", "version": None, "maxBatchPrefillTokens": 945451, "maxTotalTokens": 595, "maxModelLen": None,
}  # fmt: skip
SHORT = {
    "tgi": workload("Qwen/Qwen2.5-1.5B-Instruct-GPTQ-Int4", engine=TGI, nodePool="l4", fit="warn"),
    "vllm": workload("Qwen/Qwen2.5-32B-Instruct", nodePool="l4", fit="warn"),
}


@pytest.mark.parametrize("engine", SHORT)
def test_a_model_that_does_not_fit_is_told_by_what_lacks(engine: str) -> None:
    document = stack_json(planned(serving({"w": SHORT[engine]})))
    fit = document["workloads"]["w"]["fit"]
    assert fit["kvRoomGib"] == fit["kvCacheGib"] == 0 < fit["shortageGib"]
    assert [*below_nothing(document)] == []


def below_nothing(found: Any, path: str = "") -> Iterator[str]:
    """Paths of the figures below 0."""
    if isinstance(found, dict | list):
        for key, value in found.items() if isinstance(found, dict) else enumerate(found):
            yield from below_nothing(value, f"{path}.{key}")
    elif isinstance(found, int | float) and found < 0:
        yield path
