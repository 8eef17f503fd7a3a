"""The command line and environment of an engine, derived from its contract."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Any

from pydantic import BaseModel
from pydantic.alias_generators import to_camel, to_snake

from l4serve.config.frozen import frozen
from l4serve.config.keys.container_env import EnvSource
from l4serve.config.keys.vllm import Lora, LoraAdapter
from l4serve.config.keys.workload import Engine
from l4serve.config.refusals.problems import Problem
from l4serve.config.words.spelling import did_you_mean
from l4serve.engines.additions import addition_problems, image_problems
from l4serve.engines.arguments.checking import check_argv, with_question
from l4serve.engines.arguments.config_values import config_faults
from l4serve.engines.arguments.value_texts import type_words, value_fault
from l4serve.engines.case import Case
from l4serve.engines.env_sources import api_key_problems
from l4serve.engines.gpu_layout import GpuLayout
from l4serve.engines.images import driver_problem, image_env
from l4serve.engines.key_shown import quiet_env
from l4serve.engines.releases.contract import Contract
from l4serve.engines.releases.field_flags import LORA_FLAGS, NO_FLAG, flag_names
from l4serve.engines.releases.flags import Flag
from l4serve.engines.releases.profile import engine_profile
from l4serve.engines.releases.replacements import removal
from l4serve.engines.setting_env import setting_env

__all__ = ["EngineRefusal", "Launch", "build_launch", "check_argv"]


class EngineRefusal(ValueError):  # noqa: N818
    """Settings that the engine version has no way to take; each problem's path is relative to the workload."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


@frozen()
class Launch:
    """What the container runs."""

    command: tuple[str, ...] | None
    """Entry point; None leaves the image's own."""
    argv: tuple[str, ...]
    env: Mapping[str, str]
    env_sources: Mapping[str, EnvSource]
    """Variables that Secrets and ConfigMaps give."""


@frozen()
class _Setting:
    """One value on its way to the engine: where from, under which names, and what."""

    path: str
    names: tuple[str, ...]
    """Flags and variables that may carry it, the wanted first."""
    value: Any


def build_launch(case: Case) -> Launch:
    """Every set field as the contract's flag or variable, the model and the parallel size always written out.

    Raises EngineRefusal with all problems: a field that the version lacks, a value it does not take, an extra
    argument or variable that it does not know or that a typed field owns.
    """
    engine, contract = case.engine, case.contract
    settings = [_Setting("model.id", (contract.model_flag,), case.model_argument or case.model.id)]
    settings += [_Setting("model.revision", ("--revision",), case.revision)] if case.revision else []
    settings += _parallel(engine, case.layout)
    settings += _fields(engine)
    problems: list[Problem] = [*case.location_problems]
    argv: list[str] = []
    env = setting_env(case)
    for setting in settings:
        outcome = _place(setting, contract)
        if isinstance(outcome, Problem):
            problems.append(outcome)
        elif isinstance(outcome, Mapping):
            env.update(outcome)
        else:
            argv.extend(outcome)
    port_argv, port_env = _port(case.port, contract)
    problems += addition_problems(case)
    problems += api_key_problems(case)
    whole = (*argv, *port_argv, *case.extra_args)
    problems += image_problems(engine, whole, len(whole) - len(case.extra_args), contract, case.mounted)
    if unfound := driver_problem(case):
        problems.append(unfound)
    if problems:
        raise EngineRefusal(tuple(problems))
    own_env = image_env(engine.kind, engine.image, contract)
    return Launch(
        contract.command,
        whole,
        {**own_env, **env, **port_env, **case.location_env, **quiet_env(case), **case.extra_env},
        case.env,
    )


def _parallel(engine: Engine, layout: GpuLayout) -> Iterator[_Setting]:
    profile = engine_profile(engine.kind)
    yield _sized(engine.kind, profile.names["shards"], layout.tensor_parallel_size)
    if layout.pipeline_parallel_size > 1:
        yield _sized(engine.kind, profile.names.get("stages", "pipeline_parallel_size"), layout.pipeline_parallel_size)


def _sized(kind: str, field: str, size: int) -> _Setting:
    return _Setting(_path(field), flag_names(kind, field), size)


@cache
def _path(field: str) -> str:
    return f"engine.{to_camel(field)}"


def _fields(engine: Engine) -> Iterator[_Setting]:
    given = vars(engine)
    for field, path, names in _flagged_fields(type(engine), engine.kind):
        value = given[field]
        if value is None:
            continue
        if isinstance(value, Lora):
            yield from _lora(value)
        else:
            yield _Setting(path, names, value)


