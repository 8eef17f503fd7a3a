"""What one step of a model reads and computes on one rank, by part: bytes of weights, operations for each token."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import Literal

from l4serve.config.frozen import frozen
from l4serve.planning.memory.kv_cache import kv_bytes_per_token
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.quantizations import activation_dtype, dtype_bytes, kv_element_bytes, weight_format
from l4serve.planning.memory.rank_parameters import rank_kv_heads, rank_parameters
from l4serve.planning.memory.weights import lora_bytes
from l4serve.planning.models.model_shape import LayerKind, ModelShape

EIGHT_BITS = 8
PLAIN_BYTES = 2
INT8_METHODS = ("eetq", "bitsandbytes-8bit", "experts_int8")

WEIGHT_ONLY = ("gptq", "gptq_marlin", "awq", "awq_marlin", "marlin", "auto-round")
"""Methods whose weights are made 16-bit before they are multiplied, whatever their bits."""

Multiplied = Literal["plain", "fp8", "blockFp8", "int8", "eightBit", "fourBit"]


@frozen(kw_only=True)
class ModelWork:
    """One rank's share of a step.

    `stored_bytes` are the linear layers in their stored format and `plain_bytes` those that keep 16 bits, both without
    experts; `head_bytes` is the LM head. `expert_bytes` is all experts, of which a token wakes `experts_awake` of
    `experts`. `weights` and `expert_weights` count the stored weights, which a 4-bit kernel unpacks. `operations` are
    those of one token in the linear layers, `head_operations` those of one row of logits. `attended` is the operations
    of one query token with one cached token, `kv_bytes` what one cached token makes attention read, of which the part
    `windowed` stops growing at `window` tokens. `touched_bytes` is what the kernels between the matrix products move
    for each token. `latent` is whether attention reads a latent (MLA). `adapters` are taken to be named evenly by the
    requests, and one of them has `adapter_bytes`.
    """

    layers: int
    multiplied: Multiplied
    stored_bytes: float
    plain_bytes: float
    head_bytes: float
    expert_bytes: float
    experts: int
    experts_awake: int
    weights: float
    expert_weights: float
    operations: float
    head_operations: float
    attended: float
    attended_windowed: float
    kv_bytes: float
    kv_windowed: float
    window: int | None
    kv_eight_bit: bool
    vocabulary: int
    hidden_bytes: int
    touched_bytes: float
    latent: bool
    adapters: int
    adapter_bytes: float

    def expert_share(self, tokens: int) -> float:
        """The part of the experts that so many tokens wake, each choosing for itself."""
        if not self.experts:
            return 0.0
        return float(1 - (1 - self.experts_awake / self.experts) ** tokens)


def model_work(model: ModelShape, options: ServingOptions) -> ModelWork:
    """The work of one rank under these options. Raises MemoryModelError for a format or dtype that nobody knows."""
    tp = options.tensor_parallel_size
    parameters = rank_parameters(model, tp)
    plain = dtype_bytes(activation_dtype(model, options))
    stored = weight_format(model, options)
    kept = stored.unquantized if stored else ()
    narrow = stored.bits / 8 if stored else plain
    quantised = sum(
        size
        for part, size in (("attention", parameters.attention), ("dense_mlp", parameters.dense_mlp))
        if stored and part not in kept
    )
    dense = parameters.attention + parameters.dense_mlp
    experts_narrow = bool(stored) and "experts" not in kept
    head = parameters.lm_head or parameters.embedding
    awake = model.moe.num_experts_per_tok / model.moe.num_experts if model.moe else 0.0
    full, sliding = model.count_layers(LayerKind.FULL), model.count_layers(LayerKind.SLIDING)
    kv = kv_bytes_per_token(model, options)
    share = sliding / (full + sliding) if full + sliding else 0.0
    attended = _attended(model, tp)
    return ModelWork(
        layers=model.num_hidden_layers,
        multiplied=_multiplied(model, stored.name if stored else None, stored.bits if stored else 16.0),
        stored_bytes=quantised * narrow,
        plain_bytes=(dense - quantised + parameters.replicated) * plain,
        head_bytes=head * plain,
        expert_bytes=parameters.experts * (narrow if experts_narrow else plain),
        experts=model.moe.num_experts if model.moe else 0,
        experts_awake=model.moe.num_experts_per_tok if model.moe else 0,
        weights=quantised,
        expert_weights=parameters.experts if experts_narrow else 0,
        operations=2 * (dense + parameters.experts * awake),
        head_operations=2 * head,
        attended=attended * full,
        attended_windowed=attended * sliding,
        kv_bytes=kv * (1 - share),
        kv_windowed=kv * share,
        window=model.sliding_window if sliding else None,
        kv_eight_bit=kv_element_bytes(model, options) == 1,
        vocabulary=ceil(model.vocab_size / tp),
        hidden_bytes=model.hidden_size * plain,
        touched_bytes=_touched(model, tp) * plain,
        latent=model.mla is not None,
        adapters=options.lora.max_loras if options.lora else 0,
        adapter_bytes=lora_bytes(model, options, plain) / options.lora.max_loras if options.lora else 0.0,
    )


def wider_formats(work: ModelWork) -> tuple[ModelWork, ...]:
    """The same work with its quantised weights in 16 bits, and those of four bits in eight."""
    if work.multiplied == "plain":
        return ()
    plain = replace(
        work,
        multiplied="plain",
        stored_bytes=0.0,
        plain_bytes=work.plain_bytes + PLAIN_BYTES * work.weights,
        expert_bytes=PLAIN_BYTES * work.expert_weights or work.expert_bytes,
    )
    if work.multiplied != "fourBit":
        return (plain,)
    bytes_of_eight = work.expert_weights or work.expert_bytes
    return plain, replace(work, multiplied="fp8", stored_bytes=work.weights, expert_bytes=bytes_of_eight)


def _attended(model: ModelShape, tp: int) -> float:
    """Operations of one layer for one query token and one cached token: a score, and its part of the sum."""
    heads = ceil(model.num_attention_heads / tp)
    if model.mla is not None:
        return 2.0 * heads * (2 * model.mla.kv_lora_rank + model.mla.qk_rope_head_dim)
    return 4.0 * heads * model.head_dim


def _touched(model: ModelShape, tp: int) -> float:
    """Elements that one token makes the kernels between the matrix products read and write, over all layers: the
    residual and its norms, queries, keys and values with their rotation, and the gate of the MLP."""
    projected = ceil(model.num_attention_heads / tp) * model.head_dim
    projected += 2 * rank_kv_heads(model.num_key_value_heads, tp) * model.head_dim
    moe = model.moe
    width = model.intermediate_size
    if moe is not None:
        width = moe.num_experts_per_tok * moe.expert_intermediate_size + moe.shared_intermediate_size
    return float(model.num_hidden_layers * (8 * model.hidden_size + 4 * projected + 4 * width / tp))


def _multiplied(model: ModelShape, method: str | None, bits: float) -> Multiplied:
    if method is None:
        return "plain"
    if bits < EIGHT_BITS:
        return "fourBit"
    if method in WEIGHT_ONLY:
        return "eightBit"
    if method in INT8_METHODS:
        return "int8"
    facts = model.quantization
    scaled_by_block = facts is not None and facts.method == method == "fp8" and facts.group_size > 0
    return "blockFp8" if scaled_by_block and model.moe is None else "fp8"
