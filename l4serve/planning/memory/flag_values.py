"""How the values of vLLM's memory flags are read, each to the options that it changes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import cache
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen
from l4serve.engines.arguments.config_values import read_object
from l4serve.planning.memory.generations import parse_version
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.values.fixed_counts import FixedCounts

_MULTIPLES = {"k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_UNLIMITED = 999
"""Items of a modality whose entry gives no count (vllm/config/multimodal.py)."""
_BINARY_GIB = 2**30


@cache
def flag_table() -> dict[str, Any]:
    """`data/vllm_flags.json`."""
    table: dict[str, Any] = load_data(__file__, "vllm_flags.json")
    return table


@frozen()
class Context:
    """What else decides what a value means: the release, the ranks, the environment, and the context that is asked."""

    version: str
    ranks: int = 1
    env: Mapping[str, str] = field(default_factory=dict)
    max_model_len: int | None = None


@frozen()
class Reading:
    """Options that a value changes, by name, and keys in it that move memory and are not modelled."""

    changes: Mapping[str, Any]
    unmodelled: tuple[str, ...] = ()


def read_value(flag: str, values: Sequence[Any], context: Context) -> Reading | None:
    """What the values of a modelled flag mean; None where they cannot be read.

    Values are the words of a command line, or one value of a typed field.
    """
    option, kind = flag_table()["modelled"][flag]
    if kind == "copies":
        return Reading({option: values[:1] == ["data"] or values[:1] == ("data",)})
    if kind == "switch":
        return Reading({option: not values or values[0] not in (False, "false", "False")})
    if not values:
        return None
    if reader := _WHOLE.get(kind):
        return reader(option, values, context)
    found = _ONE[kind](values[0])
    return None if found is None else Reading({option: found})


def _number(value: Any) -> float | None:
    return float(value) if re.fullmatch(r"\d+(\.\d+)?", str(value)) else None


def read_count(value: Any) -> int | None:
    """A whole number that a command line or a typed field gives; None for anything else."""
    return int(value) if re.fullmatch(r"\d+", str(value)) else None


def _bytes(value: Any) -> int | None:
    """Bytes of 1024, 1.5g (decimal) or 1G (binary), as vLLM's parser reads them."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([kmgtKMGT]?)", str(value))
    return int(float(found[1]) * _MULTIPLES.get(found[2], 1)) if found else None


def _limits(value: Any) -> FixedCounts | None:
    """Items of each modality: {"image": 2}, {"image": {"count": 2}} or image=2; sizes make the profile smaller."""
    asked = _object(value)
    if asked is None:
        pairs = re.findall(r"(\w+)=(\d+)", str(value))
        asked = {name: int(count) for name, count in pairs} or None
    if asked is None:
        return None
    counts = {
        name: entry.get("count", _UNLIMITED) if isinstance(entry, Mapping) else entry for name, entry in asked.items()
    }
    return FixedCounts(counts) if all(type(count) is int for count in counts.values()) else None


def _object(value: Any) -> Mapping[str, Any] | None:
    if isinstance(value, Mapping):
        return value
    return read_object(str(value))


_ONE: Mapping[str, Callable[[Any], Any]] = {
    "text": str,
    "number": _number,
    "count": read_count,
    "bytes": _bytes,
    "limits": _limits,
}


def _counts(option: str, values: Sequence[Any], context: Context) -> Reading | None:  # noqa: ARG001
    words = values[0] if len(values) == 1 and isinstance(values[0], tuple | list) else values
    counts = [read_count(word) for word in words]
    return None if None in counts else Reading({option: tuple(counts)})


def _sizes_before(option: str, values: Sequence[Any], context: Context) -> Reading | None:
    """One number was the largest size, several were the sizes (0.9 to 0.12)."""
    found = _counts(option, values, context)
    if found is None or len(found.changes[option]) > 1:
        return found
    return Reading({"graphs.largest": found.changes[option][0]})


