"""Variables that make a release do what a typed field asks of it: `data/setting_env.json` read once."""

from __future__ import annotations

from functools import cache
from typing import Any

from packaging.version import Version

from l4serve.config.data_file import load_data
from l4serve.engines.case import Case, release


@cache
def _rows_of(kind: str, version: Version) -> tuple[dict[str, Any], ...]:
    """The rows that hold for a release of an engine."""
    rows = (row for row in load_data(__file__, "setting_env.json")["rows"] if row["engine"] == kind)
    return tuple(row for row in rows if release(row["from"]) <= version < release(row["before"]))


def setting_env(case: Case) -> dict[str, str]:
    """The variables that the case's set fields need under its release."""
    env: dict[str, str] = {}
    for row in _rows_of(case.engine.kind, case.version):
        if vars(case.engine).get(row["field"]):
            env |= row["env"]
    return env
