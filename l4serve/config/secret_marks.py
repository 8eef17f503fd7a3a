"""Marks of the secrets in a stack's config: they tell that a secret was set anew, and nothing of what it is."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any


def marked_secrets(values: Mapping[str, Any], project: str, names: Iterable[str]) -> dict[str, str]:
    """Those of the named secrets that the config of a project has, each with a mark of its encrypted text.

    The mark is another one once the secret was set anew, if to the same value; empty where Pulumi hands it over.
    """
    found = {name: values.get(f"{project}:{name}") for name in names}
    return {name: _mark(value) for name, value in found.items() if value is not None}


def _mark(value: Any) -> str:
    sealed = value.get("secure") if isinstance(value, dict) else None
    return sha256(sealed.encode("utf-8", "replace")).hexdigest()[:16] if isinstance(sealed, str) else ""
