"""What a vision tower is profiled with: pictures, videos as long as the context, frames of Gemma 4."""

from typing import Any

import pytest

from l4serve.planning.machines.gpus import find_gpu
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.fit import Fit
from l4serve.planning.memory.generations import vllm_generation
from l4serve.planning.memory.options import ServingOptions
from l4serve.planning.memory.rank_parameters import rank_parameters
from l4serve.planning.memory.remedies import remedies
from l4serve.planning.memory.towers import largest_item_tokens, padded_item
from l4serve.planning.memory.vllm_towers import has_unread_tower
from l4serve.planning.models.catalogue import find_model
from l4serve.planning.models.hf_config import shape_from_config
from l4serve.planning.models.model_shape import ModelShape

QWEN = "Qwen/Qwen2.5-VL-7B-Instruct"


def shape(name: str) -> ModelShape:
    found = find_model(name)
    assert found is not None
    return found


def fit(name: str, version: str, accelerator: str = "nvidia-a100-80gb", **asked: Any) -> Fit:
    gpu = find_gpu(accelerator)
    assert gpu is not None
    return estimate(shape(name), gpu, ServingOptions(engine="vllm", engine_version=version, **asked))


@pytest.mark.parametrize(
    ("version", "length", "limits", "pictures"),
    [
        ("0.11.2", 8192, None, 1),
        ("0.11.2", 32768, None, 2),
        ("0.11.2", 128000, None, 7),
        ("0.11.2", 128000, {"image": 1, "video": 0}, 1),
        ("0.10.2", 128000, None, 7),
        ("0.10.0", 32768, None, 1),
        ("0.10.0", 49152, None, 2),
        ("0.10.0", 128000, {"image": 0}, 7),
        ("0.8.5", 163840, None, 8),
    ],
)
def test_a_video_takes_as_many_pictures_as_the_context_holds(
    version: str, length: int, limits: dict[str, int] | None, pictures: int
) -> None:
    options = ServingOptions(engine="vllm", engine_version=version, multimodal_limits=limits)
    assert largest_item_tokens(shape(QWEN), options, length, vllm_generation(version)) == pictures * 16384


def test_a_long_context_costs_what_its_videos_take() -> None:
    short, long = (fit(QWEN, "0.29.0", max_model_len=length) for length in (8192, 128000))
    assert long.activation_gib > 6 * short.activation_gib
    no_video = fit(QWEN, "0.29.0", max_model_len=128000, multimodal_limits={"video": 0})
    assert no_video.activation_gib == short.activation_gib


def test_other_towers_have_one_largest_picture() -> None:
    options = ServingOptions(engine="vllm", engine_version="0.29.0")
    found = {largest_item_tokens(shape("Qwen/Qwen3-VL-8B-Instruct"), options, n, vllm_generation("0.29.0"))
             for n in (8192, 128000)}  # fmt: skip
    assert len(found) == 1


def test_what_a_tower_hands_on_was_once_padded_to_the_encoders_budget() -> None:
    """A start of 0.11.0 on a card of 79.10 GiB (8,192 tokens, 1,024 sequences) printed 8.04 GiB and 87,840 tokens."""
    card, model = find_gpu("nvidia-h100-80gb"), shape("Qwen/Qwen3-VL-30B-A3B-Instruct")
    assert card is not None

    def kept(version: str, limits: dict[str, int] | None = None) -> Fit:
        options = ServingOptions(
            engine="vllm",
            engine_version=version,
            max_model_len=81920,
            multimodal_limits=limits,
            default_max_num_batched_tokens=8192,
            default_max_num_seqs=1024,
        )
        return estimate(model, card.with_total(79.10), options)

    assert kept("0.11.0").kv_room_gib == pytest.approx(8.04, abs=0.05)
    assert kept("0.11.0").kv_cache_tokens == pytest.approx(87840, rel=0.005)
    assert kept("0.11.0", {"video": 0}).activation_gib < kept("0.11.0").activation_gib - 2
    assert kept("0.13.0").activation_gib < kept("0.12.0").activation_gib - 1.5


def test_each_small_picture_was_padded_to_the_batch() -> None:
    options = ServingOptions(engine="vllm", engine_version="0.12.0")
    gemma, batch = shape("google/gemma-3-4b-it"), 8192
    assert padded_item(gemma, options, 256, batch, vllm_generation("0.12.0")) == batch
    assert padded_item(gemma, options, 256, batch, vllm_generation("0.13.0")) == 256
    assert padded_item(gemma, options, 256, batch, vllm_generation("0.10.2")) == 256


