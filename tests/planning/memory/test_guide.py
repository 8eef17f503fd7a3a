"""What the GKE guide says of Gemma 7B on an L4 comes out, and what current engines give instead."""

import pytest

from l4serve.planning.machines.gpus import find_gpu
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.models.catalogue import find_model

L4 = find_gpu("nvidia-l4")
assert L4 is not None
ENGINE_OF_THE_GUIDE = "0.4.0"


def gemma(version: str, **asked: object) -> Fit:
    model = find_model("google/gemma-7b")
    assert model is not None
    return estimate(model, L4, ServingOptions(engine="vllm", engine_version=version, **asked))  # type: ignore[arg-type]


def test_the_engine_of_the_guide_refuses_the_default_context_and_names_hundreds_of_tokens() -> None:
    fit = gemma(ENGINE_OF_THE_GUIDE)
    assert fit.max_model_len == 8192
    assert not fit.fits
    assert 100 <= fit.largest_max_model_len < 1000


def test_an_eight_bit_cache_doubles_what_fits() -> None:
    plain, halved = gemma(ENGINE_OF_THE_GUIDE), gemma(ENGINE_OF_THE_GUIDE, kv_cache_dtype="fp8_e5m2")
    assert halved.kv_cache_tokens == pytest.approx(2 * plain.kv_cache_tokens, rel=0.06)


@pytest.mark.parametrize(("length", "cache"), [(600, None), (1200, "fp8_e5m2")])
@pytest.mark.parametrize("version", [ENGINE_OF_THE_GUIDE, "0.6.6", "0.10.0"])
def test_the_guides_limits_run(version: str, length: int, cache: str | None) -> None:
    assert gemma(version, max_model_len=length, kv_cache_dtype=cache).fits


def test_the_guides_image_still_refuses_the_default_context() -> None:
    assert not gemma("0.10.0").fits


def test_two_cards_serve_the_whole_context() -> None:
    assert gemma("0.10.0", tensor_parallel_size=2).fits


def test_tgi_needs_its_small_prefill_for_gemma_on_one_card() -> None:
    model = find_model("google/gemma-7b")
    assert model is not None
    small = ServingOptions(
        engine="tgi",
        engine_version="2.3.1",
        max_total_tokens=3072,
        max_batch_prefill_tokens=512,
        max_input_tokens=512,
    )
    assert estimate(model, L4, small).fits
    assert not estimate(model, L4, ServingOptions(engine="tgi", engine_version="2.3.1")).fits


def test_tgi_reports_what_is_left_for_the_cache_also_when_the_warm_up_does_not_fit() -> None:
    model = find_model("google/gemma-7b")
    assert model is not None
    fit = estimate(model, L4, ServingOptions(engine="tgi", engine_version="3.3.7"))
    assert not fit.fits
    left = fit.total_gib - fit.weights_gib - fit.non_torch_gib - fit.activation_gib
    assert fit.kv_room_gib == pytest.approx(left)
    assert fit.kv_cache_tokens == 0
