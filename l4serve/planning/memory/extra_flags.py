"""Flags of vLLM that move memory, from typed fields and from `extraArgs`: `data/vllm_flags.json` says how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from pydantic import BaseModel

from l4serve.config.json_text import json_value
from l4serve.engines.arguments.checking import read_options
from l4serve.engines.releases.contract import Contract
from l4serve.planning.memory.flag_values import Context, flag_table, read_value
from l4serve.planning.memory.options import GraphOptions, ServingOptions
from l4serve.planning.memory.vllm_v0 import fallback_table, reads_flag

_SWITCHES = {
    "VLLM_USE_V2_MODEL_RUNNER": "v2_model_runner",
    "VLLM_USE_FLASHINFER_SAMPLER": "flashinfer_sampler",
    "VLLM_USE_V1": "v1_engine",
}
"""Environment variables that are 0 or 1, each to the option that it sets."""

_Given = Iterator[tuple[str, Sequence[Any]]]
"""Flags, each with its values."""


def with_flags(
    options: ServingOptions, extra_args: tuple[str, ...], env: Mapping[str, str], contract: Contract
) -> ServingOptions:
    """The options with what extra arguments and environment say beside the typed fields, read as the release does.

    A flag that moves memory and is not modelled, or whose value cannot be read, is named in `unjudged`.
    """
    switched: dict[str, Any] = {
        option: env[name] == "1" for name, option in _SWITCHES.items() if env.get(name) in ("0", "1")
    }
    options = replace(options, **switched) if switched else options
    return _with(options, _arguments(extra_args, contract), env) if extra_args else options


def with_fields(options: ServingOptions, engine: BaseModel) -> ServingOptions:
    """The options with what the typed fields of an engine's config say that the table of flags reads."""
    values = vars(engine)
    given = ((flag, [value]) for flag, field in _fields(type(engine)) if (value := values[field]) is not None)
    return _with(options, given, {})


def weights_are_known(options: ServingOptions) -> bool:
    """Whether the card holds the weights that the shape tells, as no setting moves whole layers or takes others."""
    moving = tuple(flag_table()["weightsUnknown"])
    return not any(setting.startswith(moving) for setting in options.unjudged)


@cache
def _fields(model: type[BaseModel]) -> tuple[tuple[str, str], ...]:
    named = (
        (flag, flag.removeprefix("--").replace("-", "_"))
        for flag in (*flag_table()["modelled"], *flag_table()["unmodelled"])
    )
    return tuple((flag, field) for flag, field in named if field in model.model_fields)


def _with(options: ServingOptions, given: _Given, env: Mapping[str, str]) -> ServingOptions:
    table = flag_table()
    unjudged: list[str] = []
    ranks = options.tensor_parallel_size * options.pipeline_parallel_size
    context = Context(options.engine_version, ranks, env, options.max_model_len)
    changed: dict[str, Any] = {}
    of_towers: list[str] = []
    for flag, values in given:
        if flag in fallback_table()["flags"]:
            changed["asks_for_v0"] = changed.get("asks_for_v0", False) or reads_flag(
                flag, str(values[0]) if values else None, options.engine_version
            )
        if flag in table["modelled"]:
            named = of_towers if flag in table["towerOnly"] else unjudged
            read = read_value(flag, values, context)
            if read is None:
                named.append(f"{flag} {' '.join(map(str, values))}".strip())
            else:
                changed |= read.changes
                named += read.unmodelled
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


def _arguments(arguments: tuple[str, ...], contract: Contract) -> _Given:
    """Each flag as the table of flags names it, with its values as the release's parser reads them.

    An option that says no has the value False, or is itself in the table; keys after a dot are put together to the
    object that they are of.
    """
    objects: dict[str, dict[str, Any]] = {}
    for option in read_options(arguments, contract):
        if option.flag is None or option.spelling is None:
            continue  # the release refuses it
        names = [option.spelling] if option.says_no else [option.spelling, *option.flag.names]
        flag = next((name for name in names if _is_known(name)), None)
        if flag is not None and option.key and option.values:
            objects.setdefault(flag, {})[option.key] = _plain(option.values[0])
        elif flag is not None:
            yield flag, option.values
        elif option.says_no and (known := next(filter(_is_modelled, option.flag.names), None)):
            yield known, [False]
    yield from ((flag, [held]) for flag, held in objects.items())


def _is_modelled(flag: str) -> bool:
    return flag in flag_table()["modelled"]


def _is_known(flag: str) -> bool:
    return _is_modelled(flag) or flag in flag_table()["unmodelled"] or flag in fallback_table()["flags"]


def _plain(value: str) -> Any:
    try:
        return json_value(value)
    except ValueError:
        return value
