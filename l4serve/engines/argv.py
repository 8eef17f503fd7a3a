"""The command line and environment of an engine, derived from its contract."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.alias_generators import to_camel, to_snake

from l4serve.config.container_env import EnvSource
from l4serve.config.data_file import load_data
from l4serve.config.problems import Problem
from l4serve.config.vllm import Lora, LoraAdapter
from l4serve.config.workload import Engine
from l4serve.engines.case import Case
from l4serve.engines.checking import check_argv, check_env, check_option, read_options, value_fault
from l4serve.engines.contract import Contract, Flag
from l4serve.engines.env_sources import api_key_problems, env_source_problems, env_sources
from l4serve.engines.gpu_layout import GpuLayout
from l4serve.engines.image_files import file_flags, missing_file
from l4serve.engines.images import image_env, lacked_packages, package_problem
from l4serve.engines.profile import engine_profile
from l4serve.engines.replacements import removal
from l4serve.engines.setting_env import setting_env

__all__ = ["EngineRefusal", "Launch", "build_launch", "check_argv"]

_NO_FLAG = frozenset({"kind", "version", "image", "contract"})


class EngineRefusal(ValueError):  # noqa: N818
    """Settings that the engine version has no way to take; each problem's path is relative to the workload."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


@dataclass(frozen=True)
class Launch:
    """What the container runs."""

    command: tuple[str, ...] | None
    """Entry point; None leaves the image's own."""
    argv: tuple[str, ...]
    env: Mapping[str, str]
    env_sources: Mapping[str, EnvSource]
    """Variables that Secrets and ConfigMaps give."""


@dataclass(frozen=True)
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
    settings = [_Setting("model.id", (contract.model_flag,), case.model.id)]
    settings += [_Setting("model.revision", ("--revision",), case.revision)] if case.revision else []
    settings += _parallel(engine, case.layout)
    settings += _fields(engine)
    problems: list[Problem] = []
    argv: list[str] = []
    env = setting_env(case)
    for setting in settings:
        outcome = _place(setting, contract)
        if isinstance(outcome, Problem):
            problems.append(outcome)
        elif isinstance(outcome, dict):
            env.update(outcome)
        else:
            argv.extend(outcome)
    port_argv, port_env = _port(case.port, contract)
    if case.extra_args or case.extra_env or case.env:
        owned_flags, owned_env = _owned(engine, contract)
        problems += _extra_arg_problems(case.extra_args, owned_flags, contract)
        problems += _extra_env_problems(case.extra_env, owned_env, contract)
        problems += _owned_problems("env", case.env, owned_env)
        problems += env_source_problems(case)
    problems += api_key_problems(case)
    whole = (*argv, *port_argv, *case.extra_args)
    problems += _image_problems(engine, whole, len(whole) - len(case.extra_args), contract)
    if problems:
        raise EngineRefusal(tuple(problems))
    sources = env_sources(case)
    own_env = {n: v for n, v in image_env(engine.kind, engine.image, contract).items() if n not in sources}
    return Launch(contract.command, whole, {**own_env, **env, **port_env, **case.extra_env}, sources)


def _image_problems(engine: Engine, argv: tuple[str, ...], typed: int, contract: Contract) -> Iterator[Problem]:
    """Options that need what the image lacks; the first `typed` tokens come from typed fields."""
    needs, files = lacked_packages(engine.kind, engine.image, contract), file_flags(engine.kind, engine.image)
    suspects = (*(need["flag"] for need in needs), *files)
    # Typed fields write flags out in full, so reading the whole line waits for one that matters.
    if typed == len(argv) and not any(token.startswith(suspects) for token in argv):
        return
    owners = {**_owned_paths(engine.kind), **_owners(type(engine), engine.kind)}
    for option in read_options(argv, contract):
        if option.flag is None:
            continue
        name = option.flag.name
        path = owners.get(name, name) if option.index < typed else f"extraArgs[{option.index - typed}]"
        for need in needs:
            if need["flag"] == name and need.get("value") in (None, *option.values):
                yield package_problem(path, need, contract)
        if name in files and (problem := missing_file(path, engine.kind, name, option.values)):
            yield problem


@cache
def _owned_paths(kind: str) -> Mapping[str, str]:
    return {flag: owner for flag, owner in _table("owned")[kind].items() if isinstance(owner, str)}


def _parallel(engine: Engine, layout: GpuLayout) -> Iterator[_Setting]:
    profile = engine_profile(engine.kind)
    yield _sized(engine.kind, profile.fields["shards"], layout.tensor_parallel_size)
    if layout.pipeline_parallel_size > 1:
        yield _sized(engine.kind, profile.fields.get("stages", "pipelineParallelSize"), layout.pipeline_parallel_size)


def _sized(kind: str, field: str, size: int) -> _Setting:
    return _Setting(f"engine.{field}", _names(kind, _snake(field)), size)


def _fields(engine: Engine) -> Iterator[_Setting]:
    for field, path, names in _flagged_fields(type(engine), engine.kind):
        value = getattr(engine, field)
        if isinstance(value, Lora):
            yield from _lora(value)
        elif value is not None:
            yield _Setting(path, names, value)


