"""More asked never needs less; more given never leaves less."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version

from l4serve.planning.machines.gpus import Gpu, find_gpu
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.generations import MemoryModelError
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.weights import weight_bytes
from l4serve.planning.models.catalogue import all_models
from l4serve.planning.models.model_shape import ModelShape
from tests.planning.memory.strategies import DENSE_MODELS, GPUS, MODELS, TGI_MODELS, tgi_options, vllm_options

L4 = find_gpu("nvidia-l4")
assert L4 is not None


def of_one_item(model: ModelShape) -> bool:
    """Whether what a tower is profiled with stays as the context grows.

    Of videos that fill the context the profile encodes as many whole ones as the encoder's budget holds: of longer ones
    fewer (MultiModalBudget of vllm/multimodal/encoder_budget.py), so a longer context may leave a little more room.
    """
    return model.vision is None or not model.vision.fill_step


@given(MODELS.filter(of_one_item), GPUS, vllm_options(), st.integers(min_value=1, max_value=100_000))
@settings(max_examples=300, deadline=None)
def test_longer_context_never_fits_where_shorter_does_not(
    model: ModelShape, gpu: Gpu, options: ServingOptions, extra: int
) -> None:
    assert options.max_model_len is not None
    shorter = estimate(model, gpu, options)
    longer = estimate(model, gpu, replace(options, max_model_len=options.max_model_len + extra))
    assert longer.fits <= shorter.fits
    assert longer.kv_room_gib <= shorter.kv_room_gib + 1e-9
    assert longer.max_concurrency <= shorter.max_concurrency + 1e-9


@given(
    MODELS,
    GPUS,
    vllm_options(),
    st.sampled_from(["max_num_seqs", "max_num_batched_tokens"]),
    st.integers(min_value=1, max_value=4096),
)
@settings(max_examples=300, deadline=None)
def test_larger_batches_never_leave_more_cache(
    model: ModelShape, gpu: Gpu, options: ServingOptions, field: str, extra: int
) -> None:
    smaller = estimate(model, gpu, options)
    larger = estimate(model, gpu, replace(options, **{field: getattr(options, field) + extra}))
    assert larger.kv_room_gib <= smaller.kv_room_gib + 1e-9
    assert larger.activation_gib >= smaller.activation_gib - 1e-9


@given(MODELS, GPUS, vllm_options(), st.floats(min_value=0.0, max_value=0.05))
@settings(max_examples=200, deadline=None)
def test_more_utilisation_never_leaves_less_cache(
    model: ModelShape, gpu: Gpu, options: ServingOptions, extra: float
) -> None:
    assert options.gpu_memory_utilization is not None
    more = replace(options, gpu_memory_utilization=options.gpu_memory_utilization + extra)
    assert estimate(model, gpu, more).kv_room_gib >= estimate(model, gpu, options).kv_room_gib - 1e-9


@given(MODELS, GPUS, vllm_options())
@settings(max_examples=200, deadline=None)
def test_eight_bit_cache_never_holds_fewer_tokens_in_the_same_memory(
    model: ModelShape, gpu: Gpu, options: ServingOptions
) -> None:
    plain = estimate(model, gpu, replace(options, kv_cache_dtype="auto"))
    halved = estimate(model, gpu, replace(options, kv_cache_dtype="fp8"))
    # Before 0.11 an FP8 cache may fall back to the V0 engine, which keeps every token of windowed layers.
    windowed_by_v0 = model.sliding_window is not None and Version(options.engine_version) < Version("0.11")
    if windowed_by_v0 or plain.workspace_gib != halved.workspace_gib:
        return
    if plain.activation_gib == halved.activation_gib:
        assert halved.kv_cache_tokens >= plain.kv_cache_tokens


@given(DENSE_MODELS, st.sampled_from([1, 2, 4]))
@settings(max_examples=100, deadline=None)
def test_more_precision_never_weighs_less(model: ModelShape, ranks: int) -> None:
    def weigh(dtype: str | None, quantization: str | None) -> int:
        options = ServingOptions(
            engine="vllm",
            engine_version="0.26.0",
            tensor_parallel_size=ranks,
            dtype=dtype,
            quantization=quantization,
        )
        return weight_bytes(model, options)

    sizes = [
        weigh("bfloat16", "bitsandbytes"),
        weigh("bfloat16", "fp8"),
        weigh("bfloat16", None),
        weigh("float32", None),
    ]
    assert sizes == sorted(sizes)


@given(DENSE_MODELS, vllm_options())
@settings(max_examples=200, deadline=None)
def test_twice_the_ranks_never_leave_less_cache_than_the_collectives_cost(
    model: ModelShape, options: ServingOptions
) -> None:
    narrow = estimate(model, L4, options)
    wide = estimate(model, L4, replace(options, tensor_parallel_size=2 * options.tensor_parallel_size))
    buffers = wide.non_torch_gib - narrow.non_torch_gib
    assert wide.kv_room_gib >= narrow.kv_room_gib - max(0.0, buffers) - 1e-6


@given(TGI_MODELS, GPUS, tgi_options(), st.integers(min_value=1, max_value=4096))
@settings(max_examples=300, deadline=None)
def test_a_larger_prefill_never_fits_where_a_smaller_does_not(
    model: ModelShape, gpu: Gpu, options: ServingOptions, extra: int
) -> None:
    assert options.max_batch_prefill_tokens is not None
    larger = replace(options, max_batch_prefill_tokens=options.max_batch_prefill_tokens + extra)
    assert estimate(model, gpu, larger).activation_gib >= estimate(model, gpu, options).activation_gib - 1e-9
    if estimate(model, gpu, larger).fits:
        assert estimate(model, gpu, options).fits


@pytest.mark.parametrize("model", all_models(), ids=lambda m: m.id)
@pytest.mark.parametrize("version", ["0.5.4", "0.10.0", "0.26.0", "0.33.0"])
def test_every_catalogued_model_has_an_answer(model: ModelShape, version: str) -> None:
    options = ServingOptions(engine="vllm", engine_version=version)
    if model.is_mamba and Version(version) < Version("0.11"):
        with pytest.raises(MemoryModelError, match="V0"):
            estimate(model, L4, options)
        return
    answer = estimate(model, L4, options)
    assert answer.weights_gib > 0.03
    assert answer.activation_gib > 0
    assert answer.uncertainty_gib > 0
    assert answer.fits == (not answer.reasons)
    assert answer.fits == (answer.largest_max_model_len >= answer.max_model_len)