def test_gemma_4_encodes_frames_together_since_0_22() -> None:
    """A frame's positions are 2 x 630 x 10,240 numbers of 8 bytes and of 2; a tenth of the card bounds how many."""
    alone, together = (fit("google/gemma-4-26B-A4B-it", v, max_model_len=8192) for v in ("0.20.0", "0.22.0"))
    assert together.activation_gib > alone.activation_gib + 1
    assert together.activation_gib < 0.1 * together.total_gib
    assert together.uncertainty_gib > alone.uncertainty_gib


def test_a_tower_of_transformers_lies_whole_on_every_rank() -> None:
    gemma, qwen = shape("google/gemma-4-26B-A4B-it"), shape(QWEN)
    assert rank_parameters(gemma, 4).vision == rank_parameters(gemma, 1).vision
    assert rank_parameters(qwen, 4).vision == rank_parameters(qwen, 1).vision // 4


@pytest.mark.parametrize(
    ("name", "billions"),
    [("google/gemma-4-E2B-it", 5.1), ("google/gemma-4-E4B-it", 8.0), ("google/gemma-4-31B-it", 31.3)],
)
def test_parameters_of_gemma_4_are_those_of_its_card(name: str, billions: float) -> None:
    assert rank_parameters(shape(name)).total / 1e9 == pytest.approx(billions, rel=0.01)


def test_smaller_pictures_make_longer_videos_as_was_measured() -> None:
    """v08 in benchmarks/gpu/records.jsonl: 12,374,787,536 bytes of cache on vLLM 0.26.0 by V1, with 1,003,520 pixels.

    A picture is 1,280 tokens then, of which a context of 8,192 holds six; unbounded it is 16,384 (v01: 11,302,284,240).
    """
    asked: dict[str, Any] = {"max_model_len": 8192, "gpu_memory_utilization": 0.9, "enforce_eager": True}
    limits: dict[str, Any] = {"max_num_seqs": 256, "max_num_batched_tokens": 2048, "v2_model_runner": False}
    for pixels, measured in ((1_003_520, 12_374_787_536), (None, 11_302_284_240)):
        found = fit("Qwen/Qwen2.5-VL-3B-Instruct", "0.26.0", "nvidia-l4", max_pixels=pixels, **asked, **limits)
        assert found.kv_room_gib * 2**30 == pytest.approx(measured, rel=0.02)


def test_v0_profiles_a_prompt_with_every_item_in_one_piece() -> None:
    """On a card of 24 GB vLLM 0.8.4's V0 left 2,400 tokens (https://github.com/gpustack/gpustack/issues/1800)."""
    asked: dict[str, Any] = {"max_model_len": 8192, "accelerator": "nvidia-rtx-3090"}
    by_v0 = fit(QWEN, "0.8.4", v1_engine=False, **asked)
    assert not by_v0.fits
    assert by_v0.kv_cache_tokens < 8192
    assert fit(QWEN, "0.8.4", **asked).fits
    assert fit(QWEN, "0.8.4", v1_engine=False, multimodal_limits={"video": 0}, **asked).kv_cache_tokens > 8192
    text = fit(QWEN, "0.8.4", v1_engine=False, multimodal_limits={"image": 0, "video": 0}, **asked)
    assert text.activation_gib < by_v0.activation_gib / 2


@pytest.mark.parametrize(
    ("version", "changes", "refused"),
    [
        ("0.19.1", {}, False),
        ("0.20.0", {}, True),
        ("0.20.0", {"max_num_batched_tokens": 4096}, False),
        ("0.21.0", {"multimodal_limits": {"video": 0}}, False),
        ("0.21.0", {"language_model_only": True}, False),
        ("0.22.0", {}, False),
        ("0.22.0", {"max_num_batched_tokens": 2048}, True),
        ("0.26.0", {"max_model_len": 2048, "max_num_seqs": 1}, True),
    ],
)
def test_a_step_holds_the_whole_of_a_video_that_is_read_both_ways(
    version: str, changes: dict[str, Any], refused: bool
) -> None:
    card = find_gpu("nvidia-a100-80gb")
    assert card is not None
    whole, split = shape("google/gemma-4-26B-A4B-it"), shape("google/gemma-4-E4B-it")
    asked: dict[str, Any] = {"max_model_len": 8192, "max_num_seqs": 16, **changes}
    options = ServingOptions(engine="vllm", engine_version=version, **asked)
    assert any("a whole video of 2496 tokens" in reason for reason in estimate(whole, card, options).reasons) == refused
    assert estimate(split, card, options).fits
    told = [dict(found.edit) for found in remedies(whole, card, options, gpus_available=(1,))] if refused else []
    assert told == ([{"engine.maxNumBatchedTokens": 3072}] if refused else [])


