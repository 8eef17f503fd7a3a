"""The two sides of a difference: stacks of a folder or single files, planned, or every reason why one is refused."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from l4serve.cli.subjects.base_tree import RECIPES, STACK_FILE, named_configs
from l4serve.config.frozen import frozen
from l4serve.config.problem_places import places_in
from l4serve.config.reading.files import FileRefusedError, exists_as_file, read_bytes
from l4serve.config.reading.yaml_reader import MOST_BYTES
from l4serve.config.recipes import MOST_RECIPE_BYTES
from l4serve.config.recipes import RECIPES as OWN_RECIPES
from l4serve.config.refusals.problems import ConfigError, StackFileError
from l4serve.config.secrets_guard import guard
from l4serve.config.stack_file import Stack, read_stack_file, written_serving
from l4serve.planning.difference.config_edits import written
from l4serve.planning.difference.differ import diff_plans
from l4serve.planning.difference.refused_base import RefusedBase, diff_from_refused, gone_from_refused
from l4serve.planning.difference.stack_diff import Refused, StackDiff
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.stack.stack_planner import plan_stack


@frozen()
class Side:
    """One side of one stack: what was planned, or why it is refused; neither where there is no such stack."""

    planned: tuple[Stack, StackPlan] | None = None
    refused: tuple[Refused, ...] = ()
    unreadable: bool = False
    """Whether it is no stack file at all."""
    readable: RefusedBase | None = None
    """What can be compared of a side that is refused."""
    validated: bool = False
    """Whether that is its config, recipes applied; else it is what its file says."""


NOT_THERE = Side()


def stacks_of(folder: Path) -> tuple[str, ...]:
    """The stacks whose files lie in a folder, by name; a pipe or folder of such a name is none."""
    found = (STACK_FILE.fullmatch(path.name) for path in folder.glob("Pulumi.*.yaml") if exists_as_file(path))
    return tuple(sorted(match[1] for match in found if match))


def recipes_of(folder: Path) -> Path:
    """The recipes beside the stacks of a folder, else those of this installation."""
    own = folder / RECIPES
    return own if own.is_dir() else OWN_RECIPES


def side_of(path: Path, recipes: Path, name: str | None = None) -> Side:
    """The side that a stack file is, under another name where one is given; NOT_THERE without a file."""
    if not exists_as_file(path):
        return NOT_THERE
    stack = None
    try:
        stack = read_stack_file(path, recipes=recipes, name=name)
        return Side((stack, plan_stack(stack)))
    except ConfigError as error:
        place = places_in(path, path.name)
        refused = tuple(Refused(each.path, each.message, each.remedy, place(each.path)) for each in error.problems)
        readable = _without_refused(stack, refused) if stack else _as_written(path, refused)
        return Side(refused=refused, readable=readable, validated=stack is not None)
    except StackFileError as error:
        refusal = Refused(path.name, error.message, error.remedy, f"{path.name}:{error.line}")
        return Side(refused=(refusal,), unreadable=True)


def _without_refused(stack: Stack, refused: Sequence[Refused]) -> RefusedBase:
    """A side whose config is valid and does not plan, with the plan of its parts that do.

    A valid config holds no secret, so none of its texts is hidden for being refused.
    """
    steps = [each.path.split(".") for each in refused]
    workloads = {step[1] for step in steps if step[0] == "workloads" and len(step) > 1}
    plan = None
    if all(step[0] == "workloads" and len(step) > 1 for step in steps):
        kept = {name: workload for name, workload in stack.config.workloads.items() if name not in workloads}
        with suppress(ConfigError):
            plan = plan_stack(replace(stack, config=stack.config.model_copy(update={"workloads": kept})))
    return RefusedBase(written(stack.config), plan=plan)


def _as_written(path: Path, refused: Sequence[Refused]) -> RefusedBase | None:
    """A side whose config is not valid, as its file says it; None where that is no mapping."""
    serving = written_serving(path)
    if serving is None:
        return None
    return RefusedBase(serving, None if any(guard(serving)) else tuple(each.path for each in refused))


def difference(name: str, before: Side, after: Side) -> StackDiff:
    """The difference between two sides of a stack."""
    old, new = before.planned, after.planned
    if after.refused:  # what it would have been nobody knows: nothing of it is removed
        diff = StackDiff(stack=name, verdict="refused", before=old[1] if old else None, after=None)
    elif before.refused and new and before.readable:
        serving = written(new[0].config) if before.validated else new[0].serving
        diff = diff_from_refused(name, before.readable, new[1], serving)
    elif before.refused and not new:
        diff = gone_from_refused(name)
    else:
        configs = (old[0].config, new[0].config) if old and new else None
        diff = diff_plans(name, old[1] if old else None, new[1] if new else None, configs)
    return replace(diff, refusals=after.refused, refused_before=before.refused)


def inputs_of(path: Path, recipes: Path) -> tuple[bytes, ...] | None:
    """Everything that a stack's plan is made from, for a comparison: its file, the recipes, the model configs."""
    try:
        content = read_bytes(path, MOST_BYTES)
        presets = (
            [read_bytes(file, MOST_BYTES) for file in sorted(recipes.glob("*.yaml")) if file.stem.encode() in content]
            if b"recipe" in content
            else []
        )
        if sum(map(len, presets)) > MOST_RECIPE_BYTES:
            return None
        names = sorted({name for text in (content, *presets) for name in named_configs(text)})
        configs = [_content(path.parent / name) for name in names]
    except FileRefusedError:
        return None
    return (content, *presets, *configs)


def _content(path: Path) -> bytes:
    return read_bytes(path, MOST_BYTES) if exists_as_file(path) else b""
