"""l4serve init: a stack file that plans, from a project, a location, a model and a goal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Annotated, Generic, TypeVar

import typer

from l4serve.advising.first_advice import FIRST_GOALS, advised_stack
from l4serve.advising.ranking import GOALS
from l4serve.cli.project import OWN_PROJECT, stack_names
from l4serve.cli.shell.messages import BAD_INPUT, print_notes, readable_refusals, refuse_input
from l4serve.cli.shell.output import one_line, say
from l4serve.cli.shell.questions import Completion, ask
from l4serve.cli.shell.whole_file import replace_file
from l4serve.cli.subjects.begun_stack import begun_stack
from l4serve.cli.subjects.completion import complete_goal, complete_location, complete_model, complete_nothing
from l4serve.cli.subjects.stack_options import root_to_write, valid_stack_name
from l4serve.config.frozen import frozen
from l4serve.config.reading.yaml_text import block
from l4serve.config.refusals.problems import ConfigError
from l4serve.config.secrecy.secret_shapes import excerpt
from l4serve.config.stack_file import SERVING_KEY, parse_stack, stack_name
from l4serve.config.words.model_ids import meant_by_option
from l4serve.config.words.regions import known_regions
from l4serve.config.words.spelling import did_you_mean, one_of
from l4serve.planning.gke.cluster_planner import refuse_misspelt_location
from l4serve.planning.gke.location import region_of
from l4serve.planning.machines.shapes import default_accelerator
from l4serve.planning.machines.zones import accelerator_locations, near_locations
from l4serve.planning.models.catalogue import find_model, model_hint
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.stack.first_stack import FirstStack, Wish, first_stack

T = TypeVar("T")
_OPTION_OF = {
    "gcp:project": "--project",
    "cluster.location": "--location",
    "cluster.name": "NAME",
    "goal": "--goal",
}
"""Options by the key that they become; all else that a stack is refused for follows from its model."""
SCHEMA_FILE = Path("docs/stack.schema.json")


@frozen()
class _Question(Generic[T]):
    """One thing that `init` has to know: by an option, else by the user's answer on a terminal."""

    option: str
    text: str
    given: str | None
    usual: str | None
    completion: Completion
    check: Callable[[str], T]
    """Prints a refusal and raises its exit."""

    def is_refused(self) -> bool:
        """Whether the option is wrong, or is missing where nobody can be asked; tells which."""
        if self.given is not None:
            try:
                self.check(self.given)
            except typer.Exit:
                return True
        elif not sys.stdin.isatty():
            named = self.option.startswith("--")
            example = f"{self.option} {self.usual or 'ID'}" if named else f"l4serve init {self.usual}"
            refuse_input(f"{self.option} is missing, and there is no terminal to ask on\n    fix: give {example}")
            return True
        return False

    def answer(self) -> T:
        """The option's value, else the user's answer, asked again while it is refused."""
        if self.given is not None:
            return self.check(self.given)
        while True:
            answer = ask(self.text, self.usual, self.completion)
            with suppress(typer.Exit):  # what is wrong is told
                return self.check(answer)


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
            help="try: one spot node, which costs until you set replicas: 0 or destroy the stack; serve: on demand, "
            "scaled, protected; latency, throughput or cost: serve, with the settings that advise finds best for it.",
            autocompletion=complete_goal,
        ),
    ] = None,
) -> None:
    """Write Pulumi.NAME.yaml, a stack that plans. Asks for what the options leave open, on a terminal.

    The smallest number of GPUs that holds the model is taken, and the longest context up to 32,768 tokens.
    """
    root = root_to_write("the stack file")
    usual = "Qwen/Qwen2.5-7B-Instruct"
    of_name = _Question("NAME", "Name of the stack", name, _free_name(root), complete_nothing, partial(_file, root))
    of_project = _Question("--project", "Google Cloud project", project, None, complete_nothing, _project)
    of_place = _Question("--location", "Zone or region", location, "us-central1-a", complete_location, _location)
    of_model = _Question("--model", "Model (l4serve models lists them)", model, usual, complete_model, _model)
    of_goal = _Question("--goal", f"Goal ({', '.join(FIRST_GOALS)})", goal, "try", complete_goal, _goal)
    # Before the first is asked, and all at once: who gives options mends each in one go.
    if [each for each in (of_name, of_project, of_place, of_model, of_goal) if each.is_refused()]:
        raise typer.Exit(BAD_INPUT)
    file, project, location = of_name.answer(), of_project.answer(), of_place.answer()
    shape, goal = of_model.answer(), of_goal.answer()
    advice = next((each for each in GOALS if each == goal), None)
    wish = Wish(name=stack_name(file), project=project, location=location, model=shape, serves=goal != "try")
    with readable_refusals(), _by_option():
        found = first_stack(wish, root) if advice is None else advised_stack(wish, advice, root)
    begun = _write(file, found)
    print_notes(found.plan)
    say(_told(file, wish, found, "select" if begun else "init"))


