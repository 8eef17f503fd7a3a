"""Whether the parts of a config.json belong to one model: its kind, towers, experts, ranks, states and rotations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from l4serve.config.secrecy.secret_shapes import excerpt
from l4serve.planning.models.architecture_traits import kinds_of_types, traits_of
from l4serve.planning.models.hf_values import Config, optional, word
from l4serve.planning.models.model_shape import ModelShape
from l4serve.planning.models.rope import rope_faults

_PURPOSE = re.compile(r"For[A-Z]|LMHead|DoubleHeads|Model$")
_PARTS: Mapping[str, frozenset[str]] = {
    "text_config": frozenset({"decoder", "state space"}),
    "vision_config": frozenset({"vision"}),
    "audio_config": frozenset({"speech"}),
}
"""Parts of a multimodal model, each with the kinds of model that it may be."""
_HEADS = ("num_attention_heads", "num_heads", "encoder_attention_heads")
_WIDTHS = ("embed_dim", "hidden_size", "d_model")


def config_faults(config: Config, text: Config, facts: ModelShape) -> Iterator[str]:
    """What in a file contradicts its class or another key. Raises ModelConfigError for a value of another kind."""
    traits = traits_of(facts.architecture)
    yield from _kinds(config, facts)
    yield from _heads(text, facts)
    for name in ("vision_config", "audio_config"):
        part = config.get(name)
        if isinstance(part, Mapping):
            yield from _tower(part, name, facts)
    if traits.get("attendsToEncoder"):
        yield from _shared_width(text, "encoder_attention_heads", facts)
    yield from _experts(text, facts)
    yield from _sparse_layers(text, facts)
    yield from _state(text, traits.get("stateSpace", {}), facts)
    yield from rope_faults(text, facts.head_dim if facts.mla is None else facts.mla.qk_rope_head_dim)


@cache
def _kind(name: str) -> str | None:
    plain = re.sub("[-_]", "", name).lower()
    return next((kind for kind, types in kinds_of_types().items() if plain in types), None)


def _kinds(config: Config, facts: ModelShape) -> Iterator[str]:
    """A model_type of another kind than the class, or than the part that it stands in."""
    stated = word(config, facts.id, "model_type")
    own, meant = _kind(_PURPOSE.split(facts.architecture)[0]), _kind(stated or "")
    if own and meant and own != meant:
        yield f"`model_type` {stated} is a {meant} model, and {facts.architecture} is a {own} model"
    for name, kinds in _PARTS.items():
        part = config.get(name)
        stated = word(part, facts.id, "model_type") if isinstance(part, Mapping) else None
        if (kind := _kind(stated or "")) and kind not in kinds:
            yield f"`{name}` is of `model_type` {stated}, a {kind} model"


def _heads(text: Config, facts: ModelShape) -> Iterator[str]:
    stated = optional(text, facts.id, "head_dim", "attention_head_dim")
    if not stated and facts.mla is None and facts.attends and facts.hidden_size % facts.num_attention_heads:
        yield f"a `hidden_size` of {facts.hidden_size} does not divide by {facts.num_attention_heads} heads"


def _shared_width(part: Config, key: str, facts: ModelShape) -> Iterator[str]:
    heads = optional(part, facts.id, key)
    if heads is not None and (heads == 0 or facts.hidden_size % heads):
        yield f"a width of {facts.hidden_size} does not divide by `{key}` {heads}"


def _tower(part: Config, name: str, facts: ModelShape) -> Iterator[str]:
    heads, width = (optional(part, facts.id, *keys) for keys in (_HEADS, _WIDTHS))
    if heads is not None and width and not part.get("head_dim") and (heads == 0 or width % heads):
        yield f"`{name}` has a width of {width}, which does not divide by {heads} heads"
    if name != "vision_config":
        return
    patch, side = (optional(part, facts.id, key) for key in ("patch_size", "image_size"))
    if patch and side and patch > side:
        yield f"`vision_config` cuts pictures of {side} pixels into patches of {patch}"
    depth, deepstack = optional(part, facts.id, "num_hidden_layers", "depth"), part.get("deepstack_visual_indexes")
    if depth and isinstance(deepstack, list):
        odd = [index for index in deepstack if type(index) is not int or not 0 <= index < depth]
        if odd or len(deepstack) > depth:
            yield f"`deepstack_visual_indexes` names layers that a tower of {depth} does not have"
    out = optional(part, facts.id, "out_hidden_size")
    if out and out != facts.hidden_size:
        yield f"`vision_config` puts out vectors of {out} for a decoder of {facts.hidden_size}"


def _experts(text: Config, facts: ModelShape) -> Iterator[str]:
    groups, chosen = (optional(text, facts.id, key) for key in ("n_group", "topk_group"))
    if facts.moe is None or not groups or groups == 1:
        return
    experts, each = facts.moe.num_experts, facts.moe.num_experts_per_tok
    if experts % groups:
        yield f"{experts} experts do not divide into {groups} groups"
    elif chosen and (chosen > groups or each > experts // groups * chosen):
        yield f"{each} experts per token are taken from {chosen} of {groups} groups of {experts // groups}"


def _sparse_layers(text: Config, facts: ModelShape) -> Iterator[str]:
    """Which layers have experts, as Qwen's classes read it: each of so many but those listed."""
    step, plain = text.get("decoder_sparse_step"), text.get("mlp_only_layers")
    if step is not None and (type(step) is not int or step < 1):
        yield f"`decoder_sparse_step` is {excerpt(repr(step), 40)}, and counts layers from 1 on"
    layers = range(facts.num_hidden_layers)
    listed = plain if isinstance(plain, list | tuple) else None
    if plain is not None and (listed is None or any(type(layer) is not int or layer not in layers for layer in listed)):
        yield f"`mlp_only_layers` is no list of layers from 0 to {layers[-1]}"


def _state(text: Config, keys: Mapping[str, Any], facts: ModelShape) -> Iterator[str]:
    """Heads of a state that do not fill the channels which the file gives it."""
    state = facts.linear_state
    if state is None or not keys:
        return
    channels = optional(text, facts.id, *keys["channels"]) if "channels" in keys else None
    if "widened" in keys and not channels:
        factor: Any = text.get(keys["widened"])
        numeric = isinstance(factor, int | float) and not isinstance(factor, bool)
        channels = int(factor * facts.hidden_size) if numeric and 0 < factor < 2**20 else None
    filled = state.num_value_heads * state.value_head_dim
    if channels and filled != channels:
        yield f"{state.num_value_heads} heads of {state.value_head_dim} do not fill {channels} channels of Mamba layers"
