"""What is wrong with YAML that its parser refuses, in words that say where to look and what to write."""

from typing import NamedTuple


class YamlFault(NamedTuple):
    """A fault, and what mends it."""

    message: str
    remedy: str


_INDENT = YamlFault(
    "the indentation of this line does not match the lines above", "give all keys of one mapping the same indentation"
)
_UNCLOSED = YamlFault(
    "a bracket, or a comma between two items, is missing before here", "close the bracket that is open"
)
_FAULTS = (
    ("tab", YamlFault("a tab stands where YAML wants blanks", "indent with blanks")),
    ("cannot start any token", YamlFault("a character stands here that begins no value", "put the value in quotes")),
    (
        "mapping values are not allowed",
        YamlFault("a second `: ` stands in one line", "put the value in quotes"),
    ),
    (
        "block sequence entries",
        YamlFault("a list item stands where none can", "put it on a line of its own"),
    ),
    ("block mapping", _INDENT),
    ("block collection", _INDENT),
    ("expected <block end>", _INDENT),
    ("did not find expected key", _INDENT),
    ("did not find expected '-'", _INDENT),
    ("expected ':'", YamlFault("a key has no `:` behind it", "write it as `key: value`")),
    ("while scanning a quoted scalar", YamlFault("a quote is not closed", "close the quote")),
    ("end of stream", YamlFault("a quote is not closed", "close the quote")),
    ("',' or", _UNCLOSED),
    ("flow", _UNCLOSED),
    ("undefined tag handle", YamlFault("a tag is not declared", "remove the `!` and what belongs to it")),
    ("alias", YamlFault("an alias names no anchor", "write the value out")),
    ("not allowed", YamlFault("a control character stands in the file", "remove the character")),
)


def yaml_fault(problem: str, context: str) -> YamlFault:
    """Our words for those of the parser: its problem, and what it was reading."""
    said = f"{problem} {context}".lower()
    found = (fault for part, fault in _FAULTS if part in said)
    return next(found, YamlFault("this is not YAML", "compare it with a file of examples/"))