def _compilation(option: str, values: Sequence[Any], context: Context) -> Reading | None:  # noqa: ARG001
    asked = _object(values[0])
    if asked is None:
        return _level("", values, context) if read_count(values[0]) is not None else None
    table = flag_table()["compilation"]
    changes: dict[str, Any] = {}
    unmodelled: list[str] = []
    for key, written in _flat(asked, "pass_config"):
        value = written.upper() if key == "cudagraph_mode" and isinstance(written, str) else written
        if key in ("level", "mode"):
            compiled = _mode(value, asked.get("cudagraph_mode"), context.version)
            changes |= compiled.changes
            unmodelled += compiled.unmodelled
        elif key.startswith("pass_config."):
            fused = _pass(key, value, context.version)
            changes |= fused.changes
            unmodelled += fused.unmodelled
        elif key in table["graphs"]:
            part = table["graphs"][key]
            read = _counts("sizes", [value], context) if part == "sizes" else Reading({"largest": read_count(value)})
            if read is None or None in read.changes.values():
                return None
            changes |= {f"graphs.{name}": found for name, found in read.changes.items()}
        elif value in table["noGraphs"].get(key, ()):
            changes["graphs.sizes"] = ()
        elif value in table["piecewise"].get(key, ()):
            changes["graphs.piecewise"] = True
        elif value not in table["default"].get(key, ()) and key not in table["harmless"]:
            unmodelled.append(f"{key} of the compilation config")
    return Reading(changes, tuple(unmodelled))


