"""What a speculative draft adds to the memory of the model that it drafts for."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from l4serve.planning.memory.kv_cache import kv_bytes_per_token
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.weights import weight_bytes
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.models.model_shape import ModelFacts
from l4serve.planning.values.quantity import GIB

NO_WEIGHTS = ("ngram", "ngram_gpu", "suffix")
"""Methods that draft without a model."""


def with_draft(
    options: ServingOptions, speculative: Mapping[str, Any] | None, target: ModelFacts
) -> tuple[ServingOptions, tuple[str, ...]]:
    """The options with the draft's weights and cache, and what could not be counted.

    `speculative` is the engine's own object, such as {"model": ..., "num_speculative_tokens": 3}. Heads that an engine
    takes from the target's checkpoint (MTP) and drafts outside the catalogue are named, not counted.
    """
    if not speculative or speculative.get("method") in NO_WEIGHTS:
        return options, ()
    name = speculative.get("model")
    draft = find_model(str(name)) if name else None
    if draft is None:
        return options, (f"the memory of the speculative draft {name or speculative.get('method')} is not counted",)
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
