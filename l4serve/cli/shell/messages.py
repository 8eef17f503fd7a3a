"""What the command line says when it refuses: one readable message on standard error and exit code 2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.text import Text

from l4serve.cli.shell.output import SafeConsole, one_line
from l4serve.cli.shell.tables import wrapped
from l4serve.cli.shell.verbosity import is_quiet
from l4serve.config.refusals.problems import REMEDY, ConfigError, StackFileError, split_remedy

if TYPE_CHECKING:
    from l4serve.planning.stack.stack_plan import StackPlan

BAD_INPUT = 2

stderr = SafeConsole(stderr=True, soft_wrap=True)


def refuse_input(message: str) -> typer.Exit:
    """Prints a refusal of bad input and returns the exit to raise.

    The message is one line, with a remedy behind `fix:` in a second: no line break of the input makes another.
    A message without that mark holds its remedy behind its last semicolon.
    """
    said, mark, remedy = message.partition(REMEDY)
    if not mark:
        said, remedy = split_remedy(message)
    lines = REMEDY.join(one_line(part) for part in (said, remedy) if part)
    stderr.print(Text("error: ", style="bold red") + Text(lines))
    return typer.Exit(BAD_INPUT)


@contextmanager
def readable_refusals(file: Path | None = None) -> Iterator[None]:
    """Turns a refused config or an unreadable stack file into messages and exit code 2.

    Each names the line of the stack file that it is about, of its nearest parent where the file lacks the key.
    """
    try:
        yield
    except ConfigError as error:
        from l4serve.config.problem_places import places_in, told

        place = places_in(file, _near(file) if file else None)
        for problem in error.problems:
            refuse_input(told(problem, place(problem.path)))
        raise typer.Exit(BAD_INPUT) from None
    except StackFileError as error:
        remedy = f"{REMEDY}{error.remedy}" if error.remedy else ""
        refuse_input(f"{_near(error.file)}:{error.line}: {error.message}{remedy}")
        raise typer.Exit(BAD_INPUT) from None


def _near(file: Path) -> Path:
    """The file from where the user stands, where it lies below."""
    here = Path.cwd()
    return file.relative_to(here) if file.is_absolute() and file.is_relative_to(here) else file


_NOTE_STYLES = {
    "danger": "bold white on red",
    "will fail": "bold red",
    "may fail": "yellow",
    "costs": "magenta",
    "advice": "cyan",
}


def print_notes(plan: StackPlan) -> None:
    """Prints the notes of a plan on standard error, the most harmful first, wrapped to the terminal."""
    from l4serve.planning.values.note import by_harm

    for note in () if is_quiet() else by_harm(plan.notes):
        head = Text("note, ") + Text(note.level, style=_NOTE_STYLES[note.level]) + Text(": ")
        whole = head + Text(f"{one_line(note.path)}: ", style="bold") + Text(one_line(note.text))
        stderr.print(wrapped(whole, stderr.width, "      "))
