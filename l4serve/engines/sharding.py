"""How a model divides over the GPUs of one tensor-parallel group, as facts for rules."""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from l4serve.engines.traits import ModelTraits

_SIZES = (1, 2, 4, 8)
"""Tensor-parallel groups that machines hold whole: a machine of 16 GPUs is rare, and few models split so far."""
_ONLINE_BLOCK, _MARLIN_PIECE = 128, 64
_VOCABULARY_PADDING = 64
"""Entries to which vLLM rounds a vocabulary up: vllm/model_executor/layers/vocab_parallel_embedding.py."""


@lru_cache(maxsize=1024)
def parallel_facts(
    model: ModelTraits, *, gpus: int, tensor: int, pipeline: int, whole_experts: bool
) -> Mapping[str, Any]:
    """What is left over when heads, vocabulary and quantisation groups are split over `tensor` GPUs, None if unknown.

    Where experts are whole, each is on one GPU and only what is shared beside them is split.

    `sizes` names the sizes that leave nothing over, `sizes.largest` the largest of them that the pod's GPUs hold.
    """
    padded = _padded(model.vocab_size)
    fitting = [size for size in _SIZES if not any(_remainders(model, size, whole_experts).values())]
    return {
        "gpus": gpus,
        "tensorParallelSize": tensor,
        "pipelineParallelSize": pipeline,
        "gpus.needed": tensor * pipeline,
        **_remainders(model, tensor, whole_experts),
        "remainder.kvHeadsStrict": model.num_key_value_heads % tensor if model.num_key_value_heads else None,
        "model.paddedVocabulary": padded,
        "model.width": _width(model, whole_experts),
        "remainder.expertGroups": _expert_groups(model, tensor, whole_experts),
        "remainder.expertBlocks": _expert_remainder(model, tensor, whole_experts),
        "model.quantizedBlock": _block(model),
        "sizes": ", ".join(map(str, fitting)),
        "sizes.largest": max((size for size in fitting if size <= gpus), default=1),
    }


def context_facts(model: ModelTraits, tensor: int, size: object) -> Mapping[str, Any]:
    """What is left over when ranks that hold copies of the same KV heads split the cache of a context `size` ways.

    A model with latent attention has one copy on every rank (`possible` is then None, as where heads are unknown).
    """
    heads, kv = model.num_attention_heads, model.num_key_value_heads
    asked = size if isinstance(size, int) and size > 0 else None
    possible = None
    if asked and heads and kv and not model.latent_attention:
        possible = asked <= tensor // kv and heads // kv % asked == 0
    return {
        "remainder.decodeContext": tensor % asked if asked else None,
        "decodeContext.copies": tensor // kv if kv else None,
        "decodeContext.possible": possible,
    }


def _remainders(model: ModelTraits, size: int, whole_experts: bool) -> dict[str, int | None]:
    heads, kv, padded = model.num_attention_heads, model.num_key_value_heads, _padded(model.vocab_size)
    width, block = _width(model, whole_experts), _block(model)
    return {
        "remainder.heads": heads % size if heads else None,
        "remainder.kvHeads": (kv % size if kv >= size else size % kv) if kv else None,
        "remainder.vocabulary": padded % size if padded else None,
        "remainder.quantizedBlocks": width % (size * block) if width and block and size > 1 else None,
        "remainder.states": _state_remainder(model, size),
    }


def _state_remainder(model: ModelTraits, size: int) -> int | None:
    """What is left over of the heads of Mamba 2 or of their groups; one group is repeated on every GPU."""
    heads, groups = model.state_heads, model.state_groups
    if not heads or not groups:
        return None
    return heads % size or (groups % size if groups > 1 else 0)


def _padded(vocabulary: int | None) -> int | None:
    return -(-vocabulary // _VOCABULARY_PADDING) * _VOCABULARY_PADDING if vocabulary else None


def _expert_remainder(model: ModelTraits, size: int, whole_experts: bool) -> int | None:
    """What is left over when a shard of an expert is cut into the blocks of FP8 that vLLM makes while it loads."""
    width = model.expert_intermediate_size
    return None if width is None or whole_experts or size == 1 else width % (size * _ONLINE_BLOCK)


def _expert_groups(model: ModelTraits, size: int, whole_experts: bool) -> int | None:
    """What is left over when a shard of an expert in four bits is cut into the pieces of Marlin's kernel.

    https://github.com/vllm-project/vllm/blob/v0.12.0/vllm/model_executor/layers/quantization/utils/marlin_utils.py#L194
    """
    width, group = model.expert_intermediate_size, model.quantization_group
    packed = model.quantization_method == "compressed-tensors" and not model.quantization_floats
    known = packed or model.quantization_method in ("awq", "gptq", "modelopt_fp4")
    asked = known and model.quantization_bits == 4 and size > 1
    if width is None or group is None or group <= 0 or whole_experts or not asked:
        return None
    return width % (size * max(_MARLIN_PIECE, group))


def _width(model: ModelTraits, whole_experts: bool) -> int | None:
    """Width of the feed-forward layers that are split, in elements: an expert's in a mixture of experts."""
    if whole_experts and model.expert_intermediate_size:
        return model.shared_intermediate_size or None
    return model.expert_intermediate_size or model.intermediate_size


def _block(model: ModelTraits) -> int | None:
    """Rows that share a quantisation scale and that no split may cut; None where a split is free or unknown.

    An FP8 checkpoint shares a scale over square blocks, NVFP4 over a group in experts as well, AWQ, GPTQ and whole
    numbers of compressed-tensors over a group of one column; the kernels for experts in these halve their groups when
    they must, and those for other formats pad.
    """
    group, method = model.quantization_group, model.quantization_method
    if group is None or group <= 0:
        return None
    if method == "fp8":
        return math.isqrt(group)
    if method == "modelopt_fp4":
        return group
    whole = method == "compressed-tensors" and not model.quantization_floats
    return group if (whole or method in ("awq", "gptq")) and model.expert_intermediate_size is None else None
