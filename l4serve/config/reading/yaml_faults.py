"""What is wrong with YAML that its parser refuses, in words that say where to look and what to write."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from l4serve.config.frozen import frozen


class YamlFault(NamedTuple):
    """A fault, what mends it, and the line on which it stands, from 1."""

    message: str
    remedy: str
    line: int = 1


@frozen()
class ParserError:
    """Why the parser stopped: in its own words, at a line from 0, and where it began what it was reading."""

    said: str
    lines: Sequence[str]
    at: int
    begun: int
    character: str = ""
    """The one at which it stopped."""

    @property
    def line(self) -> str:
        """The line at which the parser stopped."""
        return self.text(self.at)

    def text(self, at: int) -> str:
        """A line by its index; the parser counts breaks that are none to an editor, so there may be none."""
        return self.lines[at] if at < len(self.lines) else ""

    @property
    def above(self) -> int | None:
        """The index of the nearest line above that holds more than a comment."""
        written = (i for i in range(min(self.at, len(self.lines)) - 1, -1, -1) if _WRITTEN.match(self.lines[i]))
        return next(written, None)


_WRITTEN = re.compile(r"\s*[^\s#]")
_VALUED = re.compile(r"(?P<indent>\s*)(- )*[^\s#][^:]*:\s+[^\s#]")
_STUCK = re.compile(r"\s*(- )*[A-Za-z][\w.-]*:[^\s/:]")
_UNREADABLE = r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""Compiled where it is asked for: a class this large takes longer than a stack file to read."""


def yaml_fault(error: ParserError) -> YamlFault:
    """Our words for those of the parser."""
    for find in (_conflict, _template, _unreadable, _two_values, _no_colon, _no_value, _unclosed):
        if found := find(error):
            return found
    for part, message, remedy, opened in _FAULTS:
        if part in error.said:
            return YamlFault(message, remedy, (error.begun if opened else error.at) + 1)
    return YamlFault("this is not YAML", "compare it with a file of examples/", error.at + 1)


def _conflict(error: ParserError) -> YamlFault | None:
    at = next((i for i, line in enumerate(error.lines) if re.match(r"(<{7}|>{7}) ", line)), None)
    if at is None:
        return None
    return YamlFault("a merge conflict is not resolved", "keep one side, and remove the lines of <, = and >", at + 1)


def _template(error: ParserError) -> YamlFault | None:
    if not re.search(r"(^|\s)\{[{%]", error.line):
        return None
    message = "a template's braces stand here, and nothing fills them in"
    return YamlFault(message, "write the value itself", error.at + 1)


def _unreadable(error: ParserError) -> YamlFault | None:
    if "control characters" not in error.said and error.said != "not allowed":
        return None
    found = next(((i, m) for i, line in enumerate(error.lines) if (m := re.search(_UNREADABLE, line))), None)
    at, character = (found[0], f" U+{ord(found[1][0]):04X}") if found else (error.at, "")
    return YamlFault(f"the control character{character} stands here", "remove the character", at + 1)


def _two_values(error: ParserError) -> YamlFault | None:
    """A value that seems to go on: below it a line is indented too deep, or a blank is missing behind its `:`."""
    if "mapping values are not allowed" not in error.said:
        return None
    places = [error.at] if error.above is None else [error.above, error.at]
    if found := _no_blank(error, places):
        return found
    if error.above is not None and ":" not in error.lines[error.above]:
        return YamlFault("a key has no `:` behind it", "write it as `key: value`", error.above + 1)
    above = _VALUED.match(error.lines[error.above]) if error.above is not None else None
    if above and len(error.line) - len(error.line.lstrip()) > len(above["indent"]):
        message = "this line is indented deeper than the line above, whose key has its value already"
        return YamlFault(message, f"indent it as line {places[0] + 1}", error.at + 1)
    return YamlFault("a second `: ` stands in one line", "put the value in quotes", error.at + 1)


def _no_colon(error: ParserError) -> YamlFault | None:
    if "expected ':'" not in error.said:
        return None
    missing = YamlFault("a key has no `:` behind it", "write it as `key: value`", error.begun + 1)
    return _no_blank(error, [error.begun]) or missing


