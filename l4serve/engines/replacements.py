"""What releases dropped or renamed, and what to write instead."""

from dataclasses import dataclass
from functools import cache

from packaging.version import Version

from l4serve.config.data_file import load_data
from l4serve.engines.contract import Contract, contract_versions, load_contract


@dataclass(frozen=True)
class Replacement:
    """A flag, variable or metric that a release dropped."""

    engine: str
    name: str
    replacement: str | None
    """What to write instead; None when nothing takes its place."""
    remedy: str
    """The edit, in words."""
    source: str


@cache
def replacements() -> tuple[Replacement, ...]:
    """Everything that the data file names."""
    entries = load_data(__file__, "replacements.yaml")
    return tuple(Replacement(e["engine"], e["name"], e["replacement"], e["remedy"], e["source"]) for e in entries)


def known_in(kind: str, name: str) -> tuple[str, ...]:
    """Known versions that have a flag, variable or metric of that name, oldest first."""
    return tuple(v for v in contract_versions(kind) if _has(load_contract(kind, v), name))


def _has(contract: Contract, name: str) -> bool:
    return contract.flag(name) is not None or name in contract.env or name in contract.metrics


@dataclass(frozen=True)
class Removal:
    """A name that a release lacks, and what to do about it."""

    name: str
    remedy: str
    source: str | None

    @property
    def advice(self) -> str:
        """The remedy with its source."""
        return f"{self.remedy} ({self.source})" if self.source else self.remedy


def removal(contract: Contract, name: str) -> Removal | None:
    """What to do about a name that this contract lacks; None when no known release had it."""
    for entry in replacements():
        if entry.engine == contract.engine and entry.name == name:
            return Removal(name, entry.remedy, entry.source)
    having = known_in(contract.engine, name)
    if not having:
        return None
    if Version(having[0]) > Version(contract.version):
        return Removal(name, f"it came with {having[0]}; move to that version or remove it", None)
    return Removal(name, f"it ended after {having[-1]}; remove it", None)
