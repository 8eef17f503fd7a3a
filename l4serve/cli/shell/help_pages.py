"""Help as wide as the terminal, at any width, in which no name is broken: lines break at blanks alone."""

import re
from collections.abc import Sequence
from typing import Any

import typer

_WIDEST = 80
_MARGIN = 2
_NARROW = 60
"""Below it what an option does stands under its name."""


class _Formatter(typer.Context.formatter_class):  # type: ignore[misc,valid-type]  # its base is not exported
    """Typer's own, which breaks names at their hyphens and takes no terminal for narrower than 50 columns."""

    def __init__(self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None) -> None:
        if width is None:
            import shutil

            width = min(shutil.get_terminal_size().columns, max_width or _WIDEST) - _MARGIN
        super().__init__(indent_increment, width, max_width)

    def write_text(self, text: str) -> None:
        """Paragraphs, each wrapped."""
        indent = " " * self.current_indent
        self.write("\n".join(f"{indent}{line}".rstrip() for line in _lines(text, self.width - len(indent))) + "\n")

    def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Names with what they mean: beside them, or below a name that is too long for its column."""
        indent = " " * self.current_indent
        most = col_max if self.width >= _NARROW else col_spacing
        column = min(max(len(name) for name, _ in rows), most) + col_spacing
        for name, text in rows:
            first, *rest = _lines(text, self.width - column - len(indent)) or [""]
            beside = len(name) <= column - col_spacing
            self.write(
                f"{indent}{name:{column}}{first}".rstrip() if beside or not first else _name(name, indent, self.width)
            )
            below = rest if beside or not first else [first, *rest]
            self.write("".join(f"\n{indent}{'':{column}}{line}".rstrip(" ") for line in below) + "\n")


def _name(name: str, indent: str, width: int) -> str:
    """A name on lines of its own; what a long one takes stands below it."""
    return f"\n{indent}{indent}".join(f"{indent}{line}" for line in _lines(name, width - len(indent)))


def _lines(text: str, width: int) -> list[str]:
    """The lines of paragraphs, an empty one between them."""
    import textwrap

    lines: list[str] = []
    for block in re.split(r"\n\s*\n", text.strip()):
        plain = re.sub(r"\s*\n\s*", " ", block)
        lines += ["", *textwrap.wrap(plain, width, break_on_hyphens=False, break_long_words=False)]
    return lines[1:]


class HelpContext(typer.Context):
    """The context of a command whose help keeps its words whole."""

    formatter_class = _Formatter


def whole_help(command: Any) -> Any:
    """The command, and those below it, with such help."""
    command.context_class = HelpContext
    for below in getattr(command, "commands", {}).values():
        whole_help(below)
    return command
