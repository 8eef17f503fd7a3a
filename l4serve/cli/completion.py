"""What the shell completes: stacks, workloads, models, recipes, releases, machines and keys of the config.

Each function gets what was typed so far and gives the values that begin with it. None raises: a shell that waits for
a completion shows no error.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import wraps
from pathlib import Path

import typer


def _beginning(values: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    @wraps(values)
    def complete(incomplete: str) -> list[str]:
        with suppress(Exception):
            return sorted({value for value in values() if value.lower().startswith(incomplete.lower())})
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
    from l4serve.engines.contract import contract_versions
    from l4serve.engines.profile import engine_kinds

    return [name for kind in engine_kinds() for v in contract_versions(kind) for name in (v, f"{kind}-{v}")]


@_beginning
def complete_machine() -> Iterable[str]:
    """GPU machine types."""
    from l4serve.planning.machines.shapes import all_shapes

    return [shape.machine_type for shape in all_shapes(None)]


@_beginning
def complete_location() -> Iterable[str]:
    """Regions and zones that have the default accelerator."""
    from l4serve.planning.machines.shapes import default_accelerator
    from l4serve.planning.machines.zones import accelerator_locations

    return accelerator_locations(default_accelerator())


@_beginning
def complete_region() -> Iterable[str]:
    """Regions of Google Cloud."""
    from l4serve.planning.machines.regions import known_regions

    return known_regions()


@_beginning
def complete_accelerator() -> Iterable[str]:
    """Cards by GKE's name."""
    from l4serve.planning.machines.shapes import accelerators

    return accelerators()


@_beginning
def complete_engine() -> Iterable[str]:
    """Kinds of engine."""
    from l4serve.engines.profile import engine_kinds

    return engine_kinds()


@_beginning
def complete_key() -> Iterable[str]:
    """Keys of the config, without the names of workloads and pools."""
    from l4serve.config.key_reference import known_keys

    return known_keys()
