"""Questions that a command asks on a terminal, with TAB to complete an answer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer

from l4serve.cli.shell.messages import refuse_input

Completion = Callable[[str], list[str]]
"""The answers that begin with what was typed."""


def ask(question: str, usual: str | None, completion: Completion) -> str:
    """The user's answer, which TAB completes; the usual one where nothing is typed. Exits 2 where the input ends."""
    try:
        with _completing(completion):
            return str(typer.prompt(question, default=usual))
    except typer.Abort as error:
        if not isinstance(error.__context__, EOFError):
            raise
        print()  # the cursor stands behind the question
        raise refuse_input(f"{question}: the input ended without an answer; answer it, or give the option") from None


@contextmanager
def _completing(completion: Completion) -> Iterator[None]:
    try:
        import readline
    except ImportError:
        # A Python without it reads the line as it is typed.
        yield
        return
    kept: list[Any] = [readline.get_completer(), readline.get_completer_delims()]

    def answer(typed: str, place: int) -> str | None:
        found = completion(typed)
        return found[place] if place < len(found) else None

    readline.set_completer(answer)
    readline.set_completer_delims("")
    # Python on macOS is linked with editline, which has words of its own.
    readline.parse_and_bind("bind ^I rl_complete" if "libedit" in (readline.__doc__ or "") else "tab: complete")
    try:
        yield
    finally:
        readline.set_completer(kept[0])
        readline.set_completer_delims(kept[1])
