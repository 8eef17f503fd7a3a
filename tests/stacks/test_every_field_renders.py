"""Every field of the config changes what the program makes, or the table says what else it is for."""

import copy
import json
from functools import cache
from typing import Any

import pytest

from l4serve.cli.render_command import render_stack
from scripts import engine_samples
from tests import factories
from tests.planning.stack.field_edits import BASES, EDITS, SAME_PLAN
from tests.planning.stack.test_every_field import laid_over
from tests.stacks.fields_of_the_plan import ONLY_PLANNED

pytestmark = pytest.mark.slow


def rendering(serving: dict[str, Any], *, has_token: bool) -> str:
    """All objects, cloud resources and outputs, as text."""
    return _rendered(json.dumps(serving), has_token)


@cache
def _rendered(serving: str, has_token: bool) -> str:
    found = render_stack(factories.loaded(json.loads(serving), has_token=has_token))
    return json.dumps([found.objects, found.cloud, found.outputs], sort_keys=True, default=str)


@pytest.mark.parametrize("edit", EDITS, ids=lambda e: e.path)
def test_a_field_changes_the_rendering(edit: Any) -> None:
    base = laid_over(copy.deepcopy(BASES[edit.base]), edit.given)
    before = rendering(base, has_token=edit.has_token)
    after = rendering(laid_over(base, edit.change), has_token=edit.has_token)
    if edit.path in ONLY_PLANNED:
        assert before == after, f"it changes the rendering, so it is none of ONLY_PLANNED: {ONLY_PLANNED[edit.path]}"
    else:
        assert before != after, "it changes nothing that the program makes"


SAMPLED = [("vllm", field) for field in engine_samples.VLLM] + [("tgi", field) for field in engine_samples.TGI]
VALUES = {
    **{"tensorParallelSize": 1, "pipelineParallelSize": 2, "numShard": 1, "quantization": "fp8", "quantize": "eetq"},
    "maxBatchPrefillTokens": 8192,
}
"""In place of a field's first sample: sizes that the two cards hold, and values that this model takes."""
GIVEN: dict[str, dict[str, Any]] = {
    "enableAutoToolChoice": {"toolCallParser": "hermes"},
    "task": {"version": "0.8.0"},
    "swapSpace": {"version": "0.16.0"},
}
"""What a field goes with."""


def served(kind: str, **engine: Any) -> dict[str, Any]:
    """A stack of one workload on two cards, with these settings of its engine."""
    newest = {"version": factories.ENGINE["version"], "maxModelLen": 2048} if kind == "vllm" else {"version": "3.3.7"}
    pools = {"l4": {"machineType": "g2-standard-24", "maxNodes": 1}}
    own = {"maxModelLen": None, "kind": kind, **newest, **engine}
    return factories.serving({"w": factories.workload(engine=own, gpus=2)}, pools=pools)


@pytest.mark.parametrize(("kind", "field"), SAMPLED)
def test_an_engine_field_changes_the_rendering(kind: str, field: str) -> None:
    samples = engine_samples.VLLM if kind == "vllm" else engine_samples.TGI
    given = GIVEN.get(field, {})
    stack = served(kind, **given, **{field: VALUES.get(field, samples[field][0])})
    if field in ("tensorParallelSize", "numShard"):
        del stack["workloads"]["w"]["gpus"]
    assert rendering(stack, has_token=False) != rendering(served(kind, **given), has_token=False)


def test_the_table_of_exceptions_names_fields() -> None:
    assert set(ONLY_PLANNED) <= {edit.path for edit in EDITS}
    assert not set(ONLY_PLANNED) & set(SAME_PLAN)
