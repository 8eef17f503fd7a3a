"""TGI's accounting: after a warm-up prefill, the KV cache takes the memory fraction of what is free."""

from __future__ import annotations

from components.planning.memory.activation import forward_peak_bytes
from components.planning.memory.constants import Constants
from components.planning.memory.fit import Fit
from components.planning.memory.generations import GIB
from components.planning.memory.gpu import Gpu
from components.planning.memory.kv_cache import kv_bytes_per_token
from components.planning.memory.options import ServingOptions
from components.planning.memory.quantizations import activation_dtype, dtype_bytes
from components.planning.memory.weights import weight_bytes
from components.planning.models.facts import ModelFacts


def estimate_tgi(model: ModelFacts, gpu: Gpu, options: ServingOptions, constants: Constants) -> Fit:
    """TGI's answer for one shard."""
    length = options.max_total_tokens or options.max_model_len or min(model.max_position_embeddings, 4096)
    prefill = options.max_batch_prefill_tokens or max(4096, length)
    element = dtype_bytes(activation_dtype(model, options))
    tp = options.tensor_parallel_size
    weights = options.weights_gib if options.weights_gib is not None else weight_bytes(model, options) / GIB
    activation = forward_peak_bytes(model, prefill, tp, element, constants) / GIB
    non_torch = constants.non_torch_gib["single" if tp == 1 else "parallel"] + gpu.context_gib
    usable = (options.cuda_memory_fraction or 1.0) * gpu.total_gib * 0.95
    left = usable - weights - activation - non_torch
    tokens = max(0, int(left * GIB / kv_bytes_per_token(model, options)))
    reasons = ()
    if tokens < length:
        reasons = (f"the KV cache holds {tokens} tokens and one request may take {length}",)
    uncertainty = constants.uncertainty["floorGib"] * 2
    needed = length * kv_bytes_per_token(model, options) / GIB
    return Fit(
        fits=not reasons, margin_is_uncertain=abs(left - needed) < uncertainty, weights_gib=weights,
        activation_gib=activation, non_torch_gib=non_torch, cuda_graph_gib=0.0, workspace_gib=0.0, kv_cache_gib=left,
        kv_cache_tokens=tokens, max_concurrency=tokens / length, max_model_len=length,
        largest_max_model_len=min(tokens, max(length, model.max_position_embeddings)), usable_gib=usable,
        total_gib=gpu.total_gib, uncertainty_gib=uncertainty, reasons=reasons,
    )
