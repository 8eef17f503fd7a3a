"""Configurations on a command line: options that take an object of JSON, whole or one key at a time."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from l4serve.config.data_file import load_data
from l4serve.config.json_text import json_value
from l4serve.config.words.spelling import did_you_mean
from l4serve.engines.arguments.config_words import told, value_fits, words_of
from l4serve.engines.releases.contract import Contract, profile_of
from l4serve.engines.releases.contract_table import CONTRACTS, ContractTable, read_table
from l4serve.engines.releases.flags import Flag

_SIZE = re.compile(r"\d+(\.\d+)?[kKmMgGtT]")
_CONFIG = re.compile(r"--[a-z-]+-config")
_LEVEL, _COMPILATION = "--optimization-level", "--compilation-config"
_LEVELS = ("0", "1", "2", "3")
_SHOWN = 8
_NAMED: Mapping[str, tuple[str, ...]] = {
    "--config-format": (),
    "--distributed-executor-backend": (),
    "--mamba-backend": (),
    "--mm-encoder-attn-backend": ("auto", "none"),
    "--tokenizer-mode": ("custom", "kimi_audio"),
}
"""Options whose parser takes any text and whose start takes those that the release names, with what it takes besides.

Such as vllm/tokenizers/registry.py ("No tokenizer registered for") and vllm/transformers_utils/config.py of 0.26.0.
"""
_CONNECTOR, _ROLES = "--kv-transfer-config", ("kv_producer", "kv_consumer", "kv_both")


def config_keys(flag: str, contract: Contract) -> frozenset[str] | None:
    """Keys that a configuration of the release may have; None where it takes any, known or not."""
    return _keys(flag, contract.engine, contract.version)


@cache
def _keys(flag: str, engine: str, version: str) -> frozenset[str] | None:
    table = _keys_table(engine)
    return table.keys_of(flag, version) if table else None


def config_faults(flag: Flag, value: str, contract: Contract) -> Iterator[str]:
    """Why the release refuses a whole value that its parser or what stands behind it looks into; nothing for others."""
    if not _is_read(flag.name, flag.type, contract.engine, contract.version):
        return
    if flag.name == _LEVEL and value not in _LEVELS:
        yield f"{value!r} is not a level of optimization: they are 0 to 3"
    yield from _plain_faults(flag, value, contract)
    if flag.name in _NAMED and not _is_named(flag, value):
        yield f"{value!r} is none that the release knows: {', '.join((flag.values or ())[:_SHOWN])}"
    if not _holds_config(flag.name, flag.type, contract.engine, contract.version):
        return
    if value in _LEVELS and contract.level_option in flag.names:
        return
    asked = read_object(value)
    if asked is None:
        yield f"{value!r} is not a JSON object"
        return
    yield from _object_faults(flag, asked, "", contract)
    if fault := level_fault(flag, "level", asked.get("level")):
        yield fault
    if flag.name == _CONNECTOR and asked.get("kv_connector") and asked.get("kv_role") not in _ROLES:
        yield f"a connector needs kv_role, one of {', '.join(_ROLES)}"


def _is_named(flag: Flag, value: str) -> bool:
    """Whether a value is one that the release names, in any case, or the path of a class of the operator's own."""
    known = {name.lower() for name in (*(flag.values or (value,)), *_NAMED[flag.name])}
    return value.lower() in known or "." in value


@cache
def _is_read(name: str, kind: str, engine: str, version: str) -> bool:
    """Whether anything of the release looks into the values of an option, beside its parser."""
    read = name == _LEVEL or name in _NAMED or _plain_word(name, engine, version) is not None
    return read or _holds_config(name, kind, engine, version)


@cache
def _plain_word(name: str, engine: str, version: str) -> str | None:
    """What the values of a plain option may be; None where the parser alone says."""
    rows = load_data(__file__, "number_bounds.yaml").get(engine, {}).get(name, ())
    bound = next((row["takes"] for row in rows if Version(version) in SpecifierSet(row["versions"])), None)
    table = _keys_table(engine)
    return bound or (table.plain_word(name, version) if table else None)


@cache
def _holds_config(name: str, kind: str, engine: str, version: str) -> bool:
    """Whether an option takes an object whose keys a class of the release reads."""
    named = kind in ("json", "literal") and bool(_CONFIG.fullmatch(name))
    return named or _keys(name, engine, version) is not None


def _plain_faults(flag: Flag, value: str, contract: Contract) -> Iterator[str]:
    """What the class behind an option says of a value that the parser takes: bounds, or that it is no object."""
    word = _plain_word(flag.name, contract.engine, contract.version)
    if word is None or flag.type == "pairs":
        return
    try:
        read = json_value(value)
    except ValueError:
        return  # 8k, auto, None or no value at all, which the parser judges
    if not value_fits(word, read):
        yield f"{value} is not {told(word)}"


