"""Bytes of weights that one GPU rank loads."""

from __future__ import annotations

from functools import lru_cache
from math import ceil

from l4serve.planning.memory.generations import Generation, vllm_generation
from l4serve.planning.memory.online_loading import kept_beside
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.plain_shares import plain_shares, wide_shares
from l4serve.planning.memory.quantizations import WeightFormat, activation_dtype, dtype_bytes, weight_format
from l4serve.planning.memory.rank_parameters import rank_kv_heads, rank_parameters, tower_shards
from l4serve.planning.memory.towers import loaded_parameters
from l4serve.planning.models.model_shape import ModelShape

ROUNDING = 2 * 2**20
ROUNDED_FROM = 10 * 2**20


def weight_bytes(model: ModelShape, options: ServingOptions) -> int:
    """Bytes of weights on the heaviest rank of the widest pipeline stage, rotary caches and adapter slots included."""
    tp, pp = options.tensor_parallel_size, options.pipeline_parallel_size
    parameters = rank_parameters(model, tp)
    plain = dtype_bytes(activation_dtype(model, options))
    stored = weight_format(model, options)
    kept = ("embedding", "lm_head", *stored.unquantized) if stored else ()
    layers = _layers(model, options)
    share = ceil(model.num_hidden_layers / pp) / model.num_hidden_layers
    tower = loaded_parameters(model, options) // (1 if options.copies_tower else tower_shards(model, tp))
    # What answers with vectors or scores makes no head, or drops it as it loads (model_executor/models/adapters.py).
    head = 0 if options.pooling else parameters.lm_head
    ends = parameters.embedding + head if pp == 1 else max(parameters.embedding, head)
    adapters = lora_bytes(model, options, plain) * share
    rounding = _allocator_rounding(model, options, plain) * share if "attention" in kept or stored is None else 0.0
    numbers = ends + tower + _rotary_numbers(model)
    return int(layers * share + numbers * plain + adapters + rounding)


def layer_bytes(model: ModelShape, options: ServingOptions) -> int:
    """Bytes of one rank's decoder layers, without embedding, head and tower."""
    return int(_layers(model, options))


def _layers(model: ModelShape, options: ServingOptions) -> float:
    tp = options.tensor_parallel_size
    parameters = rank_parameters(model, tp)
    plain = dtype_bytes(activation_dtype(model, options))
    stored = weight_format(model, options)
    kept = ("embedding", "lm_head", *stored.unquantized) if stored else ()
    quantized_bytes = stored.bits / 8 if stored else plain
    layers = float(parameters.replicated * plain)
    for part in ("attention", "dense_mlp"):
        narrow = plain if part in kept else quantized_bytes
        layers += getattr(parameters, part) * _mixed(model, part, plain, narrow)
    triton = stored.triton_padding if stored and options.triton_experts else None
    narrow = _bytes_per_expert_parameter(model, stored, plain, tp, triton)
    return layers + parameters.experts * _mixed(model, "experts", plain, narrow)


def _mixed(model: ModelShape, part: str, plain: float, narrow: float) -> float:
    """Bytes of a parameter of a part, of which some keep the plain dtype and some have eight bits."""
    kept, wide = plain_shares(model).get(part, 0.0), wide_shares(model).get(part, 0.0)
    return kept * plain + wide + (1 - kept - wide) * narrow


def _rotary_numbers(model: ModelShape) -> float:
    """Numbers in the rotary tables; one of two is as wide as the heads of the layers that see everything."""
    width = model.mla.qk_rope_head_dim if model.mla else model.head_dim
    tables = (model.rope_caches - 1 + model.rope_stretch) * width + max(0, (model.full_head_dim or width) - width)
    return model.max_position_embeddings * tables


