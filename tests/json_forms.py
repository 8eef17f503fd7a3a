"""The published forms of what the commands print with --json."""

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from scripts.json_schemas import FILE


@cache
def _schema() -> Any:
    return json.loads(FILE.read_text("utf-8"))


def faults(name: str, document: object) -> list[str]:
    """Where a document lacks the form that docs/reference/json.schema.json states under a name."""
    form = {"$schema": _schema()["$schema"], **_schema()["$defs"][name]}
    return [
        f"{list(error.absolute_path)}: {error.message[:200]}"
        for error in Draft202012Validator(form).iter_errors(document)
    ]
