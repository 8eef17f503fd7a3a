"""Reads layers that each have a shape of their own: `block_configs` of models that a search made narrower (DeciLM)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from l4serve.config.frozen import frozen
from l4serve.planning.models.hf_values import WITHOUT, Config, ModelConfigError, count_fault, refuse_fault, refuse_value
from l4serve.planning.models.model_shape import LayerKind

_ROUNDED = 256
_MOST_OF_A_MULTIPLE = 64


@frozen()
class Blocks:
    """What the layers of a model have, where each is of its own shape."""

    kinds: tuple[LayerKind, ...]
    """Full attention, or none."""
    group: int
    """Queries for each key."""
    widths: tuple[int, ...]
    """Of each layer's MLP, 0 where it has none."""


def blocks_of(text: Config, hidden: int, layers: int, model_id: str) -> Blocks | None:
    """The layers that a file states one by one; None where it states none. Raises ModelConfigError for others' forms.

    vllm/model_executor/models/nemotron_nas.py of 0.26.0: keys are of one count in all layers that attend, and a width
    is two thirds of a multiple of the hidden size, rounded up to 256.
    """
    stated = text.get("block_configs")
    if not stated:
        return None
    if not isinstance(stated, list) or len(stated) != layers:
        refuse_value(model_id, "block_configs", stated, f"a list of {layers} layers")
    parts = [(_part(block, "attention", model_id), _part(block, "ffn", model_id)) for block in stated]
    groups = {attention.get("n_heads_in_group") for attention, _ in parts if not attention.get("no_op")}
    if len(groups) != 1:
        raise ModelConfigError(f"{model_id}: `block_configs` has several counts of keys, or no attention; {WITHOUT}")
    (group,) = groups
    refuse_fault(model_id, count_fault("n_heads_in_group", group, least=1))
    return Blocks(
        tuple(LayerKind.NONE if attention.get("no_op") else LayerKind.FULL for attention, _ in parts),
        int(group or 0),
        tuple(_width(ffn, hidden, model_id) for _, ffn in parts),
    )


def _part(block: object, name: str, model_id: str) -> Mapping[str, Any]:
    part = block.get(name) if isinstance(block, Mapping) else None
    if not isinstance(part, Mapping):
        refuse_value(model_id, "block_configs", block, "layers with `attention` and `ffn`")
    if part.get("replace_with_linear"):
        raise ModelConfigError(f"{model_id}: `block_configs` puts a matrix in place of {name}; {WITHOUT}")
    return part


def _width(ffn: Mapping[str, Any], hidden: int, model_id: str) -> int:
    if ffn.get("no_op"):
        return 0
    stated, multiple = ffn.get("intermediate_size"), ffn.get("ffn_mult")
    if stated is not None:
        refuse_fault(model_id, count_fault("intermediate_size", stated, least=1))
        return int(stated)
    if isinstance(multiple, bool) or not isinstance(multiple, int | float) or not 0 < multiple <= _MOST_OF_A_MULTIPLE:
        refuse_value(model_id, "ffn_mult", multiple, f"a number above 0, at most {_MOST_OF_A_MULTIPLE}")
    return -(-int(2 * multiple * hidden / 3) // _ROUNDED) * _ROUNDED
