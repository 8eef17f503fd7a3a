"""A note: what an operator should know of a plan before it runs. Kinds and levels: data/note_kinds.yaml."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Literal

from l4serve.config.data_file import load_data
from l4serve.config.frozen import frozen

Level = Literal["danger", "will fail", "may fail", "costs", "advice"]
LEVELS: tuple[Level, ...] = ("danger", "will fail", "may fail", "costs", "advice")
_SEVERITIES: Mapping[str, Level] = {"error": "will fail", "warning": "may fail", "advice": "advice"}
_OTHER = "other"
_RULE = re.compile(r"\[([A-Za-z0-9_.-]+)\]$")


@frozen()
class Note:
    """One remark about a part of the config."""

    path: str
    """YAML path that it is about."""
    text: str
    severity: str = ""
    """Severity of the engine's rule behind it; empty where it is no rule's."""

    @property
    def id(self) -> str:
        """The id by which the reference lists it: that of its rule, or of its kind."""
        rule = _RULE.search(self.text)
        return rule[1] if self.severity and rule else note_kind(self.text).id

    @property
    def level(self) -> Level:
        """How much harm it tells of."""
        return _SEVERITIES[self.severity] if self.severity else note_kind(self.text).level


def by_harm(notes: Iterable[Note]) -> list[Note]:
    """Notes by their level, those that tell of the most harm first; what several paths are told is one of all."""
    paths: dict[tuple[str, str], dict[str, None]] = {}
    for note in notes:
        paths.setdefault((note.text, note.severity), {})[note.path] = None
    told = [Note(", ".join(each), text, severity) for (text, severity), each in paths.items()]
    return sorted(told, key=lambda note: LEVELS.index(note.level))


@frozen()
class NoteKind:
    """A kind of note: `says` is a part of its text that no other has, `tells` what it means, `answer` what to do."""

    id: str
    level: Level
    says: str
    tells: str
    answer: str


@cache
def note_kinds() -> tuple[NoteKind, ...]:
    """Every kind, in the order of the table."""
    rows: list[Mapping[str, Any]] = load_data(__file__, "note_kinds.yaml")["kinds"]
    return tuple(NoteKind(row["id"], row["level"], row["says"], row["tells"], row["answer"]) for row in rows)


@cache
def note_kind(text: str) -> NoteKind:
    """The kind of a note's text; advice of no known kind where the table lacks it."""
    found = (kind for kind in note_kinds() if kind.says in text)
    return next(found, NoteKind(_OTHER, "advice", "", "", ""))
