"""Versions of GKE, as clusters state them and as features have a first one."""

import re

_FORM = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?(?:-gke\.(\d+))?")


def version_of(text: str | None) -> tuple[int, ...]:
    """A version such as 1.34 or 1.34.0-gke.1626000, to compare; of none, or of none that can be read, all zeros."""
    found = _FORM.match(text or "")
    return tuple(int(part or 0) for part in found.groups()) if found else (0, 0, 0, 0)
