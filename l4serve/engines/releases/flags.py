"""The options of a release's server, as its parser takes them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache, cached_property
from typing import Any

from l4serve.config.frozen import frozen
from l4serve.engines.releases.contract_table import FlagRow


@frozen()
class Flag:
    """One option of the engine's server."""

    names: tuple[str, ...]
    """All option strings, the one to write first."""
    type: str
    """str, int, float, json, json_or_text, json_or_pairs (KEY=NUMBER too), literal (of Python), pairs, truth (true or
    false), adapter (NAME=PATH or JSON), named (NAME=PATH), bool (has a negation), flag (none), size (1K, 2M),
    size_or_auto, lower, or of Rust: u16, u32, u64 (whole numbers from 0 on) and f32."""
    choices: tuple[str, ...] | None = None
    """Values that the engine's parser accepts; None when it takes any of the type."""
    values: tuple[str, ...] | None = None
    """Values that the release names without its parser enforcing them; plugins may add others."""
    default: Any = None
    """The parser's default; None when it has none or computes it."""
    negation: str | None = None
    """The option string that says no, the one to write."""
    other_negations: tuple[str, ...] = ()
    """Other option strings that say no."""
    nargs: int | str | None = None
    """argparse's count: None is one value, '+' one or more, '?' at most one."""
    optional: bool = False
    """Whether the text None or an empty value means unset."""
    repeatable: bool = False
    """Whether the option may come more than once."""
    env: str | None = None
    """Environment variable that sets the same."""
    deprecated: str | None = None
    """What the release announces about its removal."""

    @property
    def name(self) -> str:
        """The option string to write."""
        return self.names[0]

    @property
    def spellings(self) -> tuple[str, ...]:
        """Every option string that means the flag, those that say no too."""
        return (*self.names, *((self.negation,) if self.negation else ()), *self.other_negations)

    @property
    def of_variable(self) -> "Flag":
        """What its variable takes: of a switch true or false, else what the flag does."""
        return self if self.takes_value else replace(self, type="str", choices=("true", "false"))

    @property
    def takes_value(self) -> bool:
        """Whether a value follows the option."""
        return self.type not in ("bool", "flag")


class Flags(Mapping[str, Flag]):
    """Flags of a release by the option string to write, each made when it is first asked for: most never are."""

    def __init__(self, rows: Iterable[FlagRow]) -> None:
        self._rows = {row.name: row for row in rows}

    @cached_property
    def named(self) -> Mapping[str, str]:
        """Every option string, to the one to write."""
        named: dict[str, str] = {}
        for row in self._rows.values():
            for spelling in row.spellings:
                named.setdefault(spelling, row.name)
        return named

    @cached_property
    def of_variables(self) -> Mapping[str, Flag]:
        """Flags by the environment variable that sets the same."""
        return {flag.env: flag for flag in self.values() if flag.env}

    def __getitem__(self, name: str) -> Flag:
        return _flag(self._rows[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


@cache
def _flag(row: FlagRow) -> Flag:
    """The flag of a row; releases in which it did not change share it."""
    entry = row.entry
    return Flag(
        names=(row.name, *entry.get("aliases", ())),
        type=entry["type"],
        choices=row.choices,
        values=row.values,
        default=entry.get("default"),
        negation=entry.get("negation"),
        other_negations=tuple(entry.get("otherNegations", ())),
        nargs=entry.get("nargs"),
        optional=entry.get("optional", False),
        repeatable=entry.get("repeatable", False),
        env=entry.get("env"),
        deprecated=entry.get("deprecated"),
    )
