"""What releases dropped or renamed, and what to write instead."""

from functools import cache

from packaging.version import Version

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.engines.releases.contract import Contract, releases_with


@frozen()
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


def has_replacement(engine: str, name: str) -> bool:
    """Whether something else is written in place of a name that releases dropped."""
    return any((entry.engine, entry.name) == (engine, name) and entry.replacement for entry in replacements())


@frozen()
class Removal:
    """A name that a release lacks, and what to do about it."""

    name: str
    remedy: str
    source: str | None

    @property
    def reason(self) -> str:
        """Why the release lacks it, in the remedy's words before what to do."""
        return self.remedy.partition(";")[0]

    @property
    def advice(self) -> str:
        """The remedy with its source."""
        return f"{self.remedy} ({self.source})" if self.source else self.remedy


def removal(contract: Contract, name: str) -> Removal | None:
    """What to do about a name that this contract lacks; None when no release had it."""
    having = releases_with(contract.engine, name)
    older = [release for release in having if Version(release) < Version(contract.version)]
    newer = [release for release in having if Version(release) > Version(contract.version)]
    if newer and not older:
        return Removal(name, f"it came with {newer[0]}; move to that version or remove it", None)
    for entry in replacements():
        if entry.engine == contract.engine and entry.name == name:
            return Removal(name, entry.remedy, entry.source)
    if newer:
        return Removal(name, f"it ended after {older[-1]} and came back with {newer[0]}; remove it", None)
    return Removal(name, f"it ended after {older[-1]}; remove it", None) if older else None
