"""Which attention backend an engine version takes on a card, from the table in `data/attention_backends.yaml`."""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.engines.cards import Capability, written
from l4serve.engines.releases.contract import Contract
from l4serve.engines.traits import GpuTraits, ModelTraits


@frozen()
class Choice:
    """The backend in force: the one asked for, or the first that serves the workload."""

    name: str | None
    """None when nothing is known of the model, the card or the release: `unjudged` says of which."""
    faults: tuple[str, ...] = ()
    """Why the backend does not serve the workload; empty when it does."""
    source: str = ""
    unjudged: str | None = None
    """Why nobody knows the backend; None when it is known."""

    @property
    def fault(self) -> str | None:
        """The faults as one text; None when there is none."""
        return ", ".join(self.faults) or None


@frozen()
class Demand:
    """What is asked of a backend."""

    head_dim: int
    dtype: str | None
    kv_cache_dtype: str
    needs: frozenset[str]
    architecture: str
    capability: Capability
    """The card's compute capability."""


@lru_cache(maxsize=4096)
def choose_backend(
    kind: str,
    version: Version,
    *,
    model: ModelTraits,
    gpu: GpuTraits,
    dtype: str | None,
    kv_cache_dtype: str,
    requested: str | None,
) -> Choice:
    """The backend for a model on a card, whether it was asked for or left to the engine."""
    entry = _entry(kind, version)
    needs = _needs(kind, version, model, gpu)
    unjudged = _unjudged(entry, model, gpu, needs)
    if entry is None or model.head_dim is None or unjudged is not None:
        return Choice(None, unjudged=unjudged)
    wanted = frozenset(need["need"] for need in needs if "need" in need)
    demand = Demand(model.head_dim, dtype, kv_cache_dtype, wanted, model.architecture or "", gpu.compute_capability)
    forced = next((need["forces"] for need in needs if "forces" in need), None)
    if asked := requested or forced:
        table = entry["backends"].get(asked)
        return Choice(asked, _faults(table, demand) if table is not None else (), entry["source"])
    order = entry.get("at", {}).get(written(gpu.compute_capability), {}).get("order", entry["order"])
    for name in order:
        if not _faults(entry["backends"][name], demand):
            return Choice(name, (), entry["source"])
    last = order[0]
    return Choice("none", _faults(entry["backends"][last], demand), entry["source"])


def asked_backend(contract: Contract, version: Version, name: str | None) -> str | None:
    """The backend that a name means to the release: as a flag in any case, as a variable in capitals only."""
    if name is None or contract.flag("--attention-backend") is None:
        return name
    entry = _entry(contract.engine, version)
    return None if entry and name.lower() in entry.get("automatic", ()) else name.upper()


def _unjudged(
    entry: Mapping[str, Any] | None, model: ModelTraits, gpu: GpuTraits, needs: Sequence[Mapping[str, Any]]
) -> str | None:
    """What is not known of the choice; None when all of it is."""
    if entry is None:
        return "no table has the release"
    if written(gpu.compute_capability) not in entry["capabilities"]:
        return f"no table has compute capability {written(gpu.compute_capability)}"
    if model.head_dim is None:
        return "the model's head size is not known"
    if any(need.get("unjudged") for need in needs):
        return f"{model.architecture} has backends of its own here"
    return None


def _faults(backend: Mapping[str, Any], demand: Demand) -> tuple[str, ...]:
    table = {**backend, **backend.get("at", {}).get(written(demand.capability), {})}
    least = str(table.get("minCapability", "0.0"))
    checks = (
        (demand.capability >= tuple(map(int, least.split("."))), f"needs compute capability {least}"),
        (_serves_head(table, demand.head_dim), f"no head size {demand.head_dim}"),
        (demand.dtype is None or demand.dtype in table.get("dtypes", (demand.dtype,)), f"no {demand.dtype}"),
        (demand.kv_cache_dtype in table.get("kv", ("auto",)), f"no {demand.kv_cache_dtype} KV cache"),
        ("sinks" not in demand.needs or table.get("sinks", False), "no attention sinks on this card"),
        ("mmPrefix" not in demand.needs or table.get("mmPrefix", False), "no bidirectional attention over images"),
        (demand.architecture not in table.get("notFor", ()), f"not for {demand.architecture}"),
    )
    return tuple(text for good, text in checks if not good)


def _serves_head(table: Mapping[str, Any], head: int) -> bool:
    if "heads" in table:
        return head in table["heads"]
    within = table.get("headMin", 0) <= head <= table.get("headMax", head)
    return bool(within and head % table.get("headMultiple", 1) == 0)


@cache
def _tables() -> Mapping[str, Any]:
    tables: Mapping[str, Any] = load_data(__file__, "attention_backends.yaml")
    return tables


@cache
def _entry(kind: str, version: Version) -> Mapping[str, Any] | None:
    return next((e for e in _tables()[kind] if version in SpecifierSet(e["versions"], prereleases=True)), None)


def _needs(kind: str, version: Version, model: ModelTraits, gpu: GpuTraits) -> list[Mapping[str, Any]]:
    card = written(gpu.compute_capability)
    return [
        need
        for need in _needs_of(kind, version)
        if model.architecture in need["architectures"] and card in need.get("capabilities", (card,))
    ]


@cache
def _needs_of(kind: str, version: Version) -> tuple[Mapping[str, Any], ...]:
    return tuple(
        need
        for need in _tables()["needs"]
        if need["engine"] == kind and version in SpecifierSet(need["versions"], prereleases=True)
    )