def _flat(asked: Mapping[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    """The entries of an object, those of one that lies in it under `name` with a dot before them."""
    for key, value in asked.items():
        if key == name and isinstance(value, Mapping):
            yield from ((f"{name}.{inner}", held) for inner, held in value.items())
        else:
            yield key, value


def _mode(value: Any, graphs: Any, version: str) -> Reading:
    """A level or mode of compilation: without any, only graphs that need no compilation are captured."""
    release, levels = parse_version(version), flag_table()["levels"]["release"]
    asked, graphs = str(value).upper(), str(graphs).upper()
    if asked in ("3", "VLLM_COMPILE") or release < parse_version(levels["changesNothingBefore"]):
        return Reading({})
    if asked not in ("0", "NONE"):
        return Reading({}, (f"compilation mode {value}",))
    kept = graphs in ("FULL", "FULL_DECODE_ONLY", "2") and release[:2] != parse_version(levels["ownFrom"])[:2]
    return Reading({} if kept else {"enforce_eager": True})


def _pass(key: str, value: Any, version: str) -> Reading:
    """A pass over what was compiled: one that is off allocates nothing, one that fuses all-reduces has buffers."""
    table, name = flag_table()["compilation"]["passes"], key.partition(".")[2]
    if name in table["harmless"] or str(value).lower() == "false":
        return Reading({})
    if name not in table["allreduce"]["keys"]:
        return Reading({}, (f"{key} of the compilation config",))
    counted = parse_version(version) >= parse_version(table["allreduce"]["byDefaultFrom"])
    return Reading({} if counted else {"fuses_allreduce": True})


def allreduce_gib(options: ServingOptions) -> float:
    """Buffers of FlashInfer's all-reduce on one rank, at most, where it is asked for and no default counts them."""
    table, ranks = flag_table()["compilation"]["passes"]["allreduce"], options.tensor_parallel_size
    held = table["mib"].get(str(ranks), 0) if options.fuses_allreduce else 0
    return float(ranks * table["copies"] * held / 1024)


def _level(option: str, values: Sequence[Any], context: Context) -> Reading:  # noqa: ARG001
    """An optimisation level; before there were any, that of the compilation config."""
    asked, levels = str(values[0]).lstrip("Oo"), flag_table()["levels"]["release"]
    if parse_version(context.version) < parse_version(levels["ownFrom"]):
        return _mode(asked, None, context.version)
    meant: Mapping[str, Mapping[str, Any]] = {"0": {"enforce_eager": True}, "1": {"graphs.piecewise": True}}
    return Reading(meant.get(asked, {}))


def _connector(option: str, values: Sequence[Any], context: Context) -> Reading | None:
    """Host memory of a connector that keeps cache there: LMCache's for each rank, offloading's for all together."""
    asked, table = _object(values[0]), flag_table()["connectors"]
    if asked is None:
        return None
    name = str(asked.get("kv_connector", ""))
    extra = asked.get("kv_connector_extra_config") or {}
    changes = {"ungrouped": not _groups_with(name, context.version)}
    if name.startswith("LMCache"):
        held = _number(context.env.get(table["lmcache"]["variable"], table["lmcache"]["defaultGib"]))
        return None if held is None else Reading({**changes, option: held * context.ranks})
    if name == "OffloadingConnector" and (held := read_count(extra.get(table["offloading"]["key"]))) is not None:
        return Reading({**changes, option: held / _BINARY_GIB})
    if name in table["noMemory"]["names"] and asked.get("kv_buffer_device") != "cpu":
        return Reading(changes)
    return Reading(changes, (f"the connector {name}",))


def _groups_with(connector: str, version: str) -> bool:
    """Whether a release keeps its hybrid KV cache manager beside this connector."""
    known, release = flag_table()["hybridManager"]["connectors"].items(), parse_version(version)
    return any(connector in names for since, names in known if parse_version(since) <= release)


def _pixels(option: str, values: Sequence[Any], context: Context) -> Reading | None:  # noqa: ARG001
    """The most pixels of a picture; what else a processor is told is not modelled."""
    asked = _object(values[0])
    if asked is None:
        return None
    most = read_count(asked.get("max_pixels"))
    others = tuple(f"{key} of the picture processor" for key in asked if key not in ("max_pixels", "min_pixels"))
    return Reading({option: most} if most else {}, others)


def _overrides(option: str, values: Sequence[Any], context: Context) -> Reading | None:  # noqa: ARG001
    """Keys of config.json in other words: those that name labels and pooling classes move no memory.

    Neither do those of positions where the length is asked for; else it would follow them.
    """
    read = _object(values[0])
    if read is None:
        return None
    known, asked = flag_table()["overrides"], dict(_flat(read, "text_config"))
    keys = [key.removeprefix("text_config.").partition(".")[0] for key in asked]
    given = list(zip(asked, keys, asked.values(), strict=True))
    moving = [key for key, first, value in given if first not in known["harmless"] or _names_a_generator(first, value)]
    lengths = [] if context.max_model_len else [key for key, first, _ in given if first in known["positions"]]
    return Reading({}, (*(f"{key} of config.json" for key in moving), *map(_without_length, lengths)))


def _names_a_generator(key: str, value: Any) -> bool:
    """Whether an override names a class that generates, or none that can be read."""
    if key != "architectures":
        return False
    names = value if isinstance(value, list | tuple) else [None]
    ends = tuple(flag_table()["overrides"]["generate"])
    return any(not isinstance(name, str) or name.endswith(ends) for name in names)


def _without_length(key: str) -> str:
    return f"{key} of config.json without engine.maxModelLen"


def _positions(option: str, values: Sequence[Any], context: Context) -> Reading:  # noqa: ARG001
    """Another scaling of positions, which sets the context where nothing else does."""
    return Reading({}, () if context.max_model_len else (_without_length(option),))


def _events(option: str, values: Sequence[Any], context: Context) -> Reading:  # noqa: ARG001
    """KV events, which once turned the hybrid KV cache manager off."""
    before = parse_version(flag_table()["hybridManager"]["eventsTurnOffBefore"])
    return Reading({option: True} if parse_version(context.version) < before else {})


def _pooling(option: str, values: Sequence[Any], context: Context) -> Reading:  # noqa: ARG001
    return Reading({} if values[0] == "auto" else {option: values[0] in flag_table()["pooling"]})


_WHOLE: Mapping[str, Callable[[str, Sequence[Any], Context], Reading | None]] = {
    "counts": _counts,
    "pooling": _pooling,
    "sizes_before_0_11_1": _sizes_before,
    "compilation": _compilation,
    "level": _level,
    "connector": _connector,
    "events": _events,
    "overrides": _overrides,
    "positions": _positions,
    "pixels": _pixels,
}
