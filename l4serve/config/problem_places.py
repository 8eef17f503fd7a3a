"""A problem as every program tells it: file and line, path, what is wrong, and what to write."""

from collections.abc import Callable
from pathlib import Path

from l4serve.config.reading.files import FileRefusedError, read_bytes
from l4serve.config.reading.yaml_lines import line_of, yaml_lines
from l4serve.config.reading.yaml_reader import MOST_BYTES
from l4serve.config.refusals.problems import REMEDY, Problem
from l4serve.config.stack_file import SERVING_KEY


def places_in(file: Path | None, name: Path | str | None = None) -> Callable[[str], str]:
    """Gives `FILE:LINE` for the path of a problem, of its nearest parent where the file lacks the key, else line 1.

    Empty without a file. `name` is what the file is called where it is told.
    """
    try:
        lines = yaml_lines(read_bytes(file, MOST_BYTES)) if file else {}
    except FileRefusedError:
        lines = {}

    def place(path: str) -> str:
        own = ":" in path.partition(".")[0] or f"config.{path}" in lines
        under = "config" if own else f"config.{SERVING_KEY}"
        return f"{name or file}:{line_of(lines, f'{under}.{path}')}" if file else ""

    return place


def told(problem: Problem, place: str) -> str:
    """The problem behind its place, with its remedy, or with what explains its key, on a line of its own."""
    said, _, remedy = str(problem).partition(REMEDY)
    return f"{f'{place}: ' if place else ''}{said}{REMEDY}{remedy or _explained(problem.path)}"


def _explained(path: str) -> str:
    from l4serve.config.schema.key_reference import key_of

    key = key_of(path)
    return f"see what it takes: l4serve explain {key}" if key else "see docs/config-reference.md"