@cache
def _flagged_fields(model: type[BaseModel], kind: str) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """Each typed field that becomes a flag by itself, with its config path and the names that may carry it."""
    profile = engine_profile(kind)
    sizes = {to_snake(profile.fields[role]) for role in ("shards", "stages") if role in profile.fields}
    fields = (field for field in model.model_fields if field not in _NO_FLAG | sizes)
    return tuple((field, f"engine.{to_camel(field)}", _names(kind, field)) for field in fields)


def _lora(lora: Lora) -> Iterator[_Setting]:
    yield _Setting("engine.lora", ("--enable-lora",), True)
    if lora.adapters:
        yield _Setting("engine.lora.adapters", ("--lora-modules",), lora.adapters)
    for field, flag in (("max_rank", "--max-lora-rank"), ("max_loras", "--max-loras")):
        if (value := getattr(lora, field)) is not None:
            yield _Setting(f"engine.lora.{to_camel(field)}", (flag,), value)


_snake = cache(to_snake)


@cache
def _table(name: str) -> Mapping[str, Mapping[str, Any]]:
    """A data file with one mapping per engine."""
    table: Mapping[str, Mapping[str, Any]] = load_data(__file__, f"{name}.yaml")
    return table


@cache
def _names(kind: str, field: str) -> tuple[str, ...]:
    return tuple(_table("fields")[kind].get(to_camel(field), ["--" + field.replace("_", "-")]))


def _place(setting: _Setting, contract: Contract) -> tuple[str, ...] | dict[str, str] | Problem:
    for name in setting.names:
        if not name.startswith("--") and name in contract.env:
            return {name: _text(setting.value)}
        flag = contract.flag(name)
        if flag is not None:
            return _tokens(setting, flag, contract)
    name = setting.names[0]
    known = removal(contract, name)
    return Problem(setting.path, f"{contract.name} has no {name}", known.advice if known else "remove it")


def _tokens(setting: _Setting, flag: Flag, contract: Contract) -> tuple[str, ...] | dict[str, str] | Problem:
    if isinstance(setting.value, bool) and not flag.takes_value:
        return _switch(setting, flag, contract)
    values = _values(setting.value, contract)
    for value in values:
        if fault := value_fault(flag, value):
            choices = f"choose one of {', '.join(flag.choices)}" if flag.choices else f"give a {flag.type}"
            return Problem(setting.path, f"{contract.name} does not take this for {flag.name}: {fault}", choices)
    return (f"{flag.name}={values[0]}",) if len(values) == 1 else (flag.name, *values)


def _switch(setting: _Setting, flag: Flag, contract: Contract) -> tuple[str, ...] | dict[str, str] | Problem:
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


_Owners = Mapping[str, str | Mapping[str, str]]
"""By flag or variable: the path of the field that sets it, or what relies on it."""


def _owned(engine: Engine, contract: Contract) -> tuple[_Owners, _Owners]:
    """Flags, and variables, that are not the user's to set beside the fields."""
    paths: _Owners = {
        contract.model_flag: "model.id",
        **_owners(type(engine), engine.kind),
        **_table("owned")[engine.kind],
    }
    flags = ((path, contract.flags.get(name)) for name, path in paths.items())
    env = {flag.env: path for path, flag in flags if flag and flag.env}
    return paths, env | {name: path for name, path in paths.items() if not name.startswith("--")}


@cache
def _owners(model: type[BaseModel], kind: str) -> Mapping[str, str]:
    """Flags and variables of the typed fields, with the field's path."""
    fields = (field for field in model.model_fields if field not in _NO_FLAG)
    return {name: f"engine.{to_camel(field)}" for field in fields for name in _names(kind, field)}


def _extra_arg_problems(extra: tuple[str, ...], owned: _Owners, contract: Contract) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for option in read_options(extra, contract):
        path = f"extraArgs[{option.index}]"
        for problem in check_option(option, contract):
            yield Problem(path, f"{problem.path}: {problem.message}", problem.remedy)
        if option.flag is None:
            continue
        name = option.flag.name
        if name in owned:
            yield _owned_problem(path, option.token, owned[name])
        if name in seen and not option.flag.repeatable and "." not in option.token:
            yield Problem(path, f"{option.token} repeats extraArgs[{seen[name]}]", "remove one of them")
        seen.setdefault(name, option.index)


def _owned_problem(path: str, name: str, owner: str | Mapping[str, str]) -> Problem:
    """Why a flag or variable is not the user's to set: a field does, or the plan relies on it as it is."""
    if isinstance(owner, str):
        return Problem(path, f"{name} is what a typed field sets", f"set {owner} instead")
    return Problem(path, f"{name} is what the plan relies on: {owner['breaks']}", owner["instead"])


def _extra_env_problems(extra: Mapping[str, str], owned: _Owners, contract: Contract) -> Iterator[Problem]:
    yield from _owned_problems("extraEnv", extra, owned)
    for problem in check_env({n: v for n, v in extra.items() if n not in owned}, contract):
        yield Problem(f"extraEnv.{problem.path}", problem.message, problem.remedy)


def _owned_problems(field: str, names: Iterable[str], owned: _Owners) -> Iterator[Problem]:
    """Variables that are not the user's to set."""
    for name in names:
        if name in owned:
            yield _owned_problem(f"{field}.{name}", name, owned[name])
