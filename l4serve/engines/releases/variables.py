"""What a release reads of an environment variable: `contracts/*_variables.json`, opened when a workload sets one."""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from l4serve.config.frozen import frozen
from l4serve.engines.releases.contract import Contract
from l4serve.engines.releases.contract_table import CONTRACTS, ContractTable, read_table
from l4serve.engines.releases.flags import Flag

_INSTEAD: Mapping[str, frozenset[str]] = {
    "VLLM_LOGGING_LEVEL": frozenset(
        {"VLLM_LOGGING_CONFIG_PATH", "VLLM_CONFIGURE_LOGGING=0", "--log-level", "--log-config-file", "--logging-config"}
    ),
}
"""Variables that a start reads nothing of beside others, or flags (vllm/logger.py and vllm/config/logging.py)."""


@frozen()
class Variable:
    """An environment variable of a release."""

    takes: Flag
    """What it may hold, as the value of a flag."""
    lazy: bool = False
    """Whether a start may end well without reading it."""


def variable_of(name: str, contract: Contract) -> Variable | None:
    """What a release takes of a variable; None for one that takes any text."""
    if _table(contract.engine) is None:
        flag = contract.flags.of_variables.get(name)
        return Variable(flag.of_variable) if flag else None
    return _variables(contract.engine, contract.version).get(name)


def is_replaced(name: str, beside: Collection[str]) -> bool:
    """Whether a start reads something else in a variable's place; given are `--flag`, `NAME` and `NAME=VALUE`."""
    return not _INSTEAD.get(name, frozenset()).isdisjoint(beside)


@cache
def _variables(engine: str, version: str) -> Mapping[str, Variable]:
    table = _table(engine)
    rows = table.rows("variables", version) if table else {}
    return {name: _variable(name, row) for name, row in rows.items()}


def _variable(name: str, row: Mapping[str, Any]) -> Variable:
    choices = row.get("choices")
    takes = Flag(names=(name,), type=row["type"], choices=tuple(choices) if choices else None, env=name)
    return Variable(takes, row.get("lazy", False))


@cache
def _table(engine: str) -> ContractTable | None:
    path = CONTRACTS / f"{engine}_variables.json"
    return ContractTable(read_table(path)) if path.is_file() else None
