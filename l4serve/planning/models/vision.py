"""The vision or audio tower that a multimodal model loads beside its decoder: its parameters and its largest item."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from l4serve.config.secrecy.secret_shapes import excerpt
from l4serve.planning.models.hf_values import largest
from l4serve.planning.models.model_shape import VisionFacts

WIDTHS = ("embed_dim", "hidden_size", "width")
"""Keys of a tower's width."""
_MOST = 2**20
"""Of a width or a depth; the largest published tower is a hundredth of it."""


def count_vision_parameters(
    vision: object,
    text_hidden_size: int,
    deepstack: int = 0,
    positions: int = 0,
    queries: int = 0,
    merge: int = 1,
    *,
    gated_merger: bool = False,
    projection: int | None = None,
) -> int:
    """Parameters of a ViT tower and its projection into the text model's width; 0 without a vision_config.

    Counts each block's four attention and two or three MLP matrices with biases, the patch and position embeddings (of
    Gemma 4 a table for each of two axes) and one projection, and another for each layer whose output the decoder gets
    too (`deepstack`, where the file does not list them). `positions` are those of a gated tower with a table for each
    axis; `queries` those that a resampler of the decoder's width answers in place of a projection; `merge` is the side
    of the square of patches that one token is made of where the file does not say it. A `gated_merger` is as wide
    inside as the file says, and the blocks then as what they hand on (GLM-4.1V). `projection` are the parameters behind
    the blocks where they are no such layers. Raises ValueError for a figure that is negative or beyond any tower.
    """
    if not isinstance(vision, Mapping):
        return 0
    hidden = number(vision, *WIDTHS)
    depth = number(vision, "num_hidden_layers", "depth", "layers") + number(vision, "num_global_layers")
    width = number(vision, "intermediate_size") or 4 * hidden
    if not hidden or not depth:
        return 0
    inner, width = width, number(vision, "out_hidden_size") if gated_merger else width
    matrices = 3 if vision.get("hidden_act") == "silu" or positions else 2
    block = 4 * hidden * (hidden + 1) + matrices * hidden * (width + 1) + 4 * hidden
    patch = number(vision, "patch_size") or 14
    patches = (number(vision, "image_size") // patch) ** 2
    embeddings = (3 * patch * patch + patches + 2 * positions) * hidden
    if projection is not None:
        return depth * block + embeddings + projection
    if queries:
        return depth * block + embeddings + (hidden + 5 * text_hidden_size + queries) * text_hidden_size
    if output := number(vision, "vision_output_dim"):  # of tiles, each with places of its own in their arrangement
        ratios, tiles = vision.get("supported_aspect_ratios"), number(vision, "max_num_tiles")
        arranged = (1 + (len(ratios) if isinstance(ratios, list) else 0)) * tiles * patches * hidden
        adapter = number(vision, "projector_input_dim") * (width + number(vision, "projector_output_dim"))
        return depth * block + embeddings + arranged + adapter + output * text_hidden_size
    merged = (number(vision, "spatial_merge_size") or merge) ** 2 * hidden
    projected = number(vision, "out_hidden_size") or text_hidden_size
    if gated_merger:
        return depth * block + embeddings + projected * (merged + projected + 3 * inner)
    inside = merged if vision.get("spatial_merge_size") else text_hidden_size
    merger = inside * inside if merged != hidden else 0
    listed = vision.get("deepstack_visual_indexes")
    projections = 1 + (len(listed) if isinstance(listed, list) else deepstack)
    return depth * block + embeddings + projections * (merger + merged * projected)


def count_pooled(hidden: int, width: int, text_hidden_size: int) -> int:
    """Parameters of Molmo's way into the decoder: attention over squares of patches of two layers, and a gated MLP.

    Source: MultiHeadDotProductAttention and ImageProjectorMLP of vllm/model_executor/models/molmo.py, v0.26.0.
    """
    return 7 * hidden * hidden + (2 * hidden + text_hidden_size) * width


def count_words(hidden: int, merged: int, words: int, text_hidden_size: int) -> int:
    """Parameters of a vocabulary of pictures: a head over squares of `merged` patches, and their vectors (Ovis)."""
    return words * (merged * hidden + 2 + text_hidden_size)


def is_pixtral(vision: object, defaults: Mapping[str, object]) -> bool:
    """Whether the tower is Pixtral's: its own file says so, or the class always has it (`pixtral` of its defaults)."""
    return isinstance(vision, Mapping) and (vision.get("model_type") == "pixtral" or "pixtral" in defaults)


def count_pixtral_parameters(vision: Mapping[str, object], text_hidden_size: int, merge: int) -> int:
    """Parameters of a Pixtral tower: gated blocks without biases, rotated positions, two layers into the decoder.

    `merge` is the side of the square of patches that one token is made of; one layer merges them. Raises ValueError as
    `count_vision_parameters` does. Source: PixtralHFVisionModel of vllm/model_executor/models/pixtral.py and
    Mistral3PatchMerger of mistral3.py, v0.26.0.
    """
    hidden, depth = number(vision, "hidden_size"), number(vision, "num_hidden_layers")
    width, patch = number(vision, "intermediate_size") or 4 * hidden, number(vision, "patch_size") or 16
    block = 4 * hidden * hidden + 3 * hidden * width + 2 * hidden
    merger = (merge * merge * hidden + 1) * hidden if merge > 1 else 0
    return depth * block + (3 * patch * patch + 1) * hidden + merger + (hidden + text_hidden_size) * text_hidden_size


def pixtral_facts(vision: Mapping[str, object], merge: int) -> VisionFacts | None:
    """The shape of a Pixtral tower, whose largest picture is a square of rows that each end in a token of their own."""
    hidden, patch = number(vision, "hidden_size"), number(vision, "patch_size") or 16
    side = number(vision, "image_size") // (patch * merge)
    if not hidden or not side:
        return None
    return VisionFacts(
        hidden_size=hidden,
        patch_elements=3 * patch * patch,
        patches_per_token=merge * merge,
        tokens_per_item=side * (side + 1),
        masked_patches=(side * merge) ** 2,
    )


def vision_facts(
    vision: object,
    tokens_per_image: int | None,
    defaults: Mapping[str, Any],
    tiles: int = 0,
    scale: int = 1,
    words: int = 0,
) -> VisionFacts | None:
    """The tower's shape, or None without one.

    `tokens_per_image` is the config's own figure (Gemma 3), `defaults` what the architecture has where the file says
    nothing: `imageTokens`, `temporalPatch`, `deepstack`, `videoBudget`, what one that encodes frames has, and of one
    that cuts pictures into tiles how many patches become a token (`merge`, `perToken`). `tiles` are those of the
    largest picture where each square of `scale` by `scale` of their patches becomes a token, 0 where it is not so;
    `words` the size of a vocabulary of pictures, 0 without one.
    """
    if not isinstance(vision, Mapping):
        return None
    hidden = number(vision, *WIDTHS)
    if not hidden:
        return None
    patch = number(vision, "patch_size") or 14
    merged = (number(vision, "spatial_merge_size") or defaults.get("merge", 1)) ** 2
    patches = (number(vision, "image_size") // patch) ** 2
    tokens = defaults.get("imageTokens") if tokens_per_image is None else tokens_per_image
    tokens = tiles * patches // scale**2 or None if tiles else tokens
    cut = "perToken" in defaults or "merge" in defaults
    fills = defaults.get("fills", {})
    deepstack = vision.get("deepstack_visual_indexes")
    return VisionFacts(
        hidden_size=hidden,
        patch_elements=3 * patch * patch * (number(vision, "temporal_patch_size") or defaults.get("temporalPatch", 1)),
        patches_per_token=_patches_per_token(
            patches, tokens, defaults, scale**2 if tiles else merged, cut or bool(tiles)
        ),
        tokens_per_item=tokens,
        video_budget=defaults.get("videoBudget", 0),
        videos=defaults.get("temporalPatch", 1) > 1 or bool(defaults.get("frames") or defaults.get("videos")),
        output_copies=1 + (len(deepstack) if isinstance(deepstack, list) else defaults.get("deepstack", 0)),
        steps=bool(defaults.get("steps", False)),
        frames=defaults.get("frames", 0),
        frame_patches=defaults.get("framePatches", 0),
        positions=defaults.get("positions", 0),
        copied=bool(defaults.get("copied", False)),
        is_measured=not defaults.get("unmeasured"),
        copies=defaults.get("copies"),
        fill_step=fills.get("step", 0),
        fill_most=fills.get("most", 0),
        video_tokens=defaults.get("videoTokens", 0),
        each_sequence=bool(defaults.get("eachSequence", False)),
        whole=bool(defaults.get("whole", False)),
        fill_patches=fills.get("perToken", 0.0),
        words=words,
        word_bytes=defaults.get("wordBytes", 0),
        kept_mib=defaults.get("keptMib", 0),
        loads_for_videos=bool(defaults.get("loadsForVideos", False)),
    )


def _patches_per_token(patches: int, tokens: int | None, defaults: Mapping[str, Any], merged: int, cut: bool) -> float:
    if tokens and patches >= tokens and not cut:
        return patches // tokens
    return float(defaults.get("perToken", merged))


def number(vision: Mapping[str, object], *keys: str) -> int:
    for key in keys:
        value = largest(key, vision.get(key))
        if value is None:
            continue
        if type(value) is not int:
            raise ValueError(f"`{key}` is {excerpt(repr(value), 40)}, which is not a whole number")
        if not 0 <= value <= _MOST:
            raise ValueError(f"`{key}` is not between 0 and {_MOST}")
        return value
    return 0