def _no_blank(error: ParserError, places: Sequence[int]) -> YamlFault | None:
    """A `:` that YAML does not take for one, for want of a blank behind it."""
    for at in places:
        if "\u00a0" in error.text(at):
            return YamlFault("a no-break space stands here where YAML wants a blank", "type the blank anew", at + 1)
    for at in places:
        if _STUCK.match(error.text(at)):
            return YamlFault("no blank stands behind the `:`", "write it as `key: value`", at + 1)
    return None


def _no_value(error: ParserError) -> YamlFault | None:
    if "cannot start any token" not in error.said:
        return None
    return YamlFault(f"a value cannot begin with {error.character}", "put the value in quotes", error.at + 1)


def _unclosed(error: ParserError) -> YamlFault | None:
    """A bracket with nothing behind it to the end: the parser names the end, and not the line that opened it."""
    if "flow node" not in error.said or _WRITTEN.match(error.line):
        return None
    opened: list[int] = []
    for at, line in enumerate(error.lines[: error.at]):
        for character in re.sub(r"""(["']).*?\1|(^|\s)#.*""", "", line):
            if character in "[{":
                opened.append(at)
            elif character in "]}" and opened:
                opened.pop()
    message, remedy, _ = _BRACKET
    return YamlFault(message, remedy, opened[-1] + 1) if opened else None


_INDENT = (
    "the indentation of this line does not match the lines above",
    "give all keys of one mapping the same indentation",
    False,
)
_QUOTE = ("the quote that is opened here is not closed", "close the quote", True)
_BRACKET = (
    "the bracket that is opened here is not closed, or a comma is missing in it",
    "close the bracket, and write commas between its items",
    True,
)
_NO_VALUE = ("a character stands here that begins no value", "put the value in quotes", False)
_FAULTS: Sequence[tuple[str, str, str, bool]] = (
    ("tab", "a tab stands where YAML wants blanks", "indent with blanks", False),
    ("scanning an anchor", *_NO_VALUE),
    ("scanning a tag", *_NO_VALUE),
    ("scanning a directive", *_NO_VALUE),
    ("block scalar", "`|` and `>` begin a text on the lines below, and more stands behind it", *_NO_VALUE[1:]),
    (
        "parsing a block node",
        "a value is missing here",
        "write the value, or quotes around one with such characters",
        False,
    ),
    ("escape", "a backslash in double quotes begins nothing that YAML knows", "put the value in single quotes", False),
    ("block sequence entries", "a list item stands where none can", "put it on a line of its own", False),
    ("list item", "a list item stands among keys", "remove the `-`, or put the list below a key of its own", False),
    ("block mapping", *_INDENT),
    ("block collection", *_INDENT),
    ("expected <block end>", *_INDENT),
    ("did not find expected key", *_INDENT),
    ("did not find expected '-'", *_INDENT),
    ("<document start>", "the document ends above this line", "remove what follows, or indent it", False),
    ("while scanning a quoted scalar", *_QUOTE),
    ("end of stream", *_QUOTE),
    ("',' or", *_BRACKET),
    ("flow", *_BRACKET),
    ("undefined tag handle", "a tag is not declared", "remove the `!` and what belongs to it", False),
    ("alias", "an alias names no anchor", "write the value out", False),
)
"""What the parser says in part, our words, and whether the fault lies where it began to read."""


def parser_error(error: Exception, text: str) -> ParserError:
    """The parser's exception with what it was reading; of a line that begins a list item or a tab it says so."""
    lines, mark = text.split("\n"), getattr(error, "problem_mark", None)
    at, begun = _line(mark), _line(getattr(error, "context_mark", None) or mark)
    said = f"{getattr(error, 'problem', None) or 'not allowed'} {getattr(error, 'context', '') or ''}".strip().lower()
    line = lines[at] if at < len(lines) else ""
    character = line[mark.column : mark.column + 1] if mark is not None else ""
    if character == "\t":
        said = "tab"
    elif "expected key" in said and line.lstrip().startswith("- "):
        said = "list item"
    return ParserError(said, lines, at, begun, character)


def _line(mark: Any) -> int:
    return int(mark.line) if mark else 0
