"""The parameters of the vision tower that a multimodal model loads beside its decoder."""

from __future__ import annotations

from collections.abc import Mapping

_MOST = 2**20
"""Of a width or a depth; the largest published tower is a hundredth of it."""


def count_vision_parameters(vision: object, text_hidden_size: int) -> int:
    """Parameters of a ViT tower and its projection into the text model's width; 0 without a vision_config.

    Counts each block's four attention and two or three MLP matrices with biases, the patch and position embeddings
    and one projection. Raises ValueError for a figure that is negative or beyond any tower.
    """
    if not isinstance(vision, Mapping):
        return 0
    hidden = _number(vision, "hidden_size", "embed_dim")
    depth = _number(vision, "num_hidden_layers", "depth")
    width = _number(vision, "intermediate_size") or 4 * hidden
    if not hidden or not depth:
        return 0
    matrices = 3 if vision.get("hidden_act") == "silu" else 2
    block = 4 * hidden * (hidden + 1) + matrices * hidden * (width + 1) + 4 * hidden
    patch = _number(vision, "patch_size") or 14
    patches = (_number(vision, "image_size") // patch) ** 2
    embeddings = 3 * patch * patch * hidden + patches * hidden
    merged = (_number(vision, "spatial_merge_size") or 1) ** 2 * hidden
    projected = _number(vision, "out_hidden_size") or text_hidden_size
    merger = merged * merged if merged != hidden else 0
    return depth * block + embeddings + merger + merged * projected


def _number(vision: Mapping[str, object], *keys: str) -> int:
    for key in keys:
        value = vision.get(key)
        if type(value) is int:
            if not 0 <= value <= _MOST:
                raise ValueError(f"`{key}` is not between 0 and {_MOST}")
            return value
    return 0
