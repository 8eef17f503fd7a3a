"""Variables that make a release do what a typed field asks of it: `data/setting_env.json` read once."""

from __future__ import annotations

from functools import cache
from typing import Any

from packaging.version import Version

from l4serve.config.data_file import load_data
from l4serve.engines.case import Case


@cache
def _rows() -> tuple[dict[str, Any], ...]:
    return tuple(load_data(__file__, "setting_env.json")["rows"])


def setting_env(case: Case) -> dict[str, str]:
    """The variables that the case's set fields need under its release."""
    env: dict[str, str] = {}
    for row in _rows():
        within = Version(row["from"]) <= case.version < Version(row["before"])
        if row["engine"] == case.engine.kind and within and getattr(case.engine, row["field"], None):
            env |= row["env"]
    return env
