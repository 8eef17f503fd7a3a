"""l4serve-hook: what a pre-commit hook runs, in a clone of this project or in a repository of stack files alone."""

import sys
from pathlib import Path

import typer

from l4serve.cli.guarded_group import GuardedGroup
from l4serve.cli.messages import BAD_INPUT, readable_refusals, refuse_input
from l4serve.cli.output import say
from l4serve.cli.schema_command import generated_files, schema_text
from l4serve.cli.stack_options import root_to_write
from l4serve.config.files import exists_as_file
from l4serve.config.stack_file import read_stack_file
from l4serve.planning.stack.stack_planner import plan_stack

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, cls=GuardedGroup)


@app.command()
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


@app.command()
def schema(file: Path) -> None:
    """Write the schema of a stack file where it differs; exits 1 where it did."""
    _keep({file: schema_text()})


@app.command()
def generated() -> None:
    """Write the generated files of this project where they differ; exits 1 where any did."""
    root = root_to_write("the generated files")
    _keep({root / path: text for path, text in generated_files().items()})


def _keep(texts: dict[Path, str]) -> None:
    stale = {path: text for path, text in texts.items() if not path.is_file() or path.read_text("utf-8") != text}
    for path, text in stale.items():
        path.write_text(text, encoding="utf-8")
        say(f"{path} was stale and is written anew")
    if stale:
        raise typer.Exit(1)


def main() -> None:
    """Entry point of the console script."""
    app(sys.argv[1:])
