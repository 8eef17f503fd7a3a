"""What the command line says when it refuses: one readable message on standard error and exit code 2."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.text import Text

from l4serve.cli.output import SafeConsole, one_line
from l4serve.cli.tables import wrapped
from l4serve.cli.verbosity import is_quiet
from l4serve.config.problems import ConfigError, Problem, StackFileError

if TYPE_CHECKING:
    from l4serve.planning.stack.stack_plan import StackPlan
    from l4serve.planning.values.note import Note

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
def readable_refusals(file: Path | None = None) -> Iterator[None]:
    """Turns a refused config or an unreadable stack file into messages and exit code 2.

    Each names the line of the stack file that it is about, of its nearest parent where the file lacks the key.
    """
    try:
        yield
    except ConfigError as error:
        lines = _lines(file)
        for problem in error.problems:
            _print_refusal(problem, file, lines)
        raise typer.Exit(BAD_INPUT) from None
    except StackFileError as error:
        _say_refusal(f"{_near(error.file)}:{error.line}: {error.message}", error.remedy)
        raise typer.Exit(BAD_INPUT) from None


def _lines(file: Path | None) -> Mapping[str, int]:
    from l4serve.config.files import FileRefusedError, read_bytes
    from l4serve.config.yaml_lines import yaml_lines
    from l4serve.config.yaml_reader import MOST_BYTES

    try:
        return yaml_lines(read_bytes(file, MOST_BYTES)) if file else {}
    except FileRefusedError:
        return {}


def _print_refusal(problem: Problem, file: Path | None, lines: Mapping[str, int]) -> None:
    from l4serve.config.stack_file import SERVING_KEY
    from l4serve.config.yaml_lines import line_of

    under_serving = "config" if ":" in problem.path else f"config.{SERVING_KEY}"
    path = f"{under_serving}.{problem.path}"
    where = f"{_near(file)}:{line_of(lines, path)}: " if file else ""
    said, _, remedy = str(problem).partition(_REMEDY)
    _say_refusal(f"{where}{said}", remedy or _explained(problem.path))


def _say_refusal(said: str, remedy: str) -> None:
    stderr.print(Text("error: ", style="bold red") + Text(one_line(said)))
    stderr.print(Text(f"    fix: {one_line(remedy)}" if remedy else ""), end="\n" if remedy else "")


def _near(file: Path) -> Path:
    """The file from where the user stands, where it lies below."""
    here = Path.cwd()
    return file.relative_to(here) if file.is_absolute() and file.is_relative_to(here) else file


def _explained(path: str) -> str:
    from l4serve.config.key_reference import key_of

    key = key_of(path)
    return f"see what it takes: l4serve explain {key}" if key else "see docs/config-reference.md"


_NOTE_STYLES = {"will fail": "bold red", "may fail": "yellow", "costs": "magenta", "advice": "cyan"}


def print_notes(plan: StackPlan) -> None:
    """Prints the notes of a plan on standard error, the most harmful first, wrapped to the terminal."""
    for note in () if is_quiet() else by_harm(plan.notes):
        head = Text("note, ") + Text(note.level, style=_NOTE_STYLES[note.level]) + Text(": ")
        whole = head + Text(f"{one_line(note.path)}: ", style="bold") + Text(one_line(note.text))
        stderr.print(wrapped(whole, stderr.width, "      "))


def by_harm(notes: Iterable[Note]) -> list[Note]:
    """Notes by their level, those that tell of the most harm first."""
    from l4serve.planning.values.note import LEVELS

    return sorted(notes, key=lambda note: LEVELS.index(note.level))
