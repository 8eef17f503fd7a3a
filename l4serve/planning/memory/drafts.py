"""What a speculative draft adds to the memory of the model that it drafts for."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from l4serve.config.data_file import load_data
from l4serve.planning.memory.generations import MemoryModelError
from l4serve.planning.memory.kv_cache import kv_bytes_per_token
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.quantizations import activation_dtype, dtype_bytes, kv_element_bytes
from l4serve.planning.memory.rank_parameters import rank_kv_heads
from l4serve.planning.memory.weights import layer_bytes, weight_bytes
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.models.model_shape import LayerKind, ModelShape
from l4serve.planning.values.quantity import GIB

NO_WEIGHTS = ("ngram", "ngram_gpu", "suffix")
"""Methods that draft without a model."""


HEADS = {"eagle": 2, "eagle3": 3, "mtp": 2}
"""Hidden states that a draft head projects into one; embedding and output head are the target's."""


def _with_head(options: ServingOptions, target: ModelShape, states: int) -> ServingOptions:
    layers, plain = target.num_hidden_layers, dtype_bytes(activation_dtype(target, options))
    projection = states * target.hidden_size**2 * plain
    layer = layer_bytes(target, replace(options, quantization=None)) / layers * options.tensor_parallel_size
    keeping = target.count_layers(LayerKind.FULL) + target.count_layers(LayerKind.SLIDING)
    return replace(options, draft_weights_gib=(layer + projection) / GIB, draft_kv_fraction=1 / keeping)


def _with_block(options: ServingOptions, block: Mapping[str, Any], target: ModelShape) -> ServingOptions:
    """The draft's own layers in the target's type, split over the ranks, and the projection that each rank has."""
    hidden, keys = block["hidden"], block["kvHeads"] * block["headDim"]
    layer = hidden * (2 * block["heads"] * block["headDim"] + 2 * keys + 3 * block["intermediate"])
    projection = block["states"] * hidden**2 * options.tensor_parallel_size
    weights = (block["layers"] * layer + projection) * dtype_bytes(activation_dtype(target, options))
    ranks = options.tensor_parallel_size
    token = 2 * block["layers"] * rank_kv_heads(block["kvHeads"], ranks) * block["headDim"]
    fraction = token * kv_element_bytes(target, options) / kv_bytes_per_token(target, options)
    return replace(options, draft_weights_gib=weights / GIB, draft_kv_fraction=fraction)


def with_draft(
    options: ServingOptions, speculative: Mapping[str, Any] | None, target: ModelShape
) -> tuple[ServingOptions, tuple[str, ...]]:
    """The options with the draft's weights and cache, and what could not be counted.

    `speculative` is the engine's own object, such as {"model": ..., "num_speculative_tokens": 3}. Heads that an engine
    takes from the target's checkpoint (MTP) and EAGLE heads outside the catalogue are one layer of the target beside a
    projection of its hidden states. Raises MemoryModelError for another draft that is in no catalogue.
    """
    if not speculative or speculative.get("method") in NO_WEIGHTS:
        return options, ()
    name = speculative.get("model")
    draft = find_model(str(name)) if name else None
    method = str(speculative.get("method") or "")
    method = "mtp" if method.endswith("_mtp") else method  # as vLLM renames its families of own layers
    if draft is None and method in HEADS:
        return _with_head(options, target, HEADS[method]), (
            f"the draft head {name or method} is counted as one layer of the model",
        )
    if block := load_data(__file__, "draft_blocks.json")["blocks"].get(str(name)):
        return _with_block(options, block, target), ()
    if draft is None:
        raise MemoryModelError(
            f"the speculative draft {name or method} is in no catalogue; take one that is, or weigh it with l4serve fit"
        )
    ranks = options.tensor_parallel_size
    own = replace(
        options,
        quantization=speculative.get("quantization"),
        tensor_parallel_size=int(speculative.get("draft_tensor_parallel_size") or ranks),
        pipeline_parallel_size=1,
        lora=None,
        weights_gib=None,
    )
    drafted = replace(
        options,
        draft_weights_gib=weight_bytes(draft, own) / GIB * ranks,
        draft_kv_fraction=kv_bytes_per_token(draft, own) / kv_bytes_per_token(target, options),
    )
    return drafted, ()
