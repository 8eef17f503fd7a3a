"""Remedies fit when they are applied, and come cheapest first."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from l4serve.planning.machines.gpus import Gpu, find_gpu
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.options import LoraOptions, ServingOptions
from l4serve.planning.memory.remedies import remedies
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.models.model_shape import ModelShape
from tests.planning.memory.strategies import GPUS, MODELS, TGI_MODELS, tgi_options, vllm_options

L4 = find_gpu("nvidia-l4")
assert L4 is not None
FIELD_OF_KEY = {
    "engine.maxModelLen": "max_model_len",
    "engine.maxNumSeqs": "max_num_seqs",
    "engine.maxNumBatchedTokens": "max_num_batched_tokens",
    "engine.gpuMemoryUtilization": "gpu_memory_utilization",
    "engine.kvCacheDtype": "kv_cache_dtype",
    "engine.enforceEager": "enforce_eager",
    "engine.speculativeConfig.num_speculative_tokens": "num_speculative_tokens",
    "engine.quantization": "quantization",
    "engine.quantize": "quantization",
    "engine.tensorParallelSize": "tensor_parallel_size",
    "engine.numShard": "tensor_parallel_size",
    "engine.maxTotalTokens": "max_total_tokens",
    "engine.maxInputTokens": "max_input_tokens",
    "engine.maxBatchPrefillTokens": "max_batch_prefill_tokens",
    "engine.numGpuBlocksOverride": "gpu_blocks",
    "engine.cpuOffloadGb": "cpu_offload_gib",
}


def applied(options: ServingOptions, edit: dict[str, Any]) -> ServingOptions:
    """The options that a config with this edit leads to."""
    return replace(options, **{FIELD_OF_KEY[key]: value for key, value in edit.items() if key in FIELD_OF_KEY})


@given(st.tuples(MODELS, vllm_options()) | st.tuples(TGI_MODELS, tgi_options()), GPUS)
@settings(max_examples=150, deadline=None)
def test_each_remedy_fits_when_it_is_applied(served_as: tuple[ModelShape, ServingOptions], gpu: Gpu) -> None:
    model, options = served_as
    for remedy in remedies(model, gpu, options):
        served = find_model(str(remedy.edit["model.id"])) if "model.id" in remedy.edit else model
        assert served is not None
        assert set(remedy.edit) <= {*FIELD_OF_KEY, "gpus", "model.id"}
        after = estimate(served, gpu, applied(options, dict(remedy.edit)))
        assert after == remedy.fit_after
        assert after.fits


@given(MODELS, vllm_options())
@settings(max_examples=100, deadline=None)
def test_remedies_come_in_order_of_money_then_quality(model: ModelShape, options: ServingOptions) -> None:
    order = [(r.extra_gpus, r.quality_cost) for r in remedies(model, L4, options)]
    assert order == sorted(order)


@given(MODELS, vllm_options())
@settings(max_examples=100, deadline=None)
def test_no_remedy_asks_for_gpus_that_are_not_there(model: ModelShape, options: ServingOptions) -> None:
    ranks = options.tensor_parallel_size
    assert all(not r.extra_gpus for r in remedies(model, L4, options, gpus_available=(ranks,)))


def test_a_context_too_long_is_cut_and_a_model_too_large_is_spread() -> None:
    llama = find_model("meta-llama/Llama-3.1-8B-Instruct")
    assert llama is not None
    edits = [dict(r.edit) for r in remedies(llama, L4, ServingOptions(engine="vllm", engine_version="0.26.0"))]
    assert any(set(edit) == {"engine.maxModelLen"} for edit in edits)
    assert {"gpus": 2, "engine.tensorParallelSize": 2} in edits


def test_nothing_is_offered_where_nothing_helps() -> None:
    model = find_model("meta-llama/Llama-3.3-70B-Instruct")
    t4 = find_gpu("nvidia-tesla-t4")
    assert model is not None
    assert t4 is not None
    assert remedies(model, t4, ServingOptions(engine="vllm", engine_version="0.26.0"), gpus_available=(1,)) == ()


@pytest.mark.parametrize(("version", "offered"), [("0.13.0", False), ("0.26.0", True)])
def test_fp8_weights_are_offered_on_an_old_card_once_a_release_runs_them_there(version: str, offered: bool) -> None:
    model = find_model("Qwen/Qwen2.5-7B-Instruct")
    t4 = find_gpu("nvidia-tesla-t4")
    assert model is not None
    assert t4 is not None
    found = remedies(model, t4, ServingOptions(engine="vllm", engine_version=version))
    assert any(edit.edit.get("engine.quantization") == "fp8" for edit in found) is offered


@pytest.mark.parametrize("engine_version", ["2.3.1", "3.3.7"])
def test_tgi_remedies_speak_tgi(engine_version: str) -> None:
    model = find_model("google/gemma-7b")
    assert model is not None
    found = remedies(model, L4, ServingOptions(engine="tgi", engine_version=engine_version))
    assert found
    spoken = {key for r in found for key in r.edit}
    assert spoken <= {"gpus", "model.id", "engine.numShard", "engine.quantize", "engine.kvCacheDtype"} | {
        key for key in FIELD_OF_KEY if key.startswith(("engine.maxTotal", "engine.maxInput", "engine.maxBatch"))
    }


def test_a_checkpoint_in_fewer_bits_is_offered() -> None:
    model = find_model("Qwen/Qwen2.5-14B-Instruct")
    assert model is not None
    options = ServingOptions(engine="vllm", engine_version="0.26.0", max_model_len=8192)
    offered = [r.edit.get("model.id") for r in remedies(model, L4, options)]
    assert "Qwen/Qwen2.5-14B-Instruct-GPTQ-Int8" in offered
    base = find_model("Qwen/Qwen2.5-14B")
    assert base is not None
    assert all("model.id" not in r.edit for r in remedies(base, L4, options))


@pytest.mark.parametrize(
    ("version", "model", "length", "gib"),
    [
        ("0.10.0", "Qwen/Qwen2.5-14B-Instruct", 8192, 12),
        ("0.28.0", "Qwen/Qwen2.5-14B-Instruct", 8192, 12),
        ("0.26.0", "Qwen/Qwen2.5-14B-Instruct", 8192, None),
        ("0.10.0", "meta-llama/Llama-3.1-8B-Instruct", 131_072, None),
        ("0.10.0", "meta-llama/Llama-3.3-70B-Instruct", 8192, None),
    ],
    ids=["first to fit", "second runner offloads", "second runner ignores it", "cache is short", "most is on the host"],
)
def test_weights_too_large_for_the_card_may_lie_on_the_host_where_the_release_moves_them(
    version: str, model: str, length: int, gib: int | None
) -> None:
    shape = find_model(model)
    assert shape is not None
    found = remedies(shape, L4, ServingOptions(engine="vllm", engine_version=version, max_model_len=length))
    offered = [r for r in found if "engine.cpuOffloadGb" in r.edit]
    assert [dict(r.edit) for r in offered] == ([{"engine.cpuOffloadGb": gib}] if gib else [])
    assert all(
        r.quality_cost > other.quality_cost
        for r in offered
        for other in found
        if not other.extra_gpus and other is not r
    )


@pytest.mark.parametrize(
    ("stated", "key", "value"),
    [
        ({"gpu_blocks": 100}, "engine.numGpuBlocksOverride", 512),
        ({"kv_cache_memory_bytes": 100 * 2**20}, "engine.kvCacheMemoryBytes", "448M"),
    ],
)
def test_a_stated_cache_that_holds_no_sequence_is_raised_to_the_least_that_does(
    stated: dict[str, int], key: str, value: object
) -> None:
    qwen = find_model("Qwen/Qwen2.5-7B-Instruct")
    assert qwen is not None
    options = ServingOptions(engine="vllm", engine_version="0.26.0", max_model_len=8192, **stated)  # type: ignore[arg-type]
    first = remedies(qwen, L4, options)[0]
    assert dict(first.edit) == {key: value}
    assert first.fit_after.max_concurrency >= 1


def test_a_stated_cache_that_the_card_has_no_place_for_is_lowered_to_the_most_that_it_has() -> None:
    qwen = find_model("Qwen/Qwen2.5-7B-Instruct")
    assert qwen is not None
    options = ServingOptions(engine="vllm", engine_version="0.26.0", max_model_len=8192, gpu_blocks=100_000)
    found = remedies(qwen, L4, options)[0]
    size = found.edit["engine.numGpuBlocksOverride"]
    assert isinstance(size, int) and 512 < size < 100_000 and found.fit_after.fits
    more = estimate(qwen, L4, replace(options, gpu_blocks=size + 1))
    assert not more.fits or more.margin_is_uncertain
    assert "numGpuBlocksOverride" in estimate(qwen, L4, replace(options, gpu_blocks=100)).reasons[0]


def test_fewer_adapters_at_once_are_offered_where_they_fit() -> None:
    model = find_model("meta-llama/Llama-3.1-8B-Instruct")
    assert model is not None
    options = ServingOptions(
        engine="vllm", engine_version="0.26.0", max_model_len=16384, lora=LoraOptions(max_loras=16, max_lora_rank=64)
    )
    fewer = next(r for r in remedies(model, L4, options) if "engine.lora.maxLoras" in r.edit)
    loras = fewer.edit["engine.lora.maxLoras"]
    assert isinstance(loras, int)
    assert 1 <= loras < 16
    after = estimate(model, L4, replace(options, lora=LoraOptions(max_loras=loras, max_lora_rank=64)))
    assert after == fewer.fit_after
    assert after.fits


@pytest.mark.parametrize("length", [32768, None])
@pytest.mark.parametrize("version", ["0.11.0", "0.13.0"])
def test_a_context_of_a_vision_model_is_cut_no_shorter_than_it_must_be(version: str, length: int | None) -> None:
    """Before, to 1,120 tokens by the profile of the long context, or not at all."""
    model = find_model("Qwen/Qwen2.5-VL-7B-Instruct")
    assert model is not None and L4 is not None
    options = ServingOptions(engine="vllm", engine_version=version, max_model_len=length)
    found = [r for r in remedies(model, L4, options, gpus_available=(1,)) if set(r.edit) == {"engine.maxModelLen"}]
    (cut,) = (int(str(remedy.edit["engine.maxModelLen"])) for remedy in found)
    for tried, sure in ((cut, True), (cut + 256, False)):
        fit = estimate(model, L4, replace(options, max_model_len=tried))
        assert (fit.fits and not fit.margin_is_uncertain) == sure
    assert found[0].fit_after.largest_max_model_len < 32768
