"""The table of an engine's contracts on disk: every release in one file, always written the same way.

A row holds for a span of releases, `FIRST:LAST` by the order of the list of releases; `FIRST:` holds to the newest one,
so that a new release changes only the rows that changed with it. Spans of one row are divided by spaces.
"""

import json
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from packaging.version import Version

from l4serve.config.words.spelling import by_number
from l4serve.engines.releases.contract_table import CONTRACTS, ContractTable, read_table

Contracts = Mapping[str, dict[str, Any]]
"""By release, the contract as a generator gives it."""

NAMES = ("paths", "env")
"""Parts that are names alone."""
ROWS = ("models", "dropped", "metrics")
"""Parts that are names with a value."""
SCALARS = ("command", "batchDefaults", "image", "dotted")
"""Parts that are one value."""
CLOSED_LISTS = ("choices", "values")
"""Lists of a flag that grow by the release, kept apart from it."""
VARIABLES = "variables"
"""The part that few workloads need, in a file of its own: what the environment variables may hold."""


def table_path(engine: str, part: str | None = None) -> Path:
    """Where the contracts of an engine lie, or a part that has a file of its own."""
    return CONTRACTS / (f"{engine}_{part}.json" if part else f"{engine}.json")


def read_contracts(engine: str) -> dict[str, dict[str, Any]]:
    """Every contract of the table as a generator gave it, by release; empty when there is no table yet."""
    path = table_path(engine)
    if not path.is_file():
        return {}
    table = ContractTable(read_table(path))
    contracts = {release: table.raw(release) for release in table.releases}
    apart = table_path(engine, VARIABLES)
    if apart.is_file():
        variables = ContractTable(read_table(apart))
        contracts = {r: {**contract, VARIABLES: variables.rows(VARIABLES, r)} for r, contract in contracts.items()}
    return contracts


def fold_variables(contracts: Contracts) -> dict[str, Any]:
    """The table of what the variables may hold, of those contracts that say."""
    releases = sorted((release for release, contract in contracts.items() if VARIABLES in contract), key=Version)
    rows = Spans(releases).rows({release: contracts[release][VARIABLES] for release in releases})
    return {"releases": releases, VARIABLES: rows}


def fold(engine: str, contracts: Contracts) -> dict[str, Any]:
    """One table of all contracts."""
    releases = sorted(contracts, key=Version)
    spans = Spans(releases)

    def values(part: str) -> dict[str, dict[str, Any]]:
        return spans.rows({release: contracts[release][part] for release in releases})

    flags = {
        release: {name: _without(flag, CLOSED_LISTS) for name, flag in contracts[release]["flags"].items()}
        for release in releases
    }
    return {
        "engine": engine,
        "releases": {release: contracts[release]["source"] for release in releases},
        **{part: spans.row({r: contracts[r][part] for r in releases if part in contracts[r]}) for part in SCALARS},
        "flags": spans.rows(flags),
        **{part: spans.lists(contracts, part) for part in CLOSED_LISTS},
        **{part: spans.names({release: contracts[release][part] for release in releases}) for part in NAMES},
        **{part: values(part) for part in ROWS},
    }


def _without(flag: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {key: value for key, value in flag.items() if key not in keys}


class Spans:
    """Spans over a list of releases."""

    def __init__(self, releases: list[str]) -> None:
        self.releases = releases

    def span(self, having: Collection[str]) -> str:
        """Releases as spans."""
        parts: list[str] = []
        start: str | None = None
        for before, release in zip([None, *self.releases], self.releases, strict=False):
            if release in having and start is None:
                start = release
            elif release not in having and start is not None:
                parts.append(f"{start}:{before}")
                start = None
        if start is not None:
            parts.append(f"{start}:")
        return " ".join(parts)

    def row(self, by_release: Mapping[str, Any]) -> dict[str, Any]:
        """Span to value, the oldest first."""
        texts = {release: json.dumps(value, sort_keys=True) for release, value in by_release.items()}
        return {
            self.span({release for release, own in texts.items() if own == text}): json.loads(text)
            for text in dict.fromkeys(texts[release] for release in self.releases if release in texts)
        }

    def rows(self, by_release: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
        """Name to its row."""
        names = sorted({name for row in by_release.values() for name in row})
        return {
            name: self.row({release: row[name] for release, row in by_release.items() if name in row}) for name in names
        }

    def names(self, by_release: Mapping[str, Iterable[str]]) -> dict[str, str]:
        """Name to the releases that have it."""
        sets = {release: set(names) for release, names in by_release.items()}
        return {
            name: self.span({release for release, own in sets.items() if name in own})
            for name in by_number(set().union(*sets.values()))
        }

    def lists(self, contracts: Contracts, part: str) -> dict[str, dict[str, str]]:
        """Flag to value to the releases that list it."""
        flags = sorted({name for c in contracts.values() for name, flag in c["flags"].items() if part in flag})
        return {
            name: self.names({r: map(str, c["flags"].get(name, {}).get(part, ())) for r, c in contracts.items()})
            for name in flags
        }


def render(table: Mapping[str, Any]) -> str:
    """The file's text: one flag, metric or path a line, so that two versions compare by `diff`."""
    parts = [f"{json.dumps(key)}: {_value(value)}" for key, value in table.items()]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _value(value: Any) -> str:
    if isinstance(value, dict) and value:
        lines = (f"  {json.dumps(key)}: {json.dumps(inner)}" for key, inner in value.items())
        return "{\n" + ",\n".join(lines) + "\n}"
    return json.dumps(value)


def check_or_write(engine: str, made: Contracts, check: bool) -> int:
    """Puts contracts into the engine's table, or with `check` only says whether it would change; the exit status."""
    whole = {**read_contracts(engine), **made}
    texts = {table_path(engine): render(fold(engine, whole))}
    if any(VARIABLES in contract for contract in made.values()):
        texts[table_path(engine, VARIABLES)] = render(fold_variables(whole))
    names = ", ".join(sorted(made, key=Version))
    return max([_check_or_write(path, text, names, check) for path, text in texts.items()])


def _check_or_write(path: Path, text: str, names: str, check: bool) -> int:
    if not check:
        path.write_text(text, encoding="utf-8")
        print(f"{path.name}: {names} written, {len(text) // 1024} KiB")
        return 0
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        print(f"{path.name}: {names} unchanged")
        return 0
    print(f"{path.name}: differs from what the source of {names} gives", file=sys.stderr)
    return 1
