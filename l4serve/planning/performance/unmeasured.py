"""What nobody measured although the engine runs it: by the contract's rule that tells of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from l4serve.config.data_file import load_data


@cache
def unmeasured_rules() -> Mapping[str, str]:
    """Why no speed is judged, by the id of the rule that says what is run instead."""
    return {rule: f"speed: {row['reason']}" for rule, row in load_data(__file__, "unmeasured.yaml").items()}


def unmeasured(rules: Iterable[str]) -> str | None:
    """Why no speed is judged where these rules speak; None where all that they tell of was measured."""
    known = unmeasured_rules()
    return next((known[rule] for rule in rules if rule in known), None)