@cache
def _flagged_fields(model: type[BaseModel], kind: str) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """Each typed field that becomes a flag by itself, with its config path and the names that may carry it."""
    profile = engine_profile(kind)
    sizes = {to_snake(profile.fields[role]) for role in ("shards", "stages") if role in profile.fields}
    fields = (field for field in model.model_fields if field not in NO_FLAG | sizes)
    return tuple((field, f"engine.{to_camel(field)}", flag_names(kind, field)) for field in fields)


def _lora(lora: Lora) -> Iterator[_Setting]:
    values = {
        "lora": True,
        "lora.adapters": lora.adapters,
        "lora.maxRank": lora.max_rank,
        "lora.maxLoras": lora.max_loras,
    }
    for key, value in values.items():
        if value:
            yield _Setting(f"engine.{key}", (LORA_FLAGS[key],), value)


_Placed = tuple[str, ...] | Mapping[str, str] | Problem
"""Arguments, or variables with their values, or why the release takes the setting by neither."""


def _place(setting: _Setting, contract: Contract) -> _Placed:
    """Where a setting goes; a plain value is placed once for all workloads of a release that set it."""
    plain = isinstance(setting.value, str | int | float)
    return (_placed if plain else _placed.__wrapped__)(setting.path, setting.names, setting.value, contract)


@lru_cache(maxsize=8192, typed=True)
def _placed(path: str, names: tuple[str, ...], value: Any, contract: Contract) -> _Placed:
    setting = _Setting(path, names, value)
    for name in setting.names:
        if not name.startswith("--") and name in contract.env:
            return {name: _text(setting.value)}
        flag = contract.flag(name)
        if flag is not None:
            return _tokens(setting, flag, contract)
    name = setting.names[0]
    known = removal(contract, name)
    return Problem(setting.path, f"{contract.name} has no {name}", known.advice if known else "remove it")


def _tokens(setting: _Setting, flag: Flag, contract: Contract) -> _Placed:
    if isinstance(setting.value, bool) and not flag.takes_value:
        return _switch(setting, flag, contract)
    values = _pairs(setting.value) if flag.type == "pairs" else _values(setting.value, contract)
    for value in values:
        if fault := value_fault(flag, value):
            near = did_you_mean(value, flag.choices or ())
            mend = near or (
                f"choose one of {', '.join(flag.choices)}" if flag.choices else f"give {type_words(flag.type)}"
            )
            return Problem(setting.path, f"{contract.name} does not take this for {flag.name}: {fault}", mend)
        if fault := next(config_faults(flag, value, contract), None):
            said = f"{contract.name} does not take this for {flag.name}: {fault}"
            return with_question(setting.path, said, "give what the release takes, or leave it out")
    return (f"{flag.name}={values[0]}",) if len(values) == 1 else (flag.name, *values)


def _switch(setting: _Setting, flag: Flag, contract: Contract) -> _Placed:
    if setting.value:
        return (flag.name,)
    if flag.negation:
        return (flag.negation,)
    if flag.env:
        return {flag.env: "false"}
    return Problem(setting.path, f"{contract.name} cannot turn {flag.name} off", "leave it unset: it is off by default")


def _values(value: Any, contract: Contract) -> tuple[str, ...]:
    if not isinstance(value, tuple):
        return (_text(value),)
    if engine_profile(contract.engine).list_syntax == "words":
        return tuple(map(_text, value))
    return (",".join(_tgi_adapter(item) if isinstance(item, LoraAdapter) else _text(item) for item in value),)


def _pairs(value: Any) -> tuple[str, ...]:
    """A mapping in the form that older parsers read: image=2,video=0."""
    return (",".join(f"{key}={_text(inner)}" for key, inner in value.items()),)


def _tgi_adapter(adapter: LoraAdapter) -> str:
    """TGI downloads a bare Hub id but never what stands behind `=`, which must be a directory."""
    return _text(adapter) if adapter.path[0] in "/." else adapter.path


def _text(value: Any) -> str:
    match value:
        case LoraAdapter(name=name, path=path):
            return f"{name}={path}"
        case bool():
            return str(value).lower()
        case float():
            return re.sub(r"\.0$", "", repr(value))
        case Mapping():
            return json.dumps(_plain(value), separators=(",", ":"))
    return str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _port(port: int, contract: Contract) -> tuple[tuple[str, ...], dict[str, str]]:
    if contract.port_env:
        return (), {contract.port_env: str(port)}
    return ((f"{contract.port_flag}={port}",) if port != contract.port else ()), {}
