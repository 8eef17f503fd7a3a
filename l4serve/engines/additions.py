"""What a workload adds beside the typed fields, and what its options need of the image."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.alias_generators import to_snake

from l4serve.config.json_text import without_escapes
from l4serve.config.keys.workload import Engine
from l4serve.config.refusals.problems import Problem
from l4serve.engines.arguments.checking import check_env, check_option, read_options
from l4serve.engines.arguments.identifiers import odd_identifiers, odd_names_inside
from l4serve.engines.arguments.keyed_flags import key_problem
from l4serve.engines.case import Case
from l4serve.engines.env_facts import read_env
from l4serve.engines.env_sources import env_source_problems
from l4serve.engines.gpu_layout import GpuLayout
from l4serve.engines.image_files import file_flags, file_variables, missing_file
from l4serve.engines.images import lacked_packages, package_problem
from l4serve.engines.model_location import location_owners
from l4serve.engines.releases.contract import Contract, load_contract
from l4serve.engines.releases.field_flags import engine_table, field_owners, flag_names


def addition_problems(case: Case) -> Iterator[Problem]:
    """Extra arguments and variables that the release does not know, or that a typed field or the plan owns."""
    drafted = getattr(case.engine, "speculative_config", None)
    yield from odd_names_inside(drafted, "engine.speculativeConfig") if drafted else ()
    if not (case.extra_args or case.extra_env or case.env):
        return
    stock = case.engine.image is None
    owned_flags, owned_env = _owned(type(case.engine), case.contract.engine, case.contract.version, stock=stock)
    shared = _either_way(case.engine)
    theirs = {flag: owner for flag, owner in owned_flags.items() if flag not in shared}
    downloads = case.model_argument in (None, case.model.id)
    mine = {name: owner for name, owner in owned_env.items() if downloads or not _of_the_hub(owner)}
    mine |= {name: owner for name, owner in location_owners(case.engine.kind).items() if name in case.location_env}
    mine = {n: owner for n, owner in mine.items() if not _names_every_gpu(owner, case.extra_env.get(n), case.layout)}
    yield from _extra_arg_problems(case, theirs)
    yield from _extra_env_problems(case, mine)
    yield from _owned_problems("env", dict.fromkeys(case.env), mine)
    yield from env_source_problems(case)
    kind = case.engine.kind
    for name in file_variables(kind, case.engine.image):
        if value := case.extra_env.get(name):
            problem = missing_file(f"extraEnv.{name}", case.engine, case.contract, name, (value,), case.mounted)
            yield from (problem,) if problem else ()


def image_problems(
    engine: Engine, argv: tuple[str, ...], typed: int, contract: Contract, mounted: tuple[str, ...] = ()
) -> Iterator[Problem]:
    """Options that need what the image lacks; the first `typed` tokens come from typed fields.

    `mounted` are folders that volumes give.
    """
    needs, files = lacked_packages(engine.kind, engine.image, contract), file_flags(engine.kind, engine.image)
    suspects = (*(need["flag"] for need in needs), *files)
    # Typed fields write flags out in full, so reading the whole line waits for one that matters.
    if typed == len(argv) and not any(token.startswith(suspects) for token in argv):
        return
    owners = {**_owned_paths(engine.kind), **field_owners(type(engine), engine.kind)}
    for option in read_options(argv, contract):
        if option.flag is None:
            continue
        name = option.flag.name
        path = owners.get(name, name) if option.index < typed else f"extraArgs[{option.index - typed}]"
        for need in needs:
            if need["flag"] == name and _asks_for(need, option.values):
                yield package_problem(path, need, contract)
        if name in files and (problem := missing_file(path, engine, contract, name, option.values, mounted)):
            yield problem


def _asks_for(need: Mapping[str, str], values: tuple[str, ...]) -> bool:
    part = need.get("contains")
    return any(part in without_escapes(value) for value in values) if part else need.get("value") in (None, *values)


def _either_way(engine: Engine) -> frozenset[str]:
    """Flags of unset fields that extra arguments may carry too, since what reads the field reads both."""
    unset = (field for field in _either_fields(engine.kind) if getattr(engine, field) is None)
    return frozenset(flag for field in unset for flag in flag_names(engine.kind, field))


@cache
def _either_fields(kind: str) -> tuple[str, ...]:
    return tuple(map(to_snake, engine_table("fields")[kind].get("eitherWay", ())))


@cache
def _owned_paths(kind: str) -> Mapping[str, str]:
    return {flag: owner for flag, owner in engine_table("owned")[kind].items() if isinstance(owner, str)}


_Owners = Mapping[str, str | Mapping[str, Any]]
"""By flag or variable: the path of the field that sets it, the object that it is a key of, or what relies on it."""


@cache
def _owned(model: type[BaseModel], kind: str, version: str, *, stock: bool) -> tuple[_Owners, _Owners]:
    """Flags, and variables, that are not the user's to set beside the fields; `stock` is the release's own image."""
    contract = load_contract(kind, version)
    table = engine_table("owned")[kind]
    paths: _Owners = {
        contract.model_flag: "model.id",
        **field_owners(model, kind),
        **{name: owner for name, owner in table.items() if stock or isinstance(owner, str) or not owner.get("stock")},
    }
    flags = ((path, contract.flags.get(name)) for name, path in paths.items())
    env = {flag.env: path for path, flag in flags if flag and flag.env}
    return paths, env | {name: path for name, path in paths.items() if not name.startswith("--")}


def _extra_arg_problems(case: Case, owned: _Owners) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    options = tuple(read_options(case.extra_args, case.contract))
    for option in options:
        path = f"extraArgs[{option.index}]"
        for problem in check_option(option, case.contract):
            yield Problem(path, f"{problem.path}: {problem.message}", problem.remedy)
        if option.flag is None:
            continue
        yield from odd_identifiers(option, path)
        name = option.flag.name
        # One key of a JSON option is told by its name, as the whole object has it.
        told = tuple(f"{option.key}={value}" for value in option.values) if option.key else option.values
        owner = owned.get(name)
        if owner is not None and any(not _breaks_nothing(owner, value) for value in told or (None,)):
            keyed = not isinstance(owner, str) and "key" in owner
            yield (
                key_problem(option, options, owned, case.engine) if keyed else _owned_problem(path, option.token, owner)
            )
        if name in seen and not option.flag.repeatable and "." not in option.token:
            yield Problem(path, f"{option.token} repeats extraArgs[{seen[name]}]", "remove one of them")
        seen.setdefault(name, option.index)


def _owned_problem(path: str, name: str, owner: str | Mapping[str, Any]) -> Problem:
    """Why a flag or variable is not the user's to set: a field does, or the plan relies on it as it is."""
    if isinstance(owner, str):
        return Problem(path, f"{name} is what a typed field sets", f"remove it, and set {owner} instead")
    return Problem(path, f"{name} is what the plan relies on: {owner['breaks']}", owner["instead"])


