"""Models of the catalogue that are another one with fewer parameters."""

from __future__ import annotations

import re

from l4serve.planning.models.catalogue import all_names, find_model
from l4serve.planning.models.model_shape import ModelShape

_SIZE = re.compile(r"(?<![A-Za-z0-9.])(\d+(?:\.\d+)?)[bB](?![A-Za-z0-9])")


def smaller_model(shape: ModelShape | None) -> ModelShape | None:
    """The next smaller model that the Hub has and the catalogue names, whose name differs in its size alone; None where
    there is none."""
    if shape is None or (own := _SIZE.search(shape.id)) is None:
        return None
    pattern = _SIZE.sub("#", shape.id)
    sizes = {name: float(found[1]) for name in all_names() if (found := _SIZE.search(name))}
    smaller = (name for name, size in sizes.items() if size < float(own[1]) and _SIZE.sub("#", name) == pattern)
    known = (find_model(name) for name in sorted(smaller, key=lambda name: -sizes[name]))
    return next((other for other in known if other is not None and other.is_seen), None)
