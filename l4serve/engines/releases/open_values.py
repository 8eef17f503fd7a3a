"""Values that a release names without its parser enforcing them: which are unknown, and what is meant by one."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from l4serve.config.words.spelling import did_you_mean
from l4serve.engines.releases.contract import Contract

_FIELDS = ("quantization", "kvCacheDtype", "attentionBackend", "loadFormat", "toolCallParser", "reasoningParser")


def open_facts(contract: Contract, facts: Mapping[str, Any]) -> dict[str, Any]:
    """For each open field, whether the release knows its value, and how the remedy for an unknown one begins."""
    found: dict[str, Any] = {}
    for field, unknown, meant, flag in _flags():
        value = facts[field]
        found[unknown] = None if value is None else _is_unknown(contract, flag, value)
        found[meant] = _meant(contract, flag, value) if found[unknown] else None
    return found


@cache
def _flags() -> tuple[tuple[str, str, str, str], ...]:
    """Each open field, the facts whether its value is unknown and what is meant by it, and its flag."""
    return tuple(
        (name, f"unknown.{name}", f"meant.{name}", "--" + re.sub(r"(?=[A-Z])", "-", name).lower()) for name in _FIELDS
    )


def _is_unknown(contract: Contract, option: str, value: str) -> bool | None:
    flag = contract.flag(option)
    return None if flag is None or flag.values is None else value not in flag.values


def _meant(contract: Contract, option: str, value: str) -> str:
    """The nearest value that the release names; where none is near, all parsers, of which the rule names none."""
    flag = contract.flag(option)
    known = (flag.values if flag else None) or ()
    near = did_you_mean(value, known)
    listed = f"choose one of {', '.join(known)}, or " if known and option.endswith("-parser") else ""
    return f"{near} Else " if near else listed
