"""Finds and plans the stack that a command is about."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from l4serve.cli.project import (
    LONGEST_STACK_NAME,
    OWN_PROJECT,
    STACK_NAME,
    is_elsewhere,
    project_root,
    stack_folder,
    stack_names,
    stack_path,
)
from l4serve.cli.shell.messages import readable_refusals, refuse_input
from l4serve.cli.subjects.completion import complete_stack, complete_workload
from l4serve.config.reading.files import exists_as_file, exists_as_folder, odd_kind
from l4serve.config.secrecy.secret_shapes import excerpt
from l4serve.config.stack_file import Stack, read_stack_file
from l4serve.config.words.regions import known_regions, may_be_a_region
from l4serve.config.words.spelling import did_you_mean, one_of

# The planner takes a quarter of a second to load; commands that only name a stack do without it.
if TYPE_CHECKING:
    from l4serve.planning.stack.stack_plan import StackPlan
    from l4serve.planning.workload.workload_plan import WorkloadPlan

StackOption = Annotated[
    str | None,
    typer.Option("--stack", "-s", help="Stack, as in Pulumi.STACK.yaml.", autocompletion=complete_stack),
]
WorkloadOption = Annotated[
    str | None,
    typer.Option(help="Workload of the stack; needed where it has several.", autocompletion=complete_workload),
]
FileOption = Annotated[
    Path | None, typer.Option("--file", "-f", help="Stack file outside the project, instead of a stack.")
]
RunCommandsOption = Annotated[
    bool,
    typer.Option(
        "--run-kubeconfig-commands",
        help="Trust a foreign stack file: run its kubeconfig's commands, and Pulumi in its folder.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
LONGEST_SECONDS = 86_400
"""The longest that a command may be told to wait."""


_WRITTEN_BY = "l4serve init writes a stack file"


def not_a_folder(path: Path, option: str = "") -> typer.Exit:
    """Says that a folder is no stack file, and names one that is in it."""
    first = next((f"name a file in it: {option}{path / f'Pulumi.{name}.yaml'}" for name in stack_names(path)), None)
    return refuse_input(f"{path} is a folder, not a stack file\n    fix: {first or _WRITTEN_BY}")


def load(stack: str | None, file: Path | None) -> Stack:
    """The stack by its name or file; exits 2 with a readable message where it cannot be had."""
    if (stack is None) == (file is None):
        raise refuse_input("a command works on one stack; name one stack by -s STACK or by -f FILE")
    if stack is not None:
        valid_stack_name(stack)
        _refuse_the_wrong_one(stack)
    path = stack_path(stack, file)
    if exists_as_folder(path):
        raise not_a_folder(path, "-f ")
    if odd := odd_kind(path):
        raise refuse_input(f"{path} is {odd}, not a regular file\n    fix: name a stack file, such as Pulumi.dev.yaml")
    if not exists_as_file(path):
        known = ", ".join(stack_names(path.parent))
        near = did_you_mean(stack or "", stack_names(path.parent))
        hint = f"name one of the stacks here: {known}" if known and file is None else _WRITTEN_BY
        other = path.with_suffix(".yaml")
        meant = f"did you mean {other}?" if file is not None and exists_as_file(other) else near or hint
        raise refuse_input(f"{path} does not exist\n    fix: {meant}")
    with readable_refusals(path):
        return read_stack_file(path)


def _refuse_the_wrong_one(stack: str) -> None:
    """Exits 2 where a file of that name lies here, outside a project, and the program's own would be read instead."""
    here = stack_folder() / f"Pulumi.{stack}.yaml"
    if is_elsewhere() and stack_folder() != OWN_PROJECT and exists_as_file(here):
        raise refuse_input(f"-s {stack} is a stack of {OWN_PROJECT}, and {here} is another; name the file: -f {here}")


def root_to_write(what: str) -> Path:
    """The project's folder; exits 2 outside a project, where the program's own files would be written."""
    if is_elsewhere():
        raise refuse_input(
            f"{Path.cwd()} is in no project (Pulumi.yaml and stacks/), and {what} would be written into the program's "
            f"own folder\n    fix: go to a clone of yours, or there: cd {OWN_PROJECT}"
        )
    return project_root()


def valid_stack_name(name: str) -> str:
    """The name of a stack, as it was given; exits 2 where no stack can have it."""
    if written := re.fullmatch(r"(?:Pulumi\.)?(.+)\.ya?ml", name):
        raise refuse_input(
            f"{excerpt(name, 100)!r} is a file, and a stack goes by its name\n    fix: give {written[1]}"
        )
    if (owned := re.fullmatch(rf"(?:{STACK_NAME}/){{1,2}}({STACK_NAME})", name, re.ASCII)) is not None:
        raise refuse_input(f"{name!r} is a stack by its owner, and its file here has none; give {owned[1]}")
    if len(name) > LONGEST_STACK_NAME:
        said = f"the name of a stack has {len(name)} characters"
        raise refuse_input(f"{said}, and Pulumi takes {LONGEST_STACK_NAME}; shorten it")
    if not re.fullmatch(STACK_NAME, name, re.ASCII):
        raise refuse_input(
            f"{excerpt(name, 100)!r} is not the name of a stack; write letters, digits, '-', '_' and '.'"
        )
    if not name.strip("-_."):
        raise refuse_input(f"{name!r} is not the name of a stack; give it a letter or a digit")
    return name


def valid_region(name: str | None) -> None:
    """Exits 2 for a region that Google Cloud has never had, with the one that may be meant."""
    if name is not None and not may_be_a_region(name):
        raise refuse_input(f"Google Cloud has no region {excerpt(name, 100)!r}; {one_of(name, known_regions())}")


def load_plan(stack: str | None, file: Path | None) -> "StackPlan":
    """The plan of a stack by its name or file; exits 2 with every problem of its config."""
    loaded = load(stack, file)
    from l4serve.planning.stack.stack_planner import plan_stack

    with readable_refusals(loaded.file):
        return plan_stack(loaded)


def named_workloads(plan: "StackPlan", name: str | None) -> "tuple[WorkloadPlan, ...]":
    """The workload of that name, or all where none is named; exits 2 for a name that the stack does not have."""
    if not plan.workloads:
        raise refuse_input(f"stack {plan.stack} has no workloads; name a stack that serves a model")
    found = tuple(workload for workload in plan.workloads if name in (None, workload.name))
    if not found:
        known = [workload.name for workload in plan.workloads]
        raise refuse_input(f"--workload {name}: the stack has no such workload; {one_of(str(name), known)}")
    return found


def one_workload(plan: "StackPlan", name: str | None, model: str | None = None) -> "WorkloadPlan":
    """The workload that is meant: the named one, the one that serves the model, or the only one; exits 2 else."""
    found = list(named_workloads(plan, name))
    if model is not None:
        served = [workload.model.id for workload in found]
        found = [workload for workload in found if workload.model.id.lower() == model.lower()]
        if not found:
            raise refuse_input(f"--model {model}: no such workload serves it; {one_of(model, served)}")
    if len(found) > 1:
        known = ", ".join(workload.name for workload in found)
        raise refuse_input(f"one workload is asked about at a time; name it with --workload: {known}")
    return found[0]