@pytest.mark.parametrize(
    ("version", "changes", "refused"),
    [
        ("0.13.0", {"max_num_batched_tokens": 128}, True),
        ("0.26.0", {"max_num_batched_tokens": 128}, True),
        ("0.12.0", {"max_num_batched_tokens": 128}, False),
        ("0.26.0", {"max_num_batched_tokens": 256}, False),
        ("0.26.0", {"max_num_batched_tokens": 128, "multimodal_limits": {"image": 0}}, False),
    ],
)
def test_a_step_holds_the_whole_of_a_picture_of_gemma_3(version: str, changes: dict[str, Any], refused: bool) -> None:
    found = fit("google/gemma-3-4b-it", version, max_model_len=4096, max_num_seqs=16, **changes)
    assert any("a whole picture of 256 tokens" in reason for reason in found.reasons) == refused


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"max_num_batched_tokens": 8192}, True),
        ({"max_num_batched_tokens": 16384}, False),
        ({"max_num_batched_tokens": 8192, "multimodal_limits": {"image": 0, "video": 0}}, False),
        ({"max_num_batched_tokens": 8192, "whole_items": False}, False),
    ],
)
def test_an_operator_who_splits_no_item_needs_a_step_that_holds_the_largest(
    changes: dict[str, Any], refused: bool
) -> None:
    asked: dict[str, Any] = {"max_model_len": 16384, "max_num_seqs": 16, "whole_items": True, **changes}
    found = fit(QWEN, "0.26.0", **asked)
    assert any("of 16384 tokens and has 8192" in reason for reason in found.reasons) == refused
    if refused:
        card = find_gpu("nvidia-a100-80gb")
        assert card is not None
        options = ServingOptions(engine="vllm", engine_version="0.26.0", **asked)
        told = [dict(other.edit) for other in remedies(shape(QWEN), card, options, gpus_available=(1,))]
        assert {"engine.maxNumBatchedTokens": 16384} in told


def test_the_longest_context_is_one_that_is_judged_to_fit() -> None:
    """Before, the profile at the judged length told it: up to 38,944 tokens, of which 32,768 do not fit."""
    for version, asked in (("0.11.0", 32768), ("0.13.0", 20000), ("0.13.0", None), ("0.8.5", 128000)):
        options = {"max_model_len": asked, "gpu_memory_utilization": 0.9}
        longest = fit("Qwen/Qwen2.5-VL-7B-Instruct", version, "nvidia-l4", **options).largest_max_model_len
        assert 30000 < longest < 40000
        for length, fits in ((longest, True), (longest + 64, False)):
            options["max_model_len"] = length
            assert fit("Qwen/Qwen2.5-VL-7B-Instruct", version, "nvidia-l4", **options).fits == fits


@pytest.mark.parametrize(
    ("version", "card", "masked"),
    [
        ("0.8.3", "nvidia-a100-80gb", False),
        ("0.11.2", "nvidia-h100-80gb", False),
        ("0.11.2", "nvidia-rtx-pro-6000", True),
        ("0.12.0", "nvidia-h100-80gb", True),
    ],
)
def test_pixtral_needs_no_mask_where_the_image_has_xformers(version: str, card: str, *, masked: bool) -> None:
    asked = {"max_model_len": 65536, "max_num_batched_tokens": 49280, "multimodal_limits": {"image": 16}}
    found = fit("mistralai/Mistral-Small-3.1-24B-Instruct-2503", version, card, **asked)
    assert (found.activation_gib > 70) is masked
    assert found.activation_gib < 12 or masked


@pytest.mark.parametrize(
    ("version", "unread"),
    [("0.10.2", True), ("0.10.2rc1", True), ("0.10", True), ("0.11.0", False), ("0.99.0", False)],
)
def test_a_candidate_has_the_classes_of_the_release_that_it_became(version: str, *, unread: bool) -> None:
    """Llama 3.2 Vision left vLLM with 0.11.0; a file that says nothing of its tower leaves the profile unknown."""
    text = {"hidden_size": 1024, "num_hidden_layers": 4, "num_attention_heads": 8, "vocab_size": 32000}
    blind = shape_from_config(
        {**text, "architectures": ["MllamaForConditionalGeneration"], "intermediate_size": 4096},
        model_id="acme/seeing",
        source="made up",
    )
    assert has_unread_tower(blind, ServingOptions(engine="vllm", engine_version=version)) is unread


def test_what_sees_without_a_tower_is_judged_by_its_pictures() -> None:
    """google/gemma-4-12B-it-qat-w4a16-ct took 8.28 GiB on a card and held two contexts of 262,144 in 11 GiB."""
    model = shape("google/gemma-4-12B-it-qat-w4a16-ct")
    assert not has_unread_tower(model, ServingOptions(engine="vllm", engine_version="0.23.0"))
    judged = fit(model.id, "0.23.0", "nvidia-l4", max_model_len=131072)
    assert judged.weights_gib == pytest.approx(8.28, rel=0.03)
    assert judged.uncertainty_gib < 1
    assert judged.fits
