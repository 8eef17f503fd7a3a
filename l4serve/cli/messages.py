"""What the command line says when it refuses: one readable message on standard error and exit code 2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from rich.text import Text

from l4serve.cli.output import SafeConsole, one_line
from l4serve.cli.verbosity import is_quiet
from l4serve.config.problems import ConfigError, StackFileError

if TYPE_CHECKING:
    from l4serve.planning.stack.stack_plan import StackPlan

BAD_INPUT = 2

_REMEDY = "\n    fix: "

stderr = SafeConsole(stderr=True, soft_wrap=True)


def refuse_input(message: str) -> typer.Exit:
    """Prints a refusal of bad input and returns the exit to raise.

    The message is one line, with a remedy behind `fix:` in a second: no line break of the input makes another.
    """
    lines = _REMEDY.join(map(one_line, message.split(_REMEDY, 1)))
    stderr.print(Text("error: ", style="bold red") + Text(lines))
    return typer.Exit(BAD_INPUT)


@contextmanager
def readable_refusals() -> Iterator[None]:
    """Turns a refused config or an unreadable stack file into a message and exit code 2."""
    try:
        yield
    except ConfigError as error:
        for problem in error.problems:
            refuse_input(str(problem))
        raise typer.Exit(BAD_INPUT) from None
    except StackFileError as error:
        raise refuse_input(str(error)) from None


def print_notes(plan: StackPlan) -> None:
    """Prints the notes of a plan on standard error."""
    for note in () if is_quiet() else plan.notes:
        where, text = one_line(note.path), one_line(note.text)
        stderr.print(Text("note: ", style="yellow") + Text(f"{where}: ", style="bold") + Text(text))
