"""Where an engine itself shows the API key that it was given by its environment. Data: data/api_key.yaml."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from packaging.specifiers import SpecifierSet

from l4serve.config.data_file import load_data
from l4serve.config.keys.workload import Workload
from l4serve.engines.case import Case
from l4serve.engines.releases.contract import Contract


def quiet_env(case: Case) -> Mapping[str, str]:
    """The variable that keeps the key out of the engine's log; none where the config gives it, or no key."""
    row = _row(case.contract.engine, case.contract.version) if case.api_key is not None else None
    if row is None or row["quiet"]["variable"] in {*case.extra_env, *case.env}:
        return {}
    return {row["quiet"]["variable"]: row["quiet"]["values"][0]}


def shown_key(workload: Workload, contract: Contract) -> Iterator[str]:
    """What is to be said of a key that its engine shows to whoever sees its processes, or its log."""
    row = _row(contract.engine, contract.version) if workload.api_key is not None else None
    if row is None:
        return
    name, quiet = row["quiet"]["variable"], row["quiet"]["values"]
    said = workload.extra_env.get(name)
    told = f"{contract.name} starts its router with the API key on the command line"
    if name in workload.env or (said is not None and said.lower() not in quiet):
        level = said if name not in workload.env else "that the plan cannot read"
        yield f"{told} and writes it into its log at each start: {name} {level} does not keep it out"
    else:
        kept = f"{name}={said or quiet[0]} keeps it out of the log"
        yield f"{told}, which whoever runs a command in its pods can read; {kept}"


@cache
def _row(kind: str, version: str) -> Mapping[str, Any] | None:
    row: Mapping[str, Any] | None = load_data(__file__, "api_key.yaml").get(kind)
    return row if row and SpecifierSet(row["versions"]).contains(version, prereleases=True) else None