def _object_faults(flag: Flag, asked: Mapping[str, Any], path: str, contract: Contract) -> Iterator[str]:
    """Why the release refuses an object that stands at a path in a configuration: its keys and their values."""
    for key, value in asked.items():
        if unknown := [*key_faults(flag, key, contract, path)]:
            yield from unknown
        elif key == "kv_connector" and asked.get("kv_connector_module_path"):
            continue  # a class of the operator's own
        elif fault := _value_fault(flag, f"{path}{key}", value, contract):
            yield fault
        elif isinstance(value, Mapping):
            yield from _object_faults(flag, value, f"{path}{key}.", contract)


def _value_fault(flag: Flag, path: str, value: object, contract: Contract) -> str | None:
    word = _word(flag, path, contract)
    if word is None or value_fits(word, value):
        return None
    shown = json.dumps(dict(value) if isinstance(value, Mapping) else value)
    return "; ".join(filter(None, (f"{path} is {told(word)}, not {shown}", did_you_mean(str(value), words_of(word)))))


def _word(flag: Flag, path: str, contract: Contract) -> str | None:
    """What the values of a key may be, None where nothing looks at them."""
    table = _keys_table(contract.engine)
    *before, key = path.split(".")
    return table.word(".".join([flag.name, *before]), key, contract.version) if table else None


def key_faults(flag: Flag, key: str, contract: Contract, path: str = "") -> Iterator[str]:
    """Why the release refuses a key of a configuration, or of the one at a path in it (`pass_config.`)."""
    known = config_keys(f"{flag.name}.{path}".removesuffix("."), contract)
    if known is None or key in known:
        return
    yield "; ".join(filter(None, (f"{path + key!r} is not a key of this configuration", did_you_mean(key, known))))


def dotted_faults(flag: Flag, path: str, values: tuple[str, ...], contract: Contract) -> Iterator[str]:
    """Why the release refuses a key that is given by itself, behind a dot, or its value."""
    outermost = path.partition(".")[0]
    if "_" in outermost and _CONFIG.fullmatch(flag.name) and _reads_dashes(contract):
        dashed = outermost.replace("_", "-")
        yield f"the parser reads it as {dashed!r}, which no configuration has: give the whole as JSON"
        return
    *before, key = path.removesuffix("+").split(".")
    for depth, part in enumerate((*before, key)):
        if unknown := [*key_faults(flag, part, contract, "".join(f"{name}." for name in before[:depth]))]:
            yield from unknown
            return
    meant = [list(text.split(",")) if path.endswith("+") else text for text in values]
    found = [_value_fault(flag, path.removesuffix("+"), text, contract) for text in meant]
    read = [_value_fault(flag, path.removesuffix("+"), read_word(text), contract) for text in values]
    if found and all((*found, *read)):
        yield str(read[0])


def _reads_dashes(contract: Contract) -> bool:
    return bool(profile_of(contract.engine, contract.version).get("dashedKeys"))


def read_word(text: str) -> Any:
    """A value behind a dot as the parser reads it: JSON, else a size (80g), else the text."""
    try:
        return json_value(text)
    except ValueError:
        return int(float(text[:-1]) * 1000) if _SIZE.fullmatch(text) else text


def level_fault(flag: Flag, key: str, value: object) -> str | None:
    """Why no release takes a value of a key as the level of compilation; None for other keys and options."""
    if flag.name != _COMPILATION or key != "level" or value is None or str(value) in _LEVELS:
        return None
    return f"{value!r} is not a level of compilation"


def read_object(value: str) -> Mapping[str, Any] | None:
    """A value of JSON, or of Python as 0.8 reads its compilation config, that is an object; None for any other."""
    for parse in (json_value, ast.literal_eval):
        try:
            read = parse(value)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        return read if isinstance(read, dict) else None
    return None


class _KeysTable(ContractTable):
    """Keys of configurations and what each takes, by release."""

    def keys_of(self, flag: str, release: str) -> frozenset[str] | None:
        """Keys that an option, or a configuration in one, may have; None where it takes any."""
        entry, place = self._table["configs"].get(flag), self._places.get(release)
        if entry is None or place is None or not self._masks[entry["closed"]] >> place & 1:
            return None
        return frozenset(key for key, row in entry["keys"].items() if self._of(row, place) is not None)

    def word(self, flag: str, key: str, release: str) -> str | None:
        """What a key's values may be; None where the table does not say."""
        return self._of(self._table["configs"].get(flag, {}).get("keys", {}).get(key, {}), self._places.get(release))

    def plain_word(self, flag: str, release: str) -> str | None:
        """What a plain option's value may be; None where the parser alone says."""
        return self._of(self._table["plain"].get(flag, {}), self._places.get(release))

    def _of(self, row: Mapping[str, str], place: int | None) -> str | None:
        if place is None:
            return None
        return next((word for span, word in row.items() if self._masks[span] >> place & 1), None)


@cache
def _keys_table(engine: str) -> _KeysTable | None:
    path = CONTRACTS / f"{engine}_config_keys.json"
    return _KeysTable(read_table(path)) if path.is_file() else None
