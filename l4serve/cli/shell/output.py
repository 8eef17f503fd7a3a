"""The one way out: what commands print passes here, where secrets are hidden and nothing from a file can act.

Text from a file is shown on one line with control, bidirectional and line-break characters as escapes. Rich's markup,
emoji codes and links are off everywhere: style is given by Text objects.
"""

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Set
from functools import lru_cache
from typing import Any

from pydantic_core import to_json
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from l4serve.cli.shell.tables import whole_words, wrapped
from l4serve.config.secrecy.random_texts import is_told_openly
from l4serve.config.secrecy.secret_shapes import redact
from l4serve.config.words.characters import RUNNER_COMMAND, inert, visible

_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")


_WIDTH = re.compile(r"[1-9][0-9]{0,5}")


def _environ() -> dict[str, str]:
    """The environment, without a COLUMNS that no terminal has: Rich takes 0 for a width, and prints nothing."""
    return {name: value for name, value in os.environ.items() if name != "COLUMNS" or _WIDTH.fullmatch(value)}


class SafeConsole(Console):
    """A console on which every string and every Text is redacted and inert, wherever in a table it stands.

    No word is cut or broken, however narrow it is; with NO_COLOR set, or TERM=dumb, it writes no escape at all.
    """

    def __init__(self, **options: Any) -> None:
        if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
            # As to a file: what moves the cursor for a spinner or a bar is an escape too.
            options |= {"color_system": None, "force_terminal": False}
        super().__init__(**{"highlight": False, "_environ": _environ(), **options}, markup=False, emoji=False)

    def print(self, *objects: Any, **options: Any) -> None:
        """Prints as Rich does; what is wider than the console is left to the terminal, which copies it whole."""
        if not (options.get("soft_wrap") or self.soft_wrap):
            objects = tuple(self._fitted(item) for item in objects)
        super().print(*objects, **{"overflow": "ignore", "crop": False, **options})

    def _fitted(self, item: Any) -> Any:
        if isinstance(item, Table):
            return whole_words(item, self, self.width)
        if isinstance(item, str):
            item = self.render_str(item)
        return wrapped(item, self.width) if isinstance(item, Text) else item

    def render_str(self, text: str, **options: Any) -> Text:
        """A string as Text, without markup."""
        return super().render_str(safe_text(text), **{**options, "markup": False, "emoji": False})

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Renders anything; a Text that holds what must not be shown loses its styles with it."""
        if isinstance(renderable, Text) and (safe := safe_text(renderable.plain)) != renderable.plain:
            renderable = Text(safe, style=renderable.style)
        return super().render(renderable, options)


def safe_text(text: str) -> str:
    """A text of one or more lines of ours as it may be printed."""
    return inert(redact(text))


def one_line(text: object) -> str:
    """A value from a file, on one line."""
    return visible(str(text))


def print_json(value: Any) -> None:
    """Prints a value as JSON. Strings are redacted; what would act is an escape that JSON reads back."""
    print(json_text(value))


def json_text(value: Any) -> str:
    """The JSON of a value, in ASCII."""
    # json.dumps would indent in Python: most of the time that a plan of a thousand workloads takes.
    text = to_json(redacted(value), indent=2, inf_nan_mode="constants").decode()
    text = _BEYOND_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], text)
    return RUNNER_COMMAND.sub(r"\\u0023", text.replace("\x7f", "\\u007f"))


def say(text: str) -> None:
    """Prints one or more lines of ours."""
    print(safe_text(text))


def tell(text: str) -> None:
    """Prints prose, broken at blanks to the width of a terminal; into a file or a pipe each line goes whole."""
    if sys.stdout.isatty():
        SafeConsole().print(text)
    else:
        # Line by line: what many workloads have in common is looked at once.
        print("\n".join(map(safe_text, text.split("\n"))))


def fenced(text: str) -> str:
    """A text as a code block of Markdown that nothing inside it can close."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text.rstrip()}\n{fence}"


def redacted(value: Any) -> Any:
    """A copy of a value, of JSON's own types alone, in which every secret is hidden; a set becomes a sorted list."""
    if isinstance(value, str):
        return _redacted_text(value)
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, dict | Mapping):
        return {_redacted_text(str(key)): _redacted_entry(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(inner) for inner in value]
    if isinstance(value, Set):
        return sorted((redacted(inner) for inner in value), key=str)
    # What JSON has no form for, such as a path, would else be written past the redactor.
    return _redacted_text(str(value))


def _redacted_entry(key: str, value: Any) -> Any:
    return _redacted_text(value, is_id=is_told_openly(key, value)) if isinstance(value, str) else redacted(value)


@lru_cache(maxsize=2**15)
def _redacted_text(text: str, *, is_id: bool = False) -> str:
    return _encodable(redact(str(text), is_id=is_id))


def _encodable(text: str) -> str:
    """The text, with a question mark for each half of a pair that stands alone, which no encoding has."""
    return text if text.isascii() else text.encode(errors="replace").decode()
