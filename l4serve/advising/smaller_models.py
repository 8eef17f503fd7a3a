"""Models of the catalogue that are another one with fewer parameters."""

from __future__ import annotations

import re

from l4serve.planning.models.catalogue import all_models
from l4serve.planning.models.model_shape import ModelShape

_SIZE = re.compile(r"(?<![A-Za-z0-9.])(\d+(?:\.\d+)?)[bB](?![A-Za-z0-9])")


def smaller_model(shape: ModelShape | None) -> ModelShape | None:
    """The next smaller model of the catalogue whose name differs in its size alone; None where there is none."""
    if shape is None or (own := _SIZE.search(shape.id)) is None:
        return None
    pattern = _SIZE.sub("#", shape.id)
    sizes = [
        (float(found[1]), other)
        for other in all_models()
        if (found := _SIZE.search(other.id)) and _SIZE.sub("#", other.id) == pattern and float(found[1]) < float(own[1])
    ]
    return max(sizes, key=lambda pair: pair[0])[1] if sizes else None
