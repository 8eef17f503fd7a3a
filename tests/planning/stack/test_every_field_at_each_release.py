"""At every release each field of a workload reaches the plan, or is refused by the path of a rule: none is dropped.

Releases that are alike in all that a field can depend on are walked over once.
"""

import copy
import json
from collections.abc import Callable, Hashable, Mapping
from functools import cache
from typing import Any

import pytest

from l4serve.config.keys.tgi import TgiEngine
from l4serve.config.keys.vllm import VllmEngine
from l4serve.config.refusals.problems import ConfigError
from l4serve.engines.image_users import image_user
from l4serve.engines.model_location import CACHE_VARIABLE
from l4serve.engines.releases.contract import Contract, contract_versions, load_contract
from l4serve.engines.releases.field_flags import field_owners
from l4serve.planning.stack.stack_plan import StackPlan
from scripts import engine_samples
from tests import factories
from tests.planning.stack.field_edit import FieldEdit
from tests.planning.stack.field_edits import BASES, EDITS
from tests.planning.stack.test_every_field import decided, laid_over

SAMPLES: dict[str, Mapping[str, tuple[Any, ...]]] = {"vllm": engine_samples.VLLM, "tgi": engine_samples.TGI}
SIZES = {"tensorParallelSize", "pipelineParallelSize", "numShard"}
MODELS = {"vllm": VllmEngine, "tgi": TgiEngine}
ALL = [load_contract(kind, version) for kind in SAMPLES for version in contract_versions(kind)]
ENDS = {(kind, contract_versions(kind)[end]) for kind in SAMPLES for end in (0, -1)}
BY_RELEASE = ("workloads.", "monitoring.", "expose.", "huggingFace.")
"""Parts of a stack whose effect a release may change; clusters and pools know none."""


def facts(contract: Contract) -> Hashable:
    """What fields outside the engine can depend on: releases alike in it are alike to them."""
    flags = (
        "--ssl-certfile",
        "--enable-ssl-refresh",
        "--revision",
        contract.shutdown.drain_flag or "--shutdown-timeout",
    )
    return (
        contract.engine,
        contract.health_path,
        tuple(sorted(contract.autoscaling_metrics.items())),
        contract.shutdown,
        contract.token_env,
        contract.command,
        CACHE_VARIABLE in contract.env,
        str(image_user(contract)),
        tuple(contract.flag(flag) is not None for flag in flags),
        contract.image_facts,
    )


def marked(contracts: list[Contract]) -> list[Any]:
    """The oldest and the newest of an engine, and the others where there is time."""
    slow = [() if (each.engine, each.version) in ENDS else pytest.mark.slow for each in contracts]
    return [pytest.param(each, id=each.name, marks=mark) for each, mark in zip(contracts, slow, strict=True)]


def told(contract: Contract) -> Hashable:
    """How a release takes each typed field."""
    names = field_owners(MODELS[contract.engine], contract.engine)
    flags = (str(contract.flag(name)) if name.startswith("--") else name in contract.env for name in names)
    return (contract.engine, *flags)


def unlike(alike: Callable[[Contract], Hashable]) -> list[Contract]:
    """The first release of each kind that differs, and the newest."""
    first: dict[Hashable, Contract] = {}
    for contract in ALL:
        first.setdefault(alike(contract), contract)
    return [*first.values(), *(c for c in ALL if (c.engine, c.version) in ENDS and c not in first.values())]


def of_release(contract: Contract, base: Mapping[str, Any]) -> dict[str, Any]:
    """A stack whose workload is served by that release."""
    stack = copy.deepcopy(dict(base))
    wanted = {"kind": contract.engine, "version": contract.version}
    kept = stack["workloads"]["qwen"]["engine"] if contract.engine == "vllm" else {}
    stack["workloads"]["qwen"]["engine"] = {**kept, **wanted}
    return stack


def attempt(stack: dict[str, Any], *, has_token: bool = False) -> StackPlan | ConfigError:
    try:
        return factories.planned(stack, has_token=has_token)
    except ConfigError as error:
        return error


@cache
def without(contract: Contract, base: str) -> StackPlan:
    return factories.planned(of_release(contract, BASES[base]))


@pytest.mark.parametrize("contract", marked(unlike(told)))
def test_each_engine_field_is_told_to_the_engine_or_refused(contract: Contract) -> None:
    plain = without(contract, "standard").workloads[0].engine
    for field, values in SAMPLES[contract.engine].items():
        value = 2 if field in SIZES else values[0]
        stack = of_release(contract, BASES["standard"])
        if field in SIZES:
            stack["nodePools"]["l4"] |= {"machineType": "g2-standard-24"}
        stack["workloads"]["qwen"]["engine"] |= {field: value}
        found = attempt(stack)
        if isinstance(found, ConfigError):
            assert all(each.path.startswith("workloads.qwen.") and each.remedy for each in found.problems), field
            assert any(_names(each.path, each.message, field, contract) for each in found.problems), (field, found)
            continue
        engine = found.workloads[0].engine
        assert (engine.argv, dict(engine.env)) != (plain.argv, dict(plain.env)), (field, value)


def _names(path: str, message: str, field: str, contract: Contract) -> bool:
    """Whether a problem is about the field, by its path, or by the rule or the release that it names."""
    return path.startswith(f"workloads.qwen.engine.{field}") or "[" in message or contract.name in message


@pytest.mark.parametrize("contract", marked(unlike(facts)))
def test_each_field_around_the_engine_changes_the_plan_or_is_refused(contract: Contract) -> None:
    for edit in (each for each in EDITS if each.path.startswith(BY_RELEASE)):
        before = given(contract, edit.base, json.dumps(edit.given), edit.has_token)
        after = attempt(_edited(contract, edit), has_token=edit.has_token)
        if isinstance(after, ConfigError):
            assert all(each.remedy for each in after.problems), (edit.path, str(after))
            assert any(_of(edit, each.path) for each in after.problems), (edit.path, str(after))
        elif not isinstance(before, ConfigError):
            assert decided(before) != decided(after), edit.path


@cache
def given(contract: Contract, base: str, edits: str, has_token: bool) -> StackPlan | ConfigError:
    """The stack before an edit, which many edits share."""
    return attempt(laid_over(of_release(contract, BASES[base]), json.loads(edits)), has_token=has_token)


def _edited(contract: Contract, edit: FieldEdit) -> dict[str, Any]:
    return laid_over(laid_over(of_release(contract, BASES[edit.base]), edit.given), edit.change)


def _of(edit: FieldEdit, path: str) -> bool:
    """Whether a problem stands where the edit, or what it presumes, put something."""
    roots = (key.split("[")[0] for key in (*edit.change, *edit.given))
    return any(path.startswith(root) or root.startswith(path) for root in roots)
