"""Flags of vLLM that move memory, from typed fields and from `extraArgs`: `data/vllm_flags.json` says how."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from pydantic import BaseModel

from l4serve.planning.memory.flag_values import Context, flag_table, read_value
from l4serve.planning.memory.generations import parse_version
from l4serve.planning.memory.options import GraphOptions, ServingOptions

RUNNER_VARIABLE = "VLLM_USE_V2_MODEL_RUNNER"
_LEVEL = re.compile(r"-O=?(\d)")
_OPTIMISATION_LEVELS = (0, 12, 0)
"""The release since which -O is an option of its own (vllm/engine/arg_utils.py)."""

_Given = Iterator[tuple[str, Sequence[Any]]]
"""Flags, each with its values."""


def with_flags(options: ServingOptions, extra_args: tuple[str, ...], env: Mapping[str, str]) -> ServingOptions:
    """The options with what extra arguments and environment say beside the typed fields.

    A flag that moves memory and is not modelled, or whose value cannot be read, is named in `unjudged`.
    """
    if env.get(RUNNER_VARIABLE) in ("0", "1"):
        options = replace(options, v2_model_runner=env[RUNNER_VARIABLE] == "1")
    return _with(options, _arguments(extra_args, options.engine_version), env) if extra_args else options


def with_fields(options: ServingOptions, engine: BaseModel) -> ServingOptions:
    """The options with what the typed fields of an engine's config say that the table of flags reads."""
    given = ((flag, [value]) for flag, field in _fields(type(engine)) if (value := getattr(engine, field)) is not None)
    return _with(options, given, {})


@cache
def _fields(model: type[BaseModel]) -> tuple[tuple[str, str], ...]:
    named = (
        (flag, flag.removeprefix("--").replace("-", "_"))
        for flag in (*flag_table()["modelled"], *flag_table()["unmodelled"])
    )
    return tuple((flag, field) for flag, field in named if field in model.model_fields)


def _with(options: ServingOptions, given: _Given, env: Mapping[str, str]) -> ServingOptions:
    table, unjudged = flag_table(), []
    ranks = options.tensor_parallel_size * options.pipeline_parallel_size
    context = Context(options.engine_version, ranks, env)
    changed: dict[str, Any] = {}
    of_towers: list[str] = []
    for flag, values in given:
        if flag in table["modelled"]:
            read = read_value(flag, values, context)
            if read is None:
                unjudged.append(f"{flag} {' '.join(map(str, values))}".strip())
            else:
                changed |= read.changes
                unjudged += read.unmodelled
        elif flag in table["unmodelled"]:
            named = of_towers if flag in table["towerOnly"] else unjudged
            named.append(f"{flag} ({table['unmodelled'][flag]})")
    if not (changed or unjudged or of_towers):
        return options
    return replace(
        options,
        **_grouped(options, changed),
        unjudged=(*options.unjudged, *unjudged),
        unjudged_towers=(*options.unjudged_towers, *of_towers),
    )


def _grouped(options: ServingOptions, changed: Mapping[str, Any]) -> dict[str, Any]:
    """The changes, with those of graphs in their group."""
    plain = {name: value for name, value in changed.items() if "." not in name}
    graphs = {name.partition(".")[2]: value for name, value in changed.items() if name.startswith("graphs.")}
    return {**plain, "graphs": replace(options.graphs or GraphOptions(), **graphs)} if graphs else plain


def _arguments(arguments: tuple[str, ...], version: str) -> _Given:
    """Each flag with dashes for underscores and its values: after an equals sign, or the words that follow.

    Keys after a dot are put together to the object that they are of.
    """
    objects: dict[str, dict[str, Any]] = {}
    for index, word in enumerate(arguments):
        if found := _LEVEL.fullmatch(word):
            levels = parse_version(version) >= _OPTIMISATION_LEVELS
            yield ("--optimization-level" if levels else "--compilation-config"), [found[1]]
        if not word.startswith("--"):
            continue
        written, equals, value = word.partition("=")
        values = [value] if equals else list(_following(arguments[index + 1 :]))
        flag, dot, key = written.replace("_", "-").partition(".")
        if dot and values:
            objects.setdefault(flag, {})[key.replace("-", "_")] = _plain(values[0])
        else:
            yield flag, values
    yield from ((flag, [held]) for flag, held in objects.items())


def _following(words: tuple[str, ...]) -> Iterator[str]:
    for word in words:
        if word.startswith("--"):
            return
        yield word


def _plain(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value
