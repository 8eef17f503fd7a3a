"""Rows of a table of what was seen, each for a span of releases."""

from collections.abc import Mapping, Sequence
from typing import Any


def rows_of(release: str, releases: Sequence[str], rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The rows that hold for a release, by name; a span is `FIRST:LAST`, or `FIRST:` to the newest."""
    places = {version: place for place, version in enumerate(releases)}

    def holds(span: str) -> bool:
        first, last = span.split(":")
        return places[first] <= places[release] <= (places[last] if last else len(places))

    return {
        name: entry
        for name, row in rows.items()
        for spans, entry in row.items()
        if any(holds(span) for span in spans.split())
    }