@contextmanager
def _by_option() -> Iterator[None]:
    """Names the option that a key of the refused stack came from: there is no file yet."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError([replace(one, path=_OPTION_OF.get(one.path, "--model")) for one in error.problems]) from None


def _free_name(root: Path) -> str:
    taken = stack_names(root)
    return next(name for name in (f"dev{number or ''}" for number in count()) if name not in taken)


def _file(root: Path, name: str) -> Path:
    file = root / f"Pulumi.{valid_stack_name(name)}.yaml"
    if file.exists() and begun_stack(file) is None:
        raise refuse_input(f"{file} exists already\n    fix: choose another name, or remove the file")
    return file


def _project(name: str) -> str:
    return _grammatical("gcp:project", name, project=name)


def _location(name: str) -> str:
    place = _grammatical("cluster.location", name, location=name)
    with readable_refusals(), _by_option():
        refuse_misspelt_location(place)
    if place not in accelerator_locations(card := default_accelerator()):
        region = region_of(place)
        near = f"give one of {', '.join(near_locations(card, region, zones=place != region))}"
        if region not in known_regions():
            near = did_you_mean(place, accelerator_locations(card)) or near
        raise refuse_input(f"--location: {place} is not known to have {card}, which the stack runs on\n    fix: {near}")
    return place


def _grammatical(key: str, value: str, *, project: str = "my-project", location: str = "us-central1-a") -> str:
    """The value, where a stack's key takes it."""
    cluster = {"mode": "autopilot", "name": "llm", "location": location}
    try:
        parse_stack("dev", {"gcp:project": project, SERVING_KEY: {"cluster": cluster, "workloads": {}}}, base=Path())
    except ConfigError as error:
        if of_key := [replace(one, path=_OPTION_OF[key]) for one in error.problems if one.path == key]:
            with readable_refusals():
                raise ConfigError(of_key) from None
    return value


def _model(name: str) -> ModelShape:
    found = find_model(name)
    if found is None:
        hint = (
            meant_by_option(name)
            or model_hint(name)
            or "l4serve models lists them; docs/how-to.md tells of other models"
        )
        raise refuse_input(f"{excerpt(name, 200)} is not in the catalogue\n    fix: {hint}")
    return found


def _goal(goal: str) -> str:
    if goal not in FIRST_GOALS:
        raise refuse_input(f"{excerpt(goal, 100)!r} is not a goal; {one_of(goal, FIRST_GOALS)}")
    return goal


def _write(file: Path, found: FirstStack) -> bool:
    """Writes the stack, and keeps what Pulumi wrote into its file before; whether there is any."""
    begun = begun_stack(file)
    whole = {**(begun or {}), "config": {**(begun["config"] if begun else {}), **found.config}}
    schema = SCHEMA_FILE if (file.parent / SCHEMA_FILE).is_file() else OWN_PROJECT / SCHEMA_FILE
    text = f"# yaml-language-server: $schema={schema.as_posix()}\n{block(whole)}"
    try:
        if begun is None:
            with file.open("x", encoding="utf-8") as out:
                out.write(text)
        else:
            replace_file(file, text.encode("utf-8"))
    except OSError as error:
        raise refuse_input(f"{file} cannot be written: {error.strerror}; go to a folder of your own") from None
    return begun is not None


def _told(file: Path, wish: Wish, found: FirstStack, begin: str) -> str:
    (workload,), (pool,) = found.plan.workloads, found.plan.node_pools
    how = f"{pool.machine_type}, {pool.supply.provisioning}, {pool.gpus} GPU{'s' * (pool.gpus > 1)}"
    lines = [
        f"wrote {file}",
        f"{one_line(workload.model.id)}: {workload.model.max_model_len:,} tokens of context on {how}",
        *_chosen(wish, found),
        "next:",
        f"  l4serve plan -s {wish.name}",
        f"  pulumi stack {begin} {wish.name}",
    ]
    if found.plan.token_missing:
        lines.append(
            "  pulumi config set --secret hfToken    # the model is gated: accept its licence on the Hub first"
        )
    return "\n".join([*lines, "  pulumi up"])


def _chosen(wish: Wish, found: FirstStack) -> Iterator[str]:
    """What the goal changed of what was asked, and what the answers lose by it."""
    if found.chosen:
        yield "set for the goal:"
    for key, value in found.chosen.items():
        asked = f" in place of {one_line(wish.model.id)}" if key == "model.id" else ""
        yield f"  {key}: {one_line(str(value))}{asked}"
    if found.bits:
        bits = found.bits.removesuffix("bit")
        yield f"  answers may be worse: weights or cache have {bits} bits; the goal serve leaves the model as it is"
