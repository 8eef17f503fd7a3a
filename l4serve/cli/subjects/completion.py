"""What the shell completes: stacks, workloads, models, recipes, releases, machines, words of an engine, keys.

Each function gets what was typed so far and gives the values that begin with it. None raises: a shell that waits for
a completion shows no error.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any

import typer

from l4serve.config.words.spelling import by_number


def _beginning(values: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    @wraps(values)
    def complete(incomplete: str) -> list[str]:
        with suppress(Exception):
            return by_number({value for value in values() if value.lower().startswith(incomplete.lower())})
        return []

    complete.__annotations__ = {"incomplete": str, "return": list[str]}
    del complete.__wrapped__  # Typer reads the signature of what is wrapped
    return complete


@_beginning
def complete_stack() -> Iterable[str]:
    """Stacks of the project."""
    from l4serve.cli.project import project_root, stack_names

    return stack_names(project_root())


def complete_workload(ctx: typer.Context, incomplete: str) -> list[str]:
    """Workloads of the stack that the line names by -s, else of all stacks of the project."""
    return _beginning(lambda: _workloads(ctx.params.get("stack")))(incomplete)


def _workloads(stack: str | None) -> Iterator[str]:
    from l4serve.cli.project import project_root, stack_names
    from l4serve.config.stack_file import read_stack_file

    root: Path = project_root()
    for name in (stack,) if stack else stack_names(root):
        with suppress(ValueError):
            yield from read_stack_file(root / f"Pulumi.{name}.yaml").config.workloads


@_beginning
def complete_model() -> Iterable[str]:
    """Ids of the catalogue."""
    from l4serve.planning.models.catalogue import all_names

    return all_names()


@_beginning
def complete_recipe() -> Iterable[str]:
    """Recipes of the project."""
    from l4serve.config.recipes import recipes

    return recipes()


@_beginning
def complete_release() -> Iterable[str]:
    """Releases of every engine, as `vllm-0.26.0` and as `0.26.0`."""
    from l4serve.engines.releases.contract import contract_versions
    from l4serve.engines.releases.profile import engine_kinds

    return [name for kind in engine_kinds() for v in contract_versions(kind) for name in (v, f"{kind}-{v}")]


@_beginning
def complete_machine() -> Iterable[str]:
    """GPU machine types, with the cards that a pool attaches."""
    from l4serve.planning.machines.shapes import all_shapes

    return [shape.name for shape in all_shapes(None)]


@_beginning
def complete_location() -> Iterable[str]:
    """Regions and zones that have the default accelerator."""
    from l4serve.planning.machines.shapes import default_accelerator
    from l4serve.planning.machines.zones import accelerator_locations

    return accelerator_locations(default_accelerator())


@_beginning
def complete_region() -> Iterable[str]:
    """Regions of Google Cloud."""
    from l4serve.config.words.regions import known_regions

    return known_regions()


@_beginning
def complete_accelerator() -> Iterable[str]:
    """Cards by GKE's name."""
    from l4serve.planning.machines.shapes import accelerators

    return accelerators()


@_beginning
def complete_engine() -> Iterable[str]:
    """Kinds of engine."""
    from l4serve.engines.releases.profile import engine_kinds

    return engine_kinds()


@_beginning
def complete_nothing() -> Iterable[str]:
    """What nobody can know beforehand, such as a new name."""
    return ()


@_beginning
def complete_goal() -> Iterable[str]:
    """What a first stack is for."""
    from l4serve.advising.first_advice import FIRST_GOALS

    return FIRST_GOALS


@_beginning
def complete_purpose() -> Iterable[str]:
    """What a server answers with."""
    from l4serve.planning.models.purpose import PURPOSES

    return PURPOSES


@_beginning
def complete_level() -> Iterable[str]:
    """Levels of a difference, as one word each."""
    from l4serve.cli.subjects.difference_levels import LEVELS

    return [level.replace(" ", "-") for level in LEVELS]


@_beginning
def complete_ref() -> Iterable[str]:
    """Branches and tags of the repository."""
    from l4serve.cli.subjects.base_tree import names_of_commits

    return names_of_commits(Path.cwd())


def complete_flag(ctx: typer.Context, incomplete: str) -> list[str]:
    """Flags of the release that the line names, else of every engine's newest; without the dashes of an option."""
    return _beginning(lambda: _flags(ctx.params.get("name")))(incomplete)


def _flags(name: str | None) -> Iterator[str]:
    from l4serve.engines.releases.contract import contract_versions
    from l4serve.engines.releases.contract_names import named_contract
    from l4serve.engines.releases.profile import engine_kinds

    newest = [f"{kind}-{contract_versions(kind)[-1]}" for kind in engine_kinds()]
    for each in [name] if name else newest:
        yield from (flag.lstrip("-") for flag in named_contract(each).contract.flags)


def _words(*flags: str) -> Callable[[typer.Context, str], list[str]]:
    """Completes the values that the release which the line names knows for a flag, under any of its names."""

    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        return _beginning(lambda: _values(flags, ctx.params))(incomplete)

    return complete


def _values(flags: Iterable[str], said: Mapping[str, Any]) -> Iterator[str]:
    from l4serve.engines.releases.contract import contract_versions, load_contract
    from l4serve.engines.releases.profile import engine_kinds

    kind = said.get("engine") or engine_kinds()[0]
    contract = load_contract(kind, said.get("engine_version") or contract_versions(kind)[-1])
    for flag in filter(None, map(contract.flag, flags)):
        yield from flag.choices or flag.values or ()


complete_dtype = _words("--dtype")
complete_quantization = _words("--quantization", "--quantize")
complete_kv_cache_dtype = _words("--kv-cache-dtype")
complete_attention_backend = _words("--attention-backend")


@_beginning
def complete_key() -> Iterable[str]:
    """Keys of the config, without the names of workloads and pools."""
    from l4serve.config.schema.key_reference import known_keys

    return known_keys()
