"""Configurations on a command line: options that take an object of JSON, whole or one key at a time."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from l4serve.config.spelling import did_you_mean
from l4serve.engines.contract import Contract, Flag, profile_of
from l4serve.engines.contract_table import CONTRACTS, ContractTable, read_table

_CONFIG = re.compile(r"--[a-z-]+-config")
_LEVEL, _COMPILATION = "--optimization-level", "--compilation-config"
_LEVELS = ("0", "1", "2", "3")
_CONNECTOR, _ROLES = "--kv-transfer-config", ("kv_producer", "kv_consumer", "kv_both")


def config_keys(flag: str, contract: Contract) -> frozenset[str] | None:
    """Keys that a configuration of the release may have; None where it takes any, known or not."""
    table = _keys_table(contract.engine)
    return None if table is None else table.keys_of(flag, contract.version)


def config_faults(flag: Flag, value: str, contract: Contract) -> Iterator[str]:
    """Why the release refuses a whole value of an option that takes a configuration; nothing for other options."""
    if flag.name == _LEVEL and value not in _LEVELS:
        yield f"{value!r} is no level of optimization, which are 0 to 3"
    if flag.type not in ("json", "literal") or not _CONFIG.fullmatch(flag.name):
        return
    if value in _LEVELS and contract.level_option in flag.names:
        return
    asked = read_object(value)
    if asked is None:
        yield f"{value!r} is no object of JSON"
        return
    for key in asked:
        yield from key_faults(flag, key, contract)
    if fault := level_fault(flag, "level", asked.get("level")):
        yield fault
    if flag.name == _CONNECTOR and asked.get("kv_connector") and asked.get("kv_role") not in _ROLES:
        yield f"a connector needs kv_role, one of {', '.join(_ROLES)}"


def key_faults(flag: Flag, key: str, contract: Contract) -> Iterator[str]:
    """Why the release refuses a key of a configuration."""
    known = config_keys(flag.name, contract)
    if known is None or key in known:
        return
    yield "; ".join(filter(None, (f"{key!r} is no key of this configuration", did_you_mean(key, known))))


def dotted_faults(flag: Flag, key: str, contract: Contract) -> Iterator[str]:
    """Why the release refuses a key that is given by itself, behind a dot."""
    if "_" in key and _CONFIG.fullmatch(flag.name) and profile_of(contract.engine, contract.version).get("dashedKeys"):
        yield f"the parser reads it as {key.replace('_', '-')!r}, which no configuration has: give the whole as JSON"
        return
    yield from key_faults(flag, key, contract)


def level_fault(flag: Flag, key: str, value: object) -> str | None:
    """Why no release takes a value of a key as the level of compilation; None for other keys and options."""
    if flag.name != _COMPILATION or key != "level" or value is None or str(value) in _LEVELS:
        return None
    return f"{value!r} is no level of compilation"


def read_object(value: str) -> Mapping[str, Any] | None:
    """A value of JSON, or of Python as 0.8 reads its compilation config, that is an object; None for any other."""
    for parse in (json.loads, ast.literal_eval):
        try:
            read = parse(value)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        return read if isinstance(read, dict) else None
    return None


class _KeysTable(ContractTable):
    """Keys of configurations by release, from the releases on that refuse others."""

    def keys_of(self, flag: str, release: str) -> frozenset[str] | None:
        entry, place = self._table["configs"].get(flag), self._places.get(release)
        if entry is None or place is None or not self._mask(entry["closed"]) >> place & 1:
            return None
        return frozenset(key for key, span in entry["keys"].items() if self._mask(span) >> place & 1)


@cache
def _keys_table(engine: str) -> _KeysTable | None:
    path = CONTRACTS / f"{engine}_config_keys.json"
    return _KeysTable(read_table(path)) if path.is_file() else None