def _extra_env_problems(case: Case, owned: _Owners) -> Iterator[Problem]:
    yield from _owned_problems("extraEnv", case.extra_env, owned)
    for problem in check_env({n: v for n, v in read_env(case).items() if n not in owned}, case.contract):
        yield Problem(f"extraEnv.{problem.path}", problem.message, problem.remedy)


def _owned_problems(field: str, given: Mapping[str, str | None], owned: _Owners) -> Iterator[Problem]:
    """Variables that are not the user's to set; None is a value that nobody knows."""
    for name, value in given.items():
        if name in owned and not _breaks_nothing(owned[name], value):
            yield _owned_problem(f"{field}.{name}", name, owned[name])


def _breaks_nothing(owner: str | Mapping[str, Any], value: str | None) -> bool:
    """Whether a value of what the plan relies on is one that it goes on working with."""
    harmless = None if isinstance(owner, str) else owner.get("unless")
    return harmless is not None and value is not None and bool(re.fullmatch(harmless, without_escapes(value)))


def _names_every_gpu(owner: str | Mapping[str, Any], value: str | None, layout: GpuLayout) -> bool:
    """Whether a variable that hides GPUs names all of the pod's, in their order."""
    if isinstance(owner, str) or not owner.get("allGpus") or value is None:
        return False
    named = value.split(",")
    return len(named) == layout.gpus and named == [str(each) for each in range(layout.gpus)]


def _of_the_hub(owner: str | Mapping[str, Any]) -> bool:
    return not isinstance(owner, str) and bool(owner.get("hub"))
