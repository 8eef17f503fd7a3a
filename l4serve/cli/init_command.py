"""l4serve init: a stack file that plans, from a project, a location, a model and a goal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from l4serve.cli.completion import complete_goal, complete_location, complete_model, complete_nothing
from l4serve.cli.messages import print_notes, readable_refusals, refuse_input
from l4serve.cli.output import one_line, say
from l4serve.cli.project import OWN_PROJECT
from l4serve.cli.questions import Completion, ask
from l4serve.cli.stack_options import root_to_write, valid_stack_name
from l4serve.config.problems import ConfigError
from l4serve.config.secret_shapes import excerpt
from l4serve.config.spelling import did_you_mean, one_of
from l4serve.config.yaml_text import block
from l4serve.planning.models.catalogue import all_names, find_model
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.stack.first_stack import GOALS, FirstStack, Wish, first_stack

_OPTION_OF = {"gcp:project": "--project", "cluster.location": "--location", "cluster.name": "NAME"}
"""Options by the key that they become; all else that a stack is refused for follows from its model."""
SCHEMA_FILE = Path("docs/stack.schema.json")


def init(
    name: Annotated[str | None, typer.Argument(help="Name of the stack, such as dev.")] = None,
    project: Annotated[str | None, typer.Option(help="Google Cloud project that pays for the stack.")] = None,
    location: Annotated[
        str | None, typer.Option(help="Zone or region, such as us-central1-a.", autocompletion=complete_location)
    ] = None,
    model: Annotated[str | None, typer.Option(help="Hub id of a known model.", autocompletion=complete_model)] = None,
    goal: Annotated[
        str | None,
        typer.Option(
            help="try: one spot node, gone when idle; serve: on demand, scaled, protected.",
            autocompletion=complete_goal,
        ),
    ] = None,
) -> None:
    """Write Pulumi.NAME.yaml, a stack that plans. Asks for what the options leave open, on a terminal.

    The smallest number of GPUs that holds the model is taken, and the longest context up to 32,768 tokens.
    """
    name = _answer("NAME", "Name of the stack", name, "dev", complete_nothing)
    project = _answer("--project", "Google Cloud project", project, None, complete_nothing)
    location = _answer("--location", "Zone or region", location, "us-central1-a", complete_location)
    model = _answer("--model", "Model (l4serve models lists them)", model, "Qwen/Qwen2.5-7B-Instruct", complete_model)
    goal = _answer("--goal", "Goal, try or serve", goal, "try", complete_goal)
    file = _file(name)
    wish = Wish(name=name, project=project, location=location, model=_model(model), goal=_goal(goal))
    with readable_refusals(), _by_option():
        found = first_stack(wish, file.parent)
    _write(file, found)
    print_notes(found.plan)
    say(_told(file, wish, found))


def _answer(option: str, question: str, given: str | None, usual: str | None, completion: Completion) -> str:
    """The option's value, else the user's answer; exits 2 where nobody can be asked."""
    if given is not None:
        return given
    if sys.stdin.isatty():
        return ask(question, usual, completion)
    example = f"{option} {usual or 'ID'}" if option.startswith("--") else f"l4serve init {usual}"
    raise refuse_input(f"{option} is missing, and there is no terminal to ask on\n    fix: give {example}")


@contextmanager
def _by_option() -> Iterator[None]:
    """Names the option that a key of the refused stack came from: there is no file yet."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError([replace(one, path=_OPTION_OF.get(one.path, "--model")) for one in error.problems]) from None


def _file(name: str) -> Path:
    file = root_to_write("the stack file") / f"Pulumi.{valid_stack_name(name)}.yaml"
    if file.exists():
        raise refuse_input(f"{file} exists already\n    fix: choose another name, or remove the file")
    return file


def _model(name: str) -> ModelShape:
    found = find_model(name)
    if found is None:
        hint = did_you_mean(name, all_names()) or "l4serve models lists them; docs/how-to.md tells of other models"
        raise refuse_input(f"{excerpt(name, 200)} is not in the catalogue\n    fix: {hint}")
    return found


def _goal(goal: str) -> Any:
    if goal not in GOALS:
        raise refuse_input(f"{excerpt(goal, 100)!r} is not a goal; {one_of(goal, GOALS)}")
    return goal


def _write(file: Path, found: FirstStack) -> None:
    schema = SCHEMA_FILE if (file.parent / SCHEMA_FILE).is_file() else OWN_PROJECT / SCHEMA_FILE
    text = f"# yaml-language-server: $schema={schema.as_posix()}\n{block({'config': found.config})}"
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        raise refuse_input(f"{file} cannot be written: {error.strerror}; go to a folder of your own") from None


def _told(file: Path, wish: Wish, found: FirstStack) -> str:
    (workload,), (pool,) = found.plan.workloads, found.plan.node_pools
    how = f"{pool.machine_type}, {pool.supply.provisioning}, {pool.gpus} GPU"
    lines = [
        f"wrote {file}",
        f"{one_line(wish.model.id)}: {workload.model.max_model_len:,} tokens of context on {how}",
        "next:",
        f"  l4serve plan -s {wish.name}",
        f"  pulumi stack init {wish.name}",
    ]
    if found.plan.token_missing:
        lines.append(
            "  pulumi config set --secret hfToken    # the model is gated: accept its licence on the Hub first"
        )
    return "\n".join([*lines, "  pulumi up"])
