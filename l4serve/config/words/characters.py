"""Characters that would act on a terminal, a log or a reader's eye in place of being read, or that nobody sees.

The unseen ones are Unicode 16's Default_Ignorable_Code_Point (DerivedCoreProperties.txt), its format controls and
spaces (categories Cf and Zs), and the letters and symbols that it draws blank.
"""

import re

_BIDIRECTIONAL = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_LINE_BREAKS = "\n\r\x0b\x0c\x85\u2028\u2029"
_UNSEEN = "\u200b\u2060\ufeff\U000e0000-\U000e007f\ufff9-\ufffb"
_IGNORABLE = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_FORMATS = "\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd\U00013430-\U0001343f"
_BLANK = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u2800\u3000\ufffc\U00013441\U00013442\U00016fe4\U0001d159"
_CONTROL = "\x00-\x08\x0e-\x1f\x7f-\x9f"
_ACTING = re.compile(
    f"[{_CONTROL}{_LINE_BREAKS}{_BIDIRECTIONAL}{_UNSEEN}{_IGNORABLE}{_FORMATS}{_BLANK}\ud800-\udfff\t]"
)
# A template may hold emoji with their joiners, and prose the spaces of its language.
_ACTING_IN_TEXT = re.compile(f"[{_CONTROL}\x0b\x0c{_BIDIRECTIONAL}{_UNSEEN}\ud800-\udfff]")
RUNNER_COMMAND = re.compile(r"#(?=#\w{0,20}\[)")
"""Where a runner reads a command within a line: `##[` of GitHub's, `##vso[` of Azure's, `##teamcity[`."""
_COMMAND = re.compile(r"^([^\S\n]*)::", re.M)
"""Where GitHub's runner would read a line of output as a command to it."""


def acting_character(text: str, *, several_lines: bool = False) -> str | None:
    """The first character that must not be in a name, as U+XXXX; with `several_lines`, line breaks and tabs may be."""
    found = (_ACTING_IN_TEXT if several_lines else _ACTING).search(text)
    return f"U+{ord(found[0]):04X}" if found else None


def without_acting(text: str) -> str:
    """The text without the characters that must not be in a name."""
    return _ACTING.sub("", text)


def visible(text: str) -> str:
    """The text on one line, with every character that would act shown as an escape such as \\n or \\x1b."""
    return _ACTING.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def inert(text: str) -> str:
    """A text of our own lines, in which nothing acts on a terminal or on the runner of a workflow."""
    lines = "\n".join(visible(line) for line in text.split("\n"))
    return RUNNER_COMMAND.sub(r"\\x23", _COMMAND.sub(r"\1\\x3a:", lines))
