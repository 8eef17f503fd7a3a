"""An engine that nobody has: its rows beside those of the others, its typed flags and one object."""

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest

from l4serve.config import data_file
from l4serve.config.keys.stack import StackConfig
from l4serve.config.keys.vllm import VllmEngine
from l4serve.config.keys.workload import Workload
from l4serve.engines.releases import contract
from l4serve.engines.releases.contract_table import CONTRACTS
from l4serve.planning.memory import engine_memory
from l4serve.planning.memory.vllm import VllmMemory
from tests import factories
from tests.caches import clear_caches

KIND, RELEASE = "octo", "0.26.0"


class OctoEngine(VllmEngine):
    """An engine of the future, which takes what vLLM takes under a name of its own."""

    kind: Literal["octo"] = "octo"  # type: ignore[assignment]


def octo_stack(**engine: Any) -> dict[str, Any]:
    """One workload of the new engine."""
    return factories.serving({"w": factories.workload(engine={"kind": KIND, "version": RELEASE, **engine})})


@contextmanager
def added_engine(folder: Path) -> Iterator[None]:
    """The product with the new engine, as long as the context lasts; the folder takes its contract."""
    for table in CONTRACTS.glob("*.json"):
        (folder / table.name).write_text(table.read_text(encoding="utf-8"), encoding="utf-8")
    rows = json.loads((folder / "vllm.json").read_text(encoding="utf-8"))
    (folder / f"{KIND}.json").write_text(json.dumps({**rows, "engine": KIND}), encoding="utf-8")
    field = Workload.model_fields["engine"]
    before = field.annotation
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contract, "CONTRACTS", folder)
        patch.setattr(data_file, "read_data", _with_rows(data_file.read_data))
        patch.setitem(engine_memory.ENGINES, KIND, VllmMemory(kind=KIND))
        try:
            _engines(before | OctoEngine)
            yield
        finally:
            patch.undo()
            _engines(before)


def _with_rows(read: Any) -> Any:
    """The tables with the engine's rows: those of vLLM, under another image and name."""

    def with_rows(path: Path) -> Any:
        table = read(path)
        if not isinstance(table, dict):
            return table
        if isinstance(rows := table.get("engines"), dict) and "vllm" in rows:
            return {**table, "engines": {**rows, KIND: rows["vllm"]}}
        if "vllm" not in table:
            return table
        own = copy.deepcopy(table["vllm"])
        if path.name == "profiles.yaml":
            own[0] |= {"image": "docker.io/octo/server:v{version}"}
            own[0]["traits"] |= {"title": "Octo"}
        return {**table, KIND: own}

    return with_rows


def _engines(union: Any) -> None:
    """Lets a workload name the engines of the union; what was read of others is forgotten."""
    Workload.model_fields["engine"].annotation = union
    for model in (Workload, StackConfig):
        model.model_rebuild(force=True)
    clear_caches()
