"""Another engine is rows of data, its typed flags and one object: nothing else names the engines that there are."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from l4serve.config.refusals.problems import ConfigError
from l4serve.engines.releases.contract_names import named_contract
from l4serve.engines.releases.profile import engine_kinds, engine_profile
from l4serve.planning.stack.plan_json import stack_json
from l4serve.planning.stack.version_move import version_move
from l4serve.planning.workload.judgement.fit_question import Question, subject_of
from l4serve.planning.workload.judgement.judging import judge
from tests import factories
from tests.engines.engine_rows import KIND, RELEASE, added_engine, octo_stack


@pytest.fixture
def octo(tmp_path: Path) -> Iterator[None]:
    with added_engine(tmp_path):
        yield


@pytest.mark.usefixtures("octo")
def test_an_engine_of_rows_plans_and_is_priced() -> None:
    assert engine_kinds() == ("vllm", "tgi", KIND)
    plan = factories.planned(octo_stack(maxModelLen=8192))
    (workload,) = plan.workloads
    assert workload.engine.image == f"docker.io/octo/server:v{RELEASE}"
    assert "--max-model-len=8192" in workload.engine.argv
    assert workload.judgement.fit is not None
    assert workload.judgement.fit.fits
    assert plan.cost.usd_at_most > 0
    assert stack_json(plan)["workloads"]["w"]["engine"] == KIND


@pytest.mark.usefixtures("octo")
def test_an_engine_of_rows_is_checked_and_judged() -> None:
    stack = factories.loaded(octo_stack(maxModelLen=8192))
    (moved,) = version_move(stack, named_contract(f"{KIND}-0.33.0"))
    assert (moved.engine, moved.then.version, moved.breaks) == (KIND, "0.33.0", False)
    large = factories.workload("meta-llama/Llama-3.3-70B-Instruct", engine={"kind": KIND})
    with pytest.raises(ConfigError, match="does not fit"):
        factories.planned(factories.serving({"w": large}))
    small = subject_of(
        Question(
            model=next(m for m in _models() if m.id == factories.SMALL),
            engine=KIND,
            engine_version=RELEASE,
            accelerator="nvidia-l4",
            gpus=1,
            settings={"length": 4096},
        )
    )
    assert judge(small).refusals == ()
    assert engine_profile(KIND).title == "Octo"


def _models() -> Any:
    from l4serve.planning.models.catalogue import all_models

    return all_models()


@pytest.mark.slow
def test_the_rows_are_gone_afterwards() -> None:
    assert engine_kinds() == ("vllm", "tgi")
    with pytest.raises(ConfigError):
        factories.loaded(octo_stack())
