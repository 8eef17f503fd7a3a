"""Numbers with a unit behind them, in the unit of the key that they were written for."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from fractions import Fraction

_SECONDS: Mapping[str, Fraction] = {
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), Fraction(1, 1000)),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), Fraction(1)),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), Fraction(60)),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), Fraction(3600)),
    **dict.fromkeys(("d", "day", "days"), Fraction(86400)),
    **dict.fromkeys(("w", "week", "weeks"), Fraction(604800)),
}
_GIGABYTES: Mapping[str, Fraction] = {
    **dict.fromkeys(("m", "mb", "mi", "mib"), Fraction(1, 1024)),
    **dict.fromkeys(("g", "gb", "gi", "gib", "gig", "gigs", "gigabyte", "gigabytes"), Fraction(1)),
    **dict.fromkeys(("t", "tb", "ti", "tib", "terabyte", "terabytes"), Fraction(1024)),
}
"""In the GB of Compute Engine's disks, which are of 2^30 bytes."""
_OF_KEY: tuple[tuple[re.Pattern[str], Mapping[str, Fraction], Fraction], ...] = (
    (re.compile(r"(?i)seconds$"), _SECONDS, Fraction(1)),
    (re.compile(r"(?i)minutes$"), _SECONDS, Fraction(60)),
    (re.compile(r"(?i)size_?gb$"), _GIGABYTES, Fraction(1)),
)
"""Keys that state their unit, the words of that measure, and the unit itself in them."""
_OTHER_UNIT = re.compile(r"(?i)([kmgtp]i?(b|bytes?|hz)?|b|bytes?|bits?|[nuµm]?s|(kilo|mega|giga|tera)\w*|gigs?)")
_PART = re.compile(r"\s*(\d{1,9}(?:\.\d{1,6})?)\s*([A-Za-z]*)\s*")
_MOMENT = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)"
    r"(?:(?:T|t|\s+)(?P<hour>\d\d:\d\d)(?P<second>:\d\d)?(?:\.\d+)?\s*"
    r"(?P<zone>Z|z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?(?: UTC)?)?"
)


def states_unit(key: str) -> bool:
    """Whether a key says in its name in which unit its number is."""
    return any(name.search(key) for name, _, _ in _OF_KEY)


def is_unit(word: str) -> bool:
    """Whether a word behind a number is the unit of a time or a size, and so no mere name of what is counted."""
    return word.lower() in _SECONDS or bool(_OTHER_UNIT.fullmatch(word))


def in_unit_of(key: str, text: str) -> float | None:
    """The number that a text such as `1h30m` or `2 TB` is in the unit that a key states.

    None where the key states none, or the text has a unit of another measure.
    """
    found = next(((words, unit) for name, words, unit in _OF_KEY if name.search(key)), None)
    parts = _parts(text)
    if found is None or not parts:
        return None
    words, unit = found
    if len(parts) == 1 and not parts[0][1]:
        return float(parts[0][0])
    # One capital letter is a size or a month, and no time of the clock.
    names = [word if words is _SECONDS and len(word) == 1 else word.lower() for _, word in parts]
    if any(name not in words for name in names):
        return None
    return float(sum(Fraction(number) * words[name] for (number, _), name in zip(parts, names, strict=True)) / unit)


def _parts(text: str) -> list[tuple[str, str]]:
    """The numbers of a text with the word behind each; empty where it holds anything else."""
    at, found = 0, []
    while at < len(text):
        part = _PART.match(text, at)
        if part is None:
            return []
        found.append((part[1], part[2]))
        at = part.end()
    return found


def moment(text: str) -> str | None:
    """A date, or a date with a time of day, as RFC 3339 in UTC; one without a zone is taken for UTC.

    None for what is no such text, and for a time that no calendar has.
    """
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        return None
    zone = (found["zone"] or "Z").upper()
    offset = "+00:00" if zone in ("Z", "UTC", "GMT") else zone
    try:
        time = datetime.fromisoformat(f"{found['day']}T{found['hour'] or '00:00'}{found['second'] or ':00'}{offset}")
        return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        return None
