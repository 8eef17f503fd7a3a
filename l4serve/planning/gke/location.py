"""Regions and zones of Google Cloud."""

import re

_ZONE = re.compile(r"-[a-z]$")


def region_of(location: str) -> str:
    """The region of a region or zone."""
    return _ZONE.sub("", location)
