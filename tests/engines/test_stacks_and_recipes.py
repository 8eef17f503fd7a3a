"""Every contract against every recipe and stack: what leaves the planner parses, the rest is refused by name."""

import pytest

from l4serve.config.keys.stack import StackConfig
from l4serve.config.keys.workload import Workload
from l4serve.config.recipes import recipes
from l4serve.engines.argv import EngineRefusal, Launch, build_launch, check_argv
from l4serve.engines.case import case_of
from l4serve.engines.gpu_layout import gpu_layout
from l4serve.engines.releases.contract import Contract, contract_versions, load_contract
from l4serve.engines.traits import ModelTraits
from tests.engines.rule_cases import L4
from tests.stack_cases import STACKS, planned

ALL = [load_contract(kind, version) for kind in ("vllm", "tgi") for version in contract_versions(kind)]


def workload(recipe: str) -> Workload:
    raw = {"cluster": {"mode": "existing"}, "workloads": {"w": recipes()[recipe].workload}}
    return StackConfig.model_validate(raw).workloads["w"]


def launched(recipe: str, contract: Contract) -> Launch:
    given = workload(recipe)
    layout = gpu_layout("workloads.w", given)
    model = ModelTraits(id=given.model.id)
    return build_launch(case_of(given, contract=contract, model=model, gpu=L4, layout=layout))


@pytest.mark.parametrize("recipe", sorted(recipes()))
@pytest.mark.parametrize("contract", ALL, ids=lambda contract: contract.name)
def test_every_recipe_under_every_contract_of_its_engine(recipe: str, contract: Contract) -> None:
    if workload(recipe).engine.kind != contract.engine:
        with pytest.raises(EngineRefusal):
            launched(recipe, contract)
        return
    launch = launched(recipe, contract)
    assert check_argv(launch.argv, launch.env, contract) == ()


@pytest.mark.parametrize("stack", STACKS)
def test_every_stack_under_every_contract_of_its_engines(stack: str) -> None:
    plan = planned(stack)
    assert plan.workloads
    for planned_workload in plan.workloads:
        drains = planned_workload.lifecycle.drain_args  # the planner's own, from the release that has them
        for contract in ALL:
            if contract.engine == planned_workload.engine.kind:
                argv = tuple(argument for argument in planned_workload.engine.argv if argument not in drains)
                problems = check_argv(argv, planned_workload.engine.env, contract)
                assert problems == (), (planned_workload.name, contract.name)


def test_every_recipe_of_the_guide_has_a_current_sibling() -> None:
    guide = {name for name in recipes() if not name.endswith("-current")}
    assert len(guide) == 7
    for name in guide:
        sibling = recipes()[f"{name}-current"]
        assert workload(sibling.name).engine.kind in ("vllm", "tgi")
        assert workload(sibling.name).gpus == workload(name).gpus
        assert sibling.source
        assert sibling.deviations
