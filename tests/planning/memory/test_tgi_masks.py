"""TGI prefills Gemma 3 under a mask of every pair of a prompt's tokens, and before 3.3 by plain attention."""

from typing import Any

import pytest

from l4serve.engines.traits import ModelTraits
from l4serve.planning.machines.gpus import find_gpu
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.remedies import remedies
from l4serve.planning.models.catalogue import find_model
from tests.engines.rule_cases import GEMMA, L4, QWEN, T4, errors, like
from tests.planning.memory.fits import fit_on


def options(version: str, shards: int = 1, **limits: Any) -> ServingOptions:
    return ServingOptions(engine="tgi", engine_version=version, tensor_parallel_size=shards, **limits)


LONG = {"max_input_tokens": 30_000, "max_total_tokens": 32_000, "max_batch_prefill_tokens": 31_000}


def test_the_prefill_that_was_refused_on_four_cards_is_refused() -> None:
    """https://github.com/huggingface/text-generation-inference/issues/3130"""
    answer = fit_on("nvidia-a100-80gb", "google/gemma-3-27b-it", options("3.2.1", 4, **LONG))
    assert not answer.fits
    assert "warm-up prefill of 31000 tokens" in answer.reasons[0]


def test_its_remedy_shortens_the_prompt_with_the_prefill() -> None:
    gpu, shape = find_gpu("nvidia-a100-80gb"), find_model("google/gemma-3-27b-it")
    assert gpu is not None
    assert shape is not None
    edits = [remedy.edit for remedy in remedies(shape, gpu, options("3.2.1", 4, **LONG))]
    assert {"engine.maxInputTokens": 2048, "engine.maxBatchPrefillTokens": 2048} in edits


def test_what_the_engines_own_tests_serve_fits() -> None:
    """integration-tests/models/test_flash_gemma3.py of v3.3.7, on a card of 24 GB."""
    assert fit_on("nvidia-l4", "google/gemma-3-4b-it", options("3.3.7")).fits


def test_only_a_mask_grows_with_the_square_of_a_prompt() -> None:
    def grown(model: str, version: str) -> float:
        small, large = (
            fit_on("nvidia-h100-80gb", model, options(version, max_input_tokens=n, max_batch_prefill_tokens=n))
            for n in (4096, 8192)
        )
        return large.activation_gib / small.activation_gib

    assert grown("google/gemma-3-4b-it", "3.2.1") > 3
    assert grown("google/gemma-2-9b-it", "3.2.1") == pytest.approx(2, rel=0.05)


@pytest.mark.parametrize(
    ("model", "refused"),
    [
        (like(GEMMA, architecture="Gemma2ForCausalLM"), True),
        (like(GEMMA, architecture="Gemma3ForConditionalGeneration"), True),
        (GEMMA, False),
        (QWEN, False),
    ],
)
def test_windows_need_a_card_with_flash_attention_2(model: ModelTraits, *, refused: bool) -> None:
    assert ("tgi-windows-before-ampere" in errors("tgi", "3.2.1", model, gpu=T4)) == refused
    assert "tgi-windows-before-ampere" not in errors("tgi", "3.2.1", model, gpu=L4)
