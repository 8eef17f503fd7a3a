"""Flags of vLLM that reach the engine by `extraArgs` and move memory: `data/vllm_flags.json` read once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.planning.memory.options import ServingOptions

RUNNER_VARIABLE = "VLLM_USE_V2_MODEL_RUNNER"
_MULTIPLES = {"k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = load_data(__file__, "vllm_flags.json")
    return table


def with_flags(options: ServingOptions, extra_args: tuple[str, ...], env: Mapping[str, str]) -> ServingOptions:
    """The options with what flags and environment say beside the typed fields.

    A flag that moves memory and is not modelled, or whose value cannot be read, is named in `unjudged`.
    """
    changed: dict[str, Any] = {}
    unjudged: list[str] = []
    for flag, value in _pairs(extra_args):
        entry = _table()["modelled"].get(flag)
        if entry is not None:
            read = _read(entry[1], value)
            if read is None:
                unjudged.append(f"{flag} {value or ''}".strip())
            else:
                changed[entry[0]] = read
        elif flag in _table()["unmodelled"]:
            unjudged.append(f"{flag} ({_table()['unmodelled'][flag]})")
    if env.get(RUNNER_VARIABLE) in ("0", "1"):
        changed["v2_model_runner"] = env[RUNNER_VARIABLE] == "1"
    if not changed and not unjudged:
        return options
    return replace(options, **changed, unjudged=(*options.unjudged, *unjudged))


def _pairs(arguments: tuple[str, ...]) -> Iterator[tuple[str, str | None]]:
    """Each flag with dashes for underscores, and its value: after an equals sign, or the next word."""
    for index, word in enumerate(arguments):
        if not word.startswith("--"):
            continue
        name, equals, value = word.partition("=")
        following = arguments[index + 1] if index + 1 < len(arguments) else None
        given = value if equals else (following if following and not following.startswith("--") else None)
        yield name.replace("_", "-"), given


def _read(kind: str, value: str | None) -> Any:
    """The value of a flag, or None where it cannot be read."""
    if kind == "switch":
        return True
    if value is None:
        return None
    if kind == "pooling":
        return value in _table()["pooling"]
    if kind == "bytes":
        return _bytes(value)
    if kind == "number":
        return float(value) if re.fullmatch(r"\d+(\.\d+)?", value) else None
    return _limits(value) if kind == "limits" else value


def _bytes(value: str) -> int | None:
    """Bytes of 1024, 1.5g (decimal) or 1G (binary), as vLLM's parser reads them."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([kmgtKMGT]?)", value)
    return int(float(found[1]) * _MULTIPLES.get(found[2], 1)) if found else None


def _limits(value: str) -> dict[str, int] | None:
    """Items of each modality: {"image": 2} or {"image": {"count": 2}}; sizes only make the profile smaller."""
    try:
        asked = json.loads(value)
    except ValueError:
        return None
    if not isinstance(asked, dict):
        return None
    counts = {name: entry.get("count", 999) if isinstance(entry, dict) else entry for name, entry in asked.items()}
    return counts if all(isinstance(count, int) for count in counts.values()) else None
