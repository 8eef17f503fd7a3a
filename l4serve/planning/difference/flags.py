"""The flags of two command lines: added, removed and changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from l4serve.config.frozen import frozen

FlagValue = str | bool | tuple[str | bool, ...]
"""Text after the equals sign, True for a switch, all of them in order where a flag is repeated."""


@frozen()
class FlagChanges:
    """What became of the flags, each in the order of the command line that has it."""

    added: Mapping[str, FlagValue]
    removed: Mapping[str, FlagValue]
    changed: Mapping[str, tuple[FlagValue, FlagValue]]


def flag_changes(before: Iterable[str], after: Iterable[str]) -> FlagChanges:
    """The changes between two argument vectors, in which each flag is one argument with its value."""
    old, new = flags_of(before), flags_of(after)
    return FlagChanges(
        added={flag: value for flag, value in new.items() if flag not in old},
        removed={flag: value for flag, value in old.items() if flag not in new},
        changed={flag: (old[flag], value) for flag, value in new.items() if flag in old and old[flag] != value},
    )


def flags_of(argv: Iterable[str]) -> dict[str, FlagValue]:
    """Flags and their values; words that belong to no flag stand under the flag before them, or under ''."""
    found: dict[str, list[str | bool]] = {}
    flag = ""
    for word in argv:
        if word.startswith("-"):
            flag, equals, value = word.partition("=")
            found.setdefault(flag, []).append(value if equals else True)
        else:
            values = found.setdefault(flag, [])
            values[-1:] = [word] if values and values[-1] is True else [*values[-1:], word]
    return {name: values[0] if len(values) == 1 else tuple(values) for name, values in found.items()}