def _allocator_rounding(model: ModelShape, options: ServingOptions, plain: int) -> int:
    """What PyTorch's allocator adds to plain layers: tensors from 10 MiB on take whole blocks of 2 MiB.

    The PyTorch of earlier releases gave a rest of more than 1 MiB to others.
    """
    if model.mla is not None:
        return 0
    early = options.engine == "tgi" or vllm_generation(options.engine_version).overheads != "late"
    return _rests(model, options.tensor_parallel_size, plain, ROUNDING // 2 if early else ROUNDING)


@lru_cache(maxsize=4096)
def _rests(model: ModelShape, tp: int, plain: int, largest: int) -> int:
    """Bytes that the plain matrices of all layers leave of their blocks, where a block leaves at most `largest`."""
    rests: list[int] = [-size % ROUNDING for _, size in layer_matrices(model, tp, plain) if size >= ROUNDED_FROM]
    return model.num_hidden_layers * sum(rest for rest in rests if rest <= largest)


def layer_matrices(model: ModelShape, tensor_parallel: int, element: int) -> tuple[tuple[str, int], ...]:
    """Names of one layer's dense matrices on one rank, and their bytes, as an engine joins them: queries, keys and
    values in one, the gate beside what it gates."""
    queries = ceil(model.num_attention_heads / tensor_parallel) * model.head_dim
    keys = rank_kv_heads(model.num_key_value_heads, tensor_parallel) * model.head_dim
    sides = {"qkv": queries + 2 * keys, "o": queries}
    if model.moe is None:
        width = model.intermediate_size // tensor_parallel
        sides |= {"up": (2 if model.gated_mlp else 1) * width, "down": width}
    return tuple((name, model.hidden_size * side * element) for name, side in sides.items())


def _bytes_per_expert_parameter(
    model: ModelShape, stored: WeightFormat | None, plain: int, tp: int, triton: tuple[int, int] | None
) -> float:
    if model.moe is None or stored is None or "experts" in stored.unquantized:
        return plain
    taken = model.expert_inputs
    width = max(1, model.moe.expert_intermediate_size // tp)
    if triton is None:
        hidden_step, width_step = stored.expert_padding
        padded: float = _rounded_up(taken, hidden_step) * _rounded_up(width, width_step)
    else:
        inputs_step, width_step = triton
        outputs = _rounded_up(width, width_step)
        up = _rounded_up(taken, inputs_step) * outputs
        padded = (2 * up + taken * _rounded_up(outputs, inputs_step)) / 3
    return stored.bits / 8 * padded / (taken * width)


def _rounded_up(value: int, step: int) -> int:
    return ceil(value / step) * step


def checkpoint_bytes(model: ModelShape, quantization: str | None = None) -> int:
    """Bytes of the model's weight files: its parameters in their stored format, without what an engine adds."""
    parameters = rank_parameters(model)
    options = ServingOptions(engine="vllm", engine_version="0", quantization=quantization)
    stored = weight_format(model, options)
    kept = parameters.embedding + parameters.lm_head + parameters.vision + parameters.replicated
    plain = dtype_bytes(model.torch_dtype)
    if stored is None or (stored.online and model.quantization is None):
        return parameters.total * plain
    kept_bytes = float(kept * plain)
    linear = {"attention": parameters.attention, "dense_mlp": parameters.dense_mlp, "experts": parameters.experts}
    for part, size in linear.items():
        narrow = plain if part in stored.unquantized else stored.bits / 8
        kept_bytes += size * _mixed(model, part, plain, narrow)
    return int(kept_bytes)


def left_behind_bytes(model: ModelShape, options: ServingOptions, stored: WeightFormat, generation: Generation) -> int:
    """Bytes on one rank that stay beside weights made 8-bit while they stream in; 0 for mixtures of experts.

    Dummy weights come in the order of the model's modules, others in that of a checkpoint's files. Releases whose
    allocator splits large blocks meanwhile were seen to keep one layer's MLP in the model's own dtype.
    """
    if model.moe is not None:
        return 0
    tp, element = options.tensor_parallel_size, dtype_bytes(activation_dtype(model, options))
    if generation.loads_unsplit and model.mla is None and not model.is_hybrid:
        matrices = layer_matrices(model, tp, element)
        return kept_beside(
            matrices, model.num_hidden_layers, stored.bits / 8 / element, files=options.load_format != "dummy"
        )
    return rank_parameters(model, tp).dense_mlp // model.num_hidden_layers * element


def lora_bytes(model: ModelShape, options: ServingOptions, element: int) -> int:
    """Bytes of the adapter slots that the engine allocates for every linear layer of one rank.

    A layer from width `a` to width `b` holds `max_loras x max_lora_rank x (a + b)` elements; the side that tensor
    parallelism splits is split here too. Experts get no slots.
    """
    if options.lora is None:
        return 0
    tp, hidden = options.tensor_parallel_size, model.hidden_size
    queries = model.num_attention_heads * model.head_dim // tp
    keys = rank_kv_heads(model.num_key_value_heads, tp) * model.head_dim
    widths = 4 * hidden + 2 * queries + 2 * keys
    if model.moe is None:
        matrices = 3 if model.gated_mlp else 2
        widths += matrices * (hidden + model.intermediate_size // tp)
    return model.num_hidden_layers * options.lora.max_loras * options.lora.max_lora_rank * widths * element
