"""How much of each part of a quantised model is stored otherwise than the rest: plain, or in eight bits beside four."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from functools import lru_cache

from l4serve.planning.models.model_shape import LayerKind, ModelShape
from l4serve.planning.models.skipped_modules import module_of_all_layers, skipper

_ROOTS = ("model.", "model.language_model.", "language_model.model.", "backbone.", "")
"""What stands before `layers` in the names of checkpoints."""
_ATTENTION, _LINEAR, _MLP = (
    ("self_attn", "attention", "mixer"),
    ("linear_attn", "mamba", "mixer"),
    ("mlp", "feed_forward", "block_sparse_moe", "mixer"),
)
_SHARED = tuple(f"{mlp}.{shared}" for mlp in _MLP for shared in ("shared_expert", "shared_experts"))
_EXPERTS = tuple(f"{mlp}.experts" for mlp in _MLP)
_BESIDE = frozenset({"Gemma4ForCausalLM", "Gemma4ForConditionalGeneration"})
"""Classes whose experts have a name of their own, beside their layer's MLP (gemma4.py of vLLM 0.26.0)."""
_OWN_EXPERTS = ("moe.experts", "experts")
_Module = tuple[float, tuple[str, ...]]
"""Parameters, and the names that it may have below its layer."""


@lru_cache(maxsize=1024)
def plain_shares(model: ModelShape) -> Mapping[str, float]:
    """By part (attention, dense_mlp, experts) the share of parameters that are not quantised, where there are some."""
    stored = model.quantization
    if stored is None:
        return {}
    if stored.modules:
        listed = dict(stored.modules)
        return _shares(model, tuple(listed), lambda names: not _any_in(names, listed))
    if not stored.skipped:
        return {}
    skips = skipper(stored.method, stored.skipped)
    return _shares(model, stored.skipped, lambda names: any(skips(name) for name in names))


@lru_cache(maxsize=1024)
def wide_shares(model: ModelShape) -> Mapping[str, float]:
    """By part the share of parameters in eight bits where others have four, where there are some."""
    stored = model.quantization
    if stored is None or not stored.modules or stored.bits != 4:
        return {}
    wide = {name for name, bits in stored.modules if bits == 8}
    return _shares(model, tuple(wide), lambda names: _any_in(names, wide))


def _any_in(names: tuple[str, ...], modules: Container[str]) -> bool:
    return any(module_of_all_layers(name) in modules for name in names)


def _shares(model: ModelShape, listed: tuple[str, ...], is_such: Callable[[tuple[str, ...]], bool]) -> dict[str, float]:
    """By part the share of parameters in modules that are such; they are asked for by all names that one may have."""
    roots = [r for r in _ROOTS if any(name.startswith(f"{r}layers.") for name in listed)] or _ROOTS[:1]
    total: dict[str, float] = {}
    such: dict[str, float] = {}
    for layer in range(model.num_hidden_layers):
        for part, (size, names) in _modules(model, layer):
            total[part] = total.get(part, 0.0) + size
            if is_such(tuple(f"{root}layers.{layer}.{name}" for root in roots for name in names)):
                such[part] = such.get(part, 0.0) + size
    return {part: size / total[part] for part, size in such.items()}


def _modules(model: ModelShape, layer: int) -> Iterator[tuple[str, _Module]]:
    kind = model.layer_kinds[layer] if model.layer_kinds else LayerKind.FULL
    if kind in (LayerKind.FULL, LayerKind.SLIDING, LayerKind.BOTH):
        yield from (("attention", module) for module in _attention(model, kind))
    if kind in (LayerKind.LINEAR, LayerKind.BOTH):
        yield from (("attention", module) for module in _linear(model))
    apart = LayerKind.NONE in model.layer_kinds and model.mlp_widths is None
    if apart and kind is not LayerKind.NONE:
        return
    moe = model.moe
    if moe is None or layer < moe.num_dense_layers:
        yield from (("dense_mlp", module) for module in _mlp(model, model.intermediate_size, _MLP))
        return
    beside = model.architecture in _BESIDE
    if moe.shared_intermediate_size:
        shared = _MLP if beside else _SHARED
        yield from (("dense_mlp", module) for module in _mlp(model, moe.shared_intermediate_size, shared))
    experts = _OWN_EXPERTS if beside else _EXPERTS
    yield "experts", (1.0, (*experts, *(f"{name}.0.{side}_proj" for name in experts for side in ("down", "up"))))


def _attention(model: ModelShape, kind: LayerKind) -> Iterator[_Module]:
    if (mla := model.mla) is not None:
        heads, width = model.num_attention_heads, mla.qk_nope_head_dim + mla.qk_rope_head_dim
        if mla.q_lora_rank:
            yield _below(_ATTENTION, model.hidden_size * mla.q_lora_rank, "q_a_proj", "fused_qkv_a_proj")
            yield _below(_ATTENTION, mla.q_lora_rank * heads * width, "q_b_proj")
        else:
            yield _below(_ATTENTION, model.hidden_size * heads * width, "q_proj")
        compressed = model.hidden_size * (mla.kv_lora_rank + mla.qk_rope_head_dim)
        yield _below(_ATTENTION, compressed, "kv_a_proj_with_mqa", "fused_qkv_a_proj")
        expanded = mla.kv_lora_rank * heads * (mla.qk_nope_head_dim + mla.v_head_dim)
        yield _below(_ATTENTION, expanded, "kv_b_proj")
        yield _below(_ATTENTION, heads * mla.v_head_dim * model.hidden_size, "o_proj")
        return
    full = kind is LayerKind.FULL
    head_dim = (model.full_head_dim if full else None) or model.head_dim
    queries = model.num_attention_heads * head_dim
    keys = ((model.full_key_value_heads if full else None) or model.num_key_value_heads) * head_dim
    yield _below(_ATTENTION, queries * (2 if model.attention_output_gate else 1), "q_proj", "qkv_proj")
    yield _below(_ATTENTION, keys, "k_proj", "qkv_proj")
    yield _below(_ATTENTION, keys, "v_proj", "qkv_proj")
    yield _below(_ATTENTION, queries, "o_proj", "out_proj")


def _linear(model: ModelShape) -> Iterator[_Module]:
    state = model.linear_state
    assert state is not None, "a layer is linear by its state"
    keys, values = state.num_key_heads * state.key_head_dim, state.num_value_heads * state.value_head_dim
    yield _below(_LINEAR, 2 * keys + values, "in_proj", "in_proj_qkv", "in_proj_qkvz")
    yield _below(_LINEAR, values, "in_proj", "in_proj_z", "in_proj_qkvz")
    yield _below(_LINEAR, state.gates * state.num_value_heads, "in_proj", "in_proj_ba", "in_proj_a")
    yield _below(_LINEAR, values, "out_proj")


def _mlp(model: ModelShape, width: int, parents: tuple[str, ...]) -> Iterator[_Module]:
    if model.gated_mlp:
        yield _below(parents, width, "gate_proj", "gate_up_proj")
    yield _below(parents, width, "up_proj", "gate_up_proj")
    yield _below(parents, width, "down_proj")


def _below(parents: tuple[str, ...], size: float, *names: str) -> _Module:
    return size, tuple(f"{parent}.{name}" for parent in parents for name in names)
