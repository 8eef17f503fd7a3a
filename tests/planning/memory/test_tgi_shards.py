"""TGI over several shards: what its gathered head holds, and the allowance for what its source does not tell."""

from dataclasses import replace

import pytest

from l4serve.planning.machines.gpus import Gpu, find_gpu
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.models.catalogue import find_model


def card(name: str, **changed: float) -> Gpu:
    found = find_gpu(name)
    assert found is not None
    return replace(found, **changed)  # type: ignore[arg-type]


def fit(gpu: Gpu, version: str, shards: int, model: str = "meta-llama/Llama-3.1-70B-Instruct", **limits: int) -> Fit:
    shape = find_model(model)
    assert shape is not None
    options = ServingOptions(engine="tgi", engine_version=version, tensor_parallel_size=shards, **limits)  # type: ignore[arg-type]
    return estimate(shape, gpu, options)


def test_a_prefill_that_died_in_its_softmax_on_four_cards_is_no_sure_fit() -> None:
    """text-generation-inference issue 2301: four A6000 of 47.53 GiB, 16k of input, 32k in all; out of memory."""
    a6000 = card("nvidia-l4", total_gib=47.53, lowest_total_gib=47.53, fp16_tflops=155.0)
    answer = fit(a6000, "2.2.0", 4, max_input_tokens=16_384, max_total_tokens=32_768)
    assert not answer.fits


def test_a_cache_over_several_shards_is_counted_with_what_a_public_start_lacked() -> None:
    """Issue 2744: 30,816 tokens on two A100 80GB."""
    answer = fit(card("nvidia-a100-80gb"), "2.4.0", 2)
    assert answer.fits
    assert "count on 31,019 tokens" in answer.notes[0]
    assert answer.activation_gib > 3


def test_what_collectives_keep_follows_layers_width_and_prefill() -> None:
    """A queued prefill keeps two hidden states for each layer, whatever the card; nothing on one card."""
    a100 = card("nvidia-a100-80gb")

    def kept(model: str, shards: int, prefill: int) -> float:
        asked = fit(a100, "3.3.7", shards, model, max_total_tokens=4096, max_batch_prefill_tokens=prefill)
        return float(asked.notes[0].split()[0]) if asked.notes else 0.0

    assert kept("meta-llama/Llama-3.1-8B", 1, 4096) == 0
    assert kept("meta-llama/Llama-3.1-8B", 2, 4096) == pytest.approx(0.42 * 2 * 32 * 4096 * 4096 * 2 / 2**30, abs=0.06)
    assert kept("meta-llama/Llama-3.1-8B", 2, 8192) == pytest.approx(
        2 * kept("meta-llama/Llama-3.1-8B", 2, 4096), abs=0.1
    )
    assert kept("meta-llama/Llama-3.1-70B-Instruct", 4, 4096) > 4 * kept("meta-llama/Llama-3.1-8B", 4, 4096)


@pytest.mark.parametrize(("length", "sure"), [(4096, True), (10_752, False)])
def test_a_fit_by_less_than_that_is_uncertain(length: int, sure: bool) -> None:
    answer = fit(card("nvidia-a100-80gb"), "2.4.0", 2, max_total_tokens=length)
    assert answer.fits
    assert answer.margin_is_uncertain is not sure


def test_one_card_and_the_releases_without_prompt_logits_gather_nothing() -> None:
    one = fit(card("nvidia-l4"), "2.4.0", 1, "Qwen/Qwen2.5-7B-Instruct", max_total_tokens=4096)
    assert one.notes == ()
    new = fit(card("nvidia-a100-80gb"), "3.3.7", 2, max_total_tokens=4096, max_batch_prefill_tokens=4096)
    assert new.activation_gib < 1


def test_the_blocks_that_the_warm_up_held_are_left_in_any_case() -> None:
    """Issue 2083: Mixtral-8x22B on four H100 had 42,768 tokens and was told to count on none, beside a fit."""
    asked = {"max_input_tokens": 35_000, "max_batch_prefill_tokens": 35_000, "max_total_tokens": 36_864}
    answer = fit(card("nvidia-h100-80gb"), "2.0.4", 4, "mistralai/Mixtral-8x22B-Instruct-v0.1", **asked)
    assert answer.fits
    assert "count on 36,864 tokens" in answer.notes[0]
