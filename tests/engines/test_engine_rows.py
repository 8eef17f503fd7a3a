"""Another engine is rows of data, its typed flags and one object: nothing else names the engines that there are."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from l4serve.config import data_file
from l4serve.config.problems import ConfigError
from l4serve.config.stack import StackConfig
from l4serve.config.vllm import VllmEngine
from l4serve.config.workload import Workload
from l4serve.engines import contract
from l4serve.engines.contract_names import named_contract
from l4serve.engines.profile import engine_kinds, engine_profile
from l4serve.planning.memory import engine_memory
from l4serve.planning.memory.vllm import VllmMemory
from l4serve.planning.stack.plan_json import stack_json
from l4serve.planning.stack.version_move import version_move
from l4serve.planning.workload.fit_question import Question, subject_of
from l4serve.planning.workload.judging import judge
from tests import factories
from tests.caches import clear_caches

KIND, RELEASE = "octo", "0.26.0"


class OctoEngine(VllmEngine):
    """An engine of the future, which takes what vLLM takes under a name of its own."""

    kind: Literal["octo"] = "octo"  # type: ignore[assignment]


@pytest.fixture
def octo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The new engine's rows beside those of the others, in a temporary folder."""
    for table in contract.CONTRACTS.glob("*.json"):
        (tmp_path / table.name).write_text(table.read_text(encoding="utf-8"), encoding="utf-8")
    rows = json.loads((tmp_path / "vllm.json").read_text(encoding="utf-8"))
    (tmp_path / f"{KIND}.json").write_text(json.dumps({**rows, "engine": KIND}), encoding="utf-8")
    monkeypatch.setattr(contract, "CONTRACTS", tmp_path)
    read = data_file.read_data

    def with_rows(path: Path) -> Any:
        table = read(path)
        if path.name == "host.json":
            return {**table, "engines": {**table["engines"], KIND: table["engines"]["vllm"]}}
        if not isinstance(table, dict) or "vllm" not in table:
            return table
        own = json.loads(json.dumps(table["vllm"]))
        if path.name == "profiles.yaml":
            own[0] |= {"image": "docker.io/octo/server:v{version}"}
            own[0]["traits"] |= {"title": "Octo"}
        return {**table, KIND: own}

    monkeypatch.setattr(data_file, "read_data", with_rows)
    monkeypatch.setitem(engine_memory.ENGINES, KIND, VllmMemory(kind=KIND))  # type: ignore[arg-type]
    field = Workload.model_fields["engine"]
    before = field.annotation
    field.annotation = before | OctoEngine  # type: ignore[operator]
    rebuild()
    clear_caches()
    yield
    field.annotation = before
    rebuild()
    monkeypatch.undo()
    clear_caches()


def rebuild() -> None:
    for model in (Workload, StackConfig):
        model.model_rebuild(force=True)


def serving(**engine: Any) -> dict[str, Any]:
    return factories.serving({"w": factories.workload(engine={"kind": KIND, "version": RELEASE, **engine})})


@pytest.mark.usefixtures("octo")
def test_an_engine_of_rows_plans_and_is_priced() -> None:
    assert engine_kinds() == ("vllm", "tgi", KIND)
    plan = factories.planned(serving(maxModelLen=8192))
    (workload,) = plan.workloads
    assert workload.engine.image == f"docker.io/octo/server:v{RELEASE}"
    assert "--max-model-len=8192" in workload.engine.argv
    assert workload.judgement.fit is not None
    assert workload.judgement.fit.fits
    assert plan.cost.usd_at_most > 0
    assert stack_json(plan)["workloads"]["w"]["engine"] == KIND


@pytest.mark.usefixtures("octo")
def test_an_engine_of_rows_is_checked_and_judged() -> None:
    stack = factories.loaded(serving(maxModelLen=8192))
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


def test_the_rows_are_gone_afterwards() -> None:
    assert engine_kinds() == ("vllm", "tgi")
    with pytest.raises(ConfigError):
        factories.loaded(serving())
