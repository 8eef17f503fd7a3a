"""The commands of l4serve-hook: what pre-commit runs, in a clone of this project or beside stack files alone."""

from pathlib import Path

import typer

from l4serve.cli.commands.schema_command import generated_files, schema_text
from l4serve.cli.shell.guarded_group import GuardedGroup
from l4serve.cli.shell.messages import BAD_INPUT, readable_refusals, refuse_input
from l4serve.cli.shell.output import say
from l4serve.cli.subjects.stack_options import root_to_write
from l4serve.config.reading.files import exists_as_file
from l4serve.config.stack_file import read_stack_file
from l4serve.planning.stack.stack_planner import plan_stack

app = typer.Typer(
    name="l4serve-hook",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    cls=GuardedGroup,
)


@app.command(short_help="Plan each stack file.")
def plan(files: list[Path]) -> None:
    """Plan each stack file; exits 2 where one is refused, after it has looked at all."""
    refused = [file for file in files if not _plans(file)]
    if refused:
        raise typer.Exit(BAD_INPUT)


def _plans(file: Path) -> bool:
    if not exists_as_file(file):
        refuse_input(f"{file} does not exist; name the stack files of this repository")
        return False
    try:
        with readable_refusals(file):
            plan_stack(read_stack_file(file))
    except typer.Exit:
        return False
    return True


@app.command(short_help="Write the schema of a stack file where it differs.")
def schema(file: Path) -> None:
    """Write the schema of a stack file where it differs; exits 1 where it did."""
    _keep({file: schema_text()})


@app.command(short_help="Write the generated files of this project where they differ.")
def generated() -> None:
    """Write the generated files of this project where they differ; exits 1 where any did."""
    root = root_to_write("the generated files")
    _keep({root / path: text for path, text in generated_files().items()})


def _keep(texts: dict[Path, str]) -> None:
    stale = {path: text for path, text in texts.items() if not _holds(path, text)}
    for path, text in stale.items():
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise refuse_input(
                f"{path} cannot be written: {error.strerror}; name a file in a folder of yours"
            ) from None
        say(f"{path} was stale and is written anew")
    if stale:
        raise typer.Exit(1)


def _holds(path: Path, text: str) -> bool:
    try:
        return exists_as_file(path) and path.read_bytes() == text.encode()
    except OSError:
        return False
