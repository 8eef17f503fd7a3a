"""Every field of the config changes what is made, or is named here with what it decides beside that."""

import copy
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from l4serve.cli.render_command import render_stack
from l4serve.config.problems import ConfigError
from l4serve.engines.contract import contract_versions
from tests import factories
from tests.planning.stack.field_edit import FieldEdit
from tests.planning.stack.field_edits import BASES, EDITS
from tests.planning.stack.test_every_field import laid_over
from tests.planning.stack.test_every_field_at_each_release import SAMPLES, SIZES

MAKES_NOTHING = {
    "cluster.kubeconfig": "says which cluster the provider speaks to",
    "cluster.context": "says which cluster the provider speaks to",
    "workloads.*.load.inputTokens": "is for estimates alone",
    "workloads.*.load.outputTokens": "is for estimates alone",
    "prices.onDemand": "is for the cost of the plan alone",
    "prices.spot": "is for the cost of the plan alone",
    "prices.flexStart": "is for the cost of the plan alone",
}


def made(serving: Mapping[str, Any], *, has_token: bool = False) -> str:
    """The objects and resources of a stack, as text."""
    return _made(json.dumps(serving, sort_keys=True), has_token)


@cache
def _made(serving: str, has_token: bool) -> str:
    rendered = render_stack(factories.loaded(json.loads(serving), has_token=has_token, name="made"))
    return json.dumps([[dict(each) for each in rendered.objects], list(rendered.cloud)], sort_keys=True)


@pytest.mark.parametrize("edit", EDITS, ids=lambda e: e.path)
def test_a_field_changes_what_is_made(edit: FieldEdit) -> None:
    base = laid_over(BASES[edit.base], edit.given)
    before = made(base, has_token=edit.has_token)
    after = made(laid_over(base, edit.change), has_token=edit.has_token)
    assert (before == after) is (edit.path in MAKES_NOTHING)


@pytest.mark.parametrize("kind", SAMPLES)
def test_an_engine_field_changes_what_its_pod_is_told(kind: str) -> None:
    plain = _of_newest(kind)
    told = 0
    for field, values in SAMPLES[kind].items():
        value = 2 if field in SIZES else values[0]
        stack = copy.deepcopy(plain)
        if field in SIZES:
            stack["nodePools"]["l4"] |= {"machineType": "g2-standard-24"}
        stack["workloads"]["qwen"]["engine"] |= {field: value}
        try:
            after = _told(stack)
        except ConfigError:
            continue
        assert after != _told(plain), (field, value)
        told += 1
    assert told > len(SAMPLES[kind]) / 2


def _of_newest(kind: str) -> dict[str, Any]:
    stack = copy.deepcopy(dict(BASES["standard"]))
    stack["workloads"]["qwen"]["engine"] = {"kind": kind, "version": contract_versions(kind)[-1]}
    return stack


def _told(stack: Mapping[str, Any]) -> Any:
    """Command line and environment of the engine's container."""
    objects, _ = json.loads(made(stack))
    (deployment,) = (each for each in objects if each["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return container["args"], container.get("env")
