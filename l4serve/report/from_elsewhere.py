"""Reads the document of a difference that a stranger may have made: bounded, checked, and never run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from l4serve.config.reading.files import FileRefusedError, read_json
from l4serve.report.shape import ShapeError, checked

MOST_BYTES = 4 * 2**20
"""A document of five stacks with a hundred workloads takes a tenth of it."""


def read_document(content: bytes) -> Mapping[str, Any]:
    """The document in the content of a file. Raises ShapeError."""
    if len(content) > MOST_BYTES:
        raise ShapeError(f"the document is larger than {MOST_BYTES // 2**20} MiB")
    try:
        return checked(read_json(content))
    except FileRefusedError as error:
        raise ShapeError(f"the document {error}") from None
