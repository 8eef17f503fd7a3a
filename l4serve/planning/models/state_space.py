"""State-space layers (Mamba, Mamba 2) and short convolutions in a config.json: which layers, what state, what MLPs.

How each class names its keys is data (`stateSpace` in `data/architectures.json`). Sizes are those of vLLM's
`MambaStateShapeCalculator` (model_executor/layers/mamba/mamba_utils.py of 0.26.0).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from l4serve.config.frozen import frozen
from l4serve.planning.models.model_shape import LayerKind, LinearStateFacts

_OF_A_LETTER = {"M": LayerKind.LINEAR, "*": LayerKind.FULL, "-": LayerKind.NONE, "E": LayerKind.NONE}
"""Layers of a pattern: state-space, attention, dense MLP, experts."""
_OF_A_TYPE = {
    "mamba": LayerKind.LINEAR,
    "attention": LayerKind.FULL,
    "conv": LayerKind.LINEAR,
    "full_attention": LayerKind.FULL,
}
_ATTENDING = ("attn_layer_indices", "full_attn_idxs")
"""Keys that list the layers which attend, where the file has no types of layers."""

ReadInteger = Callable[..., int]
"""Reads the first of some keys that the file has, or raises."""


class StateSpaceError(ValueError):
    """Layers that cannot be told from the file; the message names the key."""


@frozen(kw_only=True)
class StateSpaceLayers:
    """What a file says of its state-space layers and of those beside them."""

    state: LinearStateFacts
    kinds: tuple[LayerKind, ...]
    mlp_layers: int
    """Layers with a dense MLP."""
    expert_layers: int | None = None
    """Layers with experts where the file says which; None leaves it to the file's other keys."""

    @property
    def keeps_states(self) -> bool:
        """Whether some layer keeps a state: the dense Granite 4.0 have the class, and attention alone."""
        return set(self.kinds) != {LayerKind.FULL}

    @property
    def attends(self) -> bool:
        """Whether some layer keeps keys and values."""
        return LayerKind.FULL in self.kinds or LayerKind.BOTH in self.kinds


def state_space_layers(
    text: Mapping[str, Any], keys: Mapping[str, Any], layers: int, integer: ReadInteger
) -> StateSpaceLayers:
    """The layers of a file whose class has these keys; `integer` reads a key as a whole number above 0.

    Raises StateSpaceError where the layers cannot be told.
    """
    pattern = text.get("hybrid_override_pattern") if keys.get("pattern") else None
    if isinstance(pattern, str):
        return StateSpaceLayers(
            state=_state(text, keys, integer),
            kinds=_of_pattern(pattern, layers),
            mlp_layers=pattern.count("-"),
            expert_layers=pattern.count("E"),
        )
    state, kinds = _state(text, keys, integer), _kinds(text, keys, layers)
    if expert := keys.get("expertLayers"):  # every n-th layer has experts, the others a dense MLP
        experts = len(_every(text, expert, layers))
        return StateSpaceLayers(state=state, kinds=kinds, mlp_layers=layers - experts, expert_layers=experts)
    # Beside experts the MLP of each layer is the one that they share.
    dense = layers if not text.get("num_local_experts") else 0
    if text.get("num_experts"):  # only the first layers have a dense MLP
        dense = text.get("num_dense_layers") or 0
    return StateSpaceLayers(state=state, kinds=kinds, mlp_layers=dense if keys.get("mlp") else 0)


def _of_pattern(pattern: str, layers: int) -> tuple[LayerKind, ...]:
    if len(pattern) != layers or set(pattern) - _OF_A_LETTER.keys():
        raise StateSpaceError(f"`hybrid_override_pattern` has {len(pattern)} letters for {layers} layers, or others")
    return tuple(_OF_A_LETTER[letter] for letter in pattern)


def _every(text: Mapping[str, Any], keys: Sequence[str], layers: int) -> range:
    """The layers from an offset on, in steps of a period; `keys` names both in the file."""
    period, offset = (text.get(key) for key in keys)
    if type(period) is not int or type(offset) is not int or not 0 <= offset < period:
        raise StateSpaceError(f"`{keys[0]}` and `{keys[1]}` are not a period and an offset below it")
    return range(offset, layers, period)


def _kinds(text: Mapping[str, Any], keys: Mapping[str, Any], layers: int) -> tuple[LayerKind, ...]:
    if keys.get("both"):
        return (LayerKind.BOTH,) * layers
    if attending := keys.get("attentionLayers"):
        full = _every(text, attending, layers)
        return tuple(LayerKind.FULL if index in full else LayerKind.LINEAR for index in range(layers))
    if not keys.get("hybrid"):
        return (LayerKind.LINEAR,) * layers
    types = text.get("layer_types") or text.get("layers_block_type")
    attention = next((text[key] for key in _ATTENDING if text.get(key) is not None), None)
    if isinstance(types, list | tuple) and len(types) == layers and all(type_ in _OF_A_TYPE for type_ in types):
        return tuple(_OF_A_TYPE[type_] for type_ in types)
    if types is None and isinstance(attention, list | tuple):
        return tuple(LayerKind.FULL if index in attention else LayerKind.LINEAR for index in range(layers))
    raise StateSpaceError(f"`layer_types` does not say of {layers} layers which keep a state and which attend")


def _state(text: Mapping[str, Any], keys: Mapping[str, Any], integer: ReadInteger) -> LinearStateFacts:
    if convolved := keys.get("convolved"):  # a convolution's last tokens are all of its state
        return LinearStateFacts(
            num_key_heads=0,
            num_value_heads=integer(*convolved),
            value_head_dim=1,
            key_head_dim=0,
            conv_kernel=integer(*keys["kernel"]),
            gates=1,
        )
    dtype = text.get("mamba_ssm_cache_dtype")
    first = "rank" in keys
    values = integer(*keys["inner" if first else "heads"])
    if expand := keys.get("expand"):
        values *= integer(*expand)
    return LinearStateFacts(
        num_key_heads=0 if first else integer(*keys["groups"]),
        num_value_heads=values,
        value_head_dim=1 if first else integer(*keys["headDim"]),
        key_head_dim=integer(*keys["state"]),
        conv_kernel=integer(*keys["kernel"]),
        state_dtype=dtype if isinstance(dtype, str) else keys.get("stateDtype"),
        gates=0 if first else 1,
        step_rank=integer(*keys["rank"]) if first else 0,
        chunk=0 if first else integer(*keys["chunk"]),
    )
