"""Hypothesis strategies for models, cards and options that the memory model can judge."""

from __future__ import annotations

from hypothesis import strategies as st

from l4serve.planning.machines.gpus import all_gpus
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.models.catalogue import all_models

# Mamba is judged by some releases only.
JUDGED = [model for model in all_models() if not model.is_mamba]
MODELS = st.sampled_from(JUDGED)
TGI_MODELS = st.sampled_from([model for model in JUDGED if not model.encoder_positions])
DENSE_MODELS = st.sampled_from([model for model in JUDGED if model.quantization is None])
GPUS = st.sampled_from(list(all_gpus().values()))
VLLM_VERSIONS = st.sampled_from(
    ["0.4.2", "0.6.6", "0.8.5", "0.10.0", "0.13.0", "0.18.0", "0.20.0", "0.24.0", "0.26.0", "0.33.0"]
)
TGI_VERSIONS = st.sampled_from(["2.0.4", "2.3.1", "2.4.1", "3.0.0", "3.3.7"])
LENGTHS = st.integers(min_value=16, max_value=131072)


@st.composite
def vllm_options(draw: st.DrawFn) -> ServingOptions:
    """Options of a vLLM server, every batch limit written out."""
    return ServingOptions(
        engine="vllm",
        engine_version=draw(VLLM_VERSIONS),
        tensor_parallel_size=draw(st.sampled_from([1, 2, 4, 8])),
        kv_cache_dtype=draw(st.sampled_from([None, "auto", "fp8", "fp8_e5m2"])),
        max_model_len=draw(LENGTHS),
        max_num_seqs=draw(st.integers(min_value=1, max_value=1024)),
        max_num_batched_tokens=draw(st.integers(min_value=256, max_value=16384)),
        gpu_memory_utilization=draw(st.floats(min_value=0.3, max_value=0.95)),
        enforce_eager=draw(st.booleans()),
    )


@st.composite
def tgi_options(draw: st.DrawFn) -> ServingOptions:
    """Options of a TGI server."""
    total = draw(st.integers(min_value=64, max_value=32768))
    return ServingOptions(
        engine="tgi",
        engine_version=draw(TGI_VERSIONS),
        tensor_parallel_size=draw(st.sampled_from([1, 2, 4])),
        max_total_tokens=total,
        max_input_tokens=draw(st.integers(min_value=16, max_value=total - 1)),
        max_batch_prefill_tokens=draw(st.integers(min_value=64, max_value=16384)),
    )
