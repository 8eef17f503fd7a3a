"""Tables whose words stay whole: a table that is too wide for them becomes one record for each row."""

import re

from rich._wrap import divide_line
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text


def whole_words(table: Table, console: Console, width: int) -> RenderableType:
    """The table with column widths at which no word is broken, or its rows as records where it is too narrow.

    A word is what stands between blanks: a name, a flag with its value, an address. Whoever copies it from the
    terminal gets it as it is.
    """
    width = min(width, table.width or width)
    cells = [[_text(console, cell) for cell in (column.header, *column.cells)] for column in table.columns]
    least = [max(_longest_word(cell) for cell in column) for column in cells]
    most = [max(_longest_line(cell) for cell in column) for column in cells]
    for index, column in enumerate(table.columns):
        if column.no_wrap:
            least[index] = most[index]
    room = width - table._extra_width - sum(_padding(table, index) for index in range(len(least)))
    if sum(least) > room:
        return _records(table, cells, width)
    widest = next((index for index, column in enumerate(table.columns) if column.ratio), len(least) - 1)
    sizes = _shared(least, most, room, fill=widest if table.expand else None)
    for column, size in zip(table.columns, sizes, strict=True):
        column.min_width = column.width = size
        column.max_width = column.ratio = None
    return table


def _shared(least: list[int], most: list[int], room: int, *, fill: int | None) -> list[int]:
    """Widths between `least` and `most` that together take at most `room`; what is over widens the column `fill`."""
    spare, wishes = room - sum(least), [high - low for low, high in zip(least, most, strict=True)]
    if sum(wishes) <= spare:
        extra = spare - sum(wishes)
        return [high + (extra if index == fill else 0) for index, high in enumerate(most)]
    given = [wish * spare // sum(wishes) for wish in wishes]
    left = spare - sum(given)
    for index in sorted(range(len(wishes)), key=lambda i: given[i] - wishes[i])[:left]:
        given[index] += 1
    return [low + more for low, more in zip(least, given, strict=True)]


def _padding(table: Table, index: int) -> int:
    return table._get_padding_width(index)


def _own_indent(line: str) -> str:
    began = re.match(r" *(- )?", line)
    return " " * len(began[0]) if began else ""


def wrapped(text: Text, width: int, indent: str | None = None) -> Text:
    """The text broken at blanks to lines of a width, a word that is longer on a line of its own.

    Where a line goes on it is indented by `indent`, else as far as it began: below its first word, or its item's.
    """
    lines: list[Text] = []
    for line in text.split("\n", allow_blank=True):
        hang = _own_indent(line.plain) if indent is None else indent
        room = max(1, width - len(hang))
        starts = divide_line(line.plain, width, fold=False)
        first, *rest = line.divide(starts[:1])
        lines.append(first)
        for part in rest:
            lines += [Text(hang).append_text(piece) for piece in part.divide(divide_line(part.plain, room, fold=False))]
    for line in lines:
        line.rstrip()
    return Text("\n").join(lines)


def _records(table: Table, cells: list[list[Text]], width: int) -> Group:
    """Each row as a paragraph: its first cell, then a line for each other cell that holds something."""
    lines: list[Text] = [wrapped(_as_text(table.title), width)] if table.title else []
    for row in range(1, max(map(len, cells))):
        head, *rest = [column[row] for column in cells]
        lines += [wrapped(line, width) for line in head.split("\n")]
        for column, cell in zip(cells[1:], rest, strict=True):
            if not cell.plain.strip():
                continue
            label, (first, *more) = " ".join(column[0].plain.split()), cell.split("\n")
            lines.append(wrapped(Text(f"  {label}: " if label else "  ").append_text(first), width, "    "))
            lines += [wrapped(Text("    ").append_text(line), width, "      ") for line in more]
    if table.caption:
        lines.append(wrapped(_as_text(table.caption), width))
    return Group(*lines)


def _as_text(words: object) -> Text:
    return words if isinstance(words, Text) else Text(str(words))


def _text(console: Console, cell: RenderableType) -> Text:
    return cell.copy() if isinstance(cell, Text) else console.render_str(str(cell))


def _longest_word(text: Text) -> int:
    return max((_cells(word) for word in text.plain.split()), default=0)


def _longest_line(text: Text) -> int:
    return max((_cells(line) for line in text.plain.split("\n")), default=0)


def _cells(text: str) -> int:
    return Text(text).cell_len
