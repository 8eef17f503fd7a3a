"""Weights follow from shapes, and agree with published and observed sizes."""

import json
from importlib.resources import files

import pytest

from l4serve.planning.machines.gpus import find_gpu
from l4serve.planning.memory.estimate import estimate
from l4serve.planning.memory.generations import MemoryModelError
from l4serve.planning.memory.options import LoraOptions, ServingOptions
from l4serve.planning.memory.quantizations import known_methods, weight_format
from l4serve.planning.memory.rank_parameters import rank_kv_heads, rank_parameters
from l4serve.planning.memory.weights import checkpoint_bytes, weight_bytes
from l4serve.planning.models.catalogue import all_models, find_model
from l4serve.planning.models.model_shape import ModelShape
from tests.each_case import each

GIB = 2**30
# A multi-token-prediction layer is in these checkpoints and is loaded for speculation only.
WITH_DRAFT_LAYER = ("Qwen/Qwen3.5-27B", "Qwen/Qwen3.5-35B-A3B")


def facts(model_id: str) -> ModelShape:
    model = find_model(model_id)
    assert model is not None, model_id
    return model


def weigh(model_id: str, **asked: object) -> float:
    return weight_bytes(facts(model_id), ServingOptions(engine="vllm", engine_version="0.26.0", **asked)) / GIB  # type: ignore[arg-type]


@each([m for m in all_models() if m.checkpoint_bytes], lambda m: m.id)
def test_published_sizes_agree(model: ModelShape) -> None:
    assert model.checkpoint_bytes is not None
    tolerance = 0.025 if model.id in WITH_DRAFT_LAYER else 0.0065
    assert checkpoint_bytes(model) == pytest.approx(model.checkpoint_bytes, rel=tolerance)


@pytest.mark.parametrize(
    ("model_id", "asked", "observed"),
    [
        ("meta-llama/Llama-3.1-8B", {}, 14.99),
        ("Qwen/Qwen3-8B", {}, 15.27),
        ("Qwen/Qwen3-8B-FP8", {}, 8.8),
        ("openai/gpt-oss-20b", {}, 13.72),
        ("Qwen/Qwen3-30B-A3B", {"tensor_parallel_size": 4, "dtype": "float16"}, 14.25),
        ("Qwen/Qwen3-8B", {"tensor_parallel_size": 4, "dtype": "float16"}, 3.85),
        ("microsoft/Phi-4-mini-instruct", {}, 7.17),
        ("google/gemma-4-E2B-it-qat-w4a16-ct", {}, 8.01),
    ],
)
def test_sizes_in_boot_logs_agree(model_id: str, asked: dict[str, object], observed: float) -> None:
    assert weigh(model_id, **asked) == pytest.approx(observed, rel=0.012)


def test_parameter_counts_are_the_published_ones() -> None:
    counts = {"google/gemma-7b": 8.54, "meta-llama/Llama-2-7b-hf": 6.74, "mistralai/Mixtral-8x7B-v0.1": 46.7}
    for model_id, billions in counts.items():
        assert rank_parameters(facts(model_id)).total / 1e9 == pytest.approx(billions, abs=0.01)


def test_eight_bits_halve_the_layers_and_leave_embedding_and_head() -> None:
    parameters = rank_parameters(facts("meta-llama/Llama-3.1-8B"))
    kept = (parameters.embedding + parameters.lm_head) * 2 / GIB
    layers = (parameters.attention + parameters.dense_mlp) / GIB
    rotary = 131072 * 128 * 2 / GIB
    assert weigh("meta-llama/Llama-3.1-8B", quantization="fp8") == pytest.approx(kept + layers + rotary, rel=0.001)


def test_four_bit_formats_carry_their_scales() -> None:
    awq, nf4 = (
        weigh("meta-llama/Llama-3.1-8B", quantization="awq"),
        weigh("meta-llama/Llama-3.1-8B", quantization="bitsandbytes"),
    )
    assert awq == pytest.approx(5.33 + 131072 * 128 * 2 / GIB, abs=0.02)
    assert nf4 > awq


@pytest.mark.parametrize(
    ("model_id", "bits"),
    [
        ("RedHatAI/Qwen3-8B-NVFP4", 4 + 8 / 16),
        ("RedHatAI/Qwen3.6-35B-A3B-NVFP4", 4 + 8 / 16),
        ("google/gemma-4-12B-it-qat-w4a16-ct", 4 + 16 / 32),
        ("RedHatAI/Meta-Llama-3.1-70B-Instruct-quantized.w4a16", 4 + 16 / 128),
    ],
)
def test_a_packed_float_of_four_bits_has_scales_of_eight(model_id: str, bits: float) -> None:
    stored = weight_format(facts(model_id), ServingOptions(engine="vllm", engine_version="0.26.0"))
    assert stored is not None
    assert stored.bits == bits


def test_kv_heads_divide_until_one_is_left() -> None:
    assert [rank_kv_heads(8, tp) for tp in (1, 2, 8, 16)] == [8, 4, 1, 1]
    falcon = facts("tiiuae/falcon-7b")
    assert rank_parameters(falcon, 2).attention > rank_parameters(falcon, 1).attention / 2


def test_pipeline_stages_share_the_layers() -> None:
    assert weigh("meta-llama/Llama-3.1-8B", pipeline_parallel_size=2) < 0.6 * weigh("meta-llama/Llama-3.1-8B")


@each(["meta-llama/Llama-3.1-8B", "Qwen/Qwen2.5-Math-PRM-7B", "Qwen/Qwen3-Embedding-0.6B"], str)
def test_what_answers_with_vectors_or_scores_has_no_head(model_id: str) -> None:
    """`_create_pooling_model_cls` of vLLM 0.8.0 and 0.11.0 deletes `lm_head`, that of 0.26.0 makes none."""
    saved = weigh(model_id) - weigh(model_id, pooling=True)
    assert saved == pytest.approx(rank_parameters(facts(model_id)).lm_head * 2 / GIB, abs=1e-6)
    assert (saved > 0) != facts(model_id).tie_word_embeddings


def test_an_unknown_quantisation_is_refused_with_the_known_ones() -> None:
    with pytest.raises(MemoryModelError, match="awq"):
        weigh("meta-llama/Llama-3.1-8B", quantization="gguf-of-my-own")


def test_every_named_method_of_the_issue_is_judged() -> None:
    assert {"fp8", "awq", "gptq", "compressed-tensors", "bitsandbytes"} <= set(known_methods("vllm"))
    assert {"awq", "gptq", "eetq", "fp8", "bitsandbytes", "bitsandbytes-nf4", "bitsandbytes-fp4"} <= set(
        known_methods("tgi")
    )


def test_every_entry_of_the_catalogue_says_where_it_was_read() -> None:
    text = files("l4serve.planning.models").joinpath("data/catalogue.json").read_text(encoding="utf-8")
    entries = json.loads(text)["models"]
    assert len(entries) >= 60
    assert all(entry["source"] for entry in entries)
    assert len({m.architecture for m in all_models()}) >= 12


def test_adapter_slots_weigh_their_rank_times_both_widths() -> None:
    slots = weigh("meta-llama/Llama-3.1-8B", lora=LoraOptions(max_loras=4, max_lora_rank=64)) - weigh(
        "meta-llama/Llama-3.1-8B"
    )
    one_layer = 4 * 4096 + 2 * 4096 + 2 * 1024 + 3 * (4096 + 14336)
    assert slots * GIB == pytest.approx(32 * 4 * 64 * one_layer * 2, rel=1e-6)


def test_more_ranks_than_an_expert_is_wide_have_weights_all_the_same() -> None:
    assert weigh("Qwen/Qwen3-235B-A22B-FP8", tensor_parallel_size=1537) > 0


@pytest.mark.parametrize(
    ("version", "accelerator", "observed"),
    [
        ("0.14.1", "nvidia-h100-80gb", 64.38),
        ("0.10.1", "nvidia-h100-80gb", 65.97),
    ],
)
def test_experts_are_padded_as_the_kernels_of_release_and_card_want(
    version: str, accelerator: str, observed: float
) -> None:
    """Logs of https://github.com/vllm-project/vllm/issues/33155 (Triton's kernels) and /23278 (Marlin)."""
    card = find_gpu(accelerator)
    assert card is not None
    options = ServingOptions(engine="vllm", engine_version=version, max_model_len=8192, max_num_seqs=64)
    found = estimate(facts("openai/gpt-oss-120b"), card, options)
    assert found.weights_gib == pytest.approx(observed, rel=0.003)


def test_an_a100_keeps_the_padding_of_marlin() -> None:
    ampere = find_gpu("nvidia-a100-80gb")
    assert ampere is not None
    plain = ServingOptions(engine="vllm", engine_version="0.14.1", max_model_len=8192, max_num_seqs=64)
    assert estimate(facts("openai/gpt-oss-120b"), ampere, plain).weights_gib == pytest.approx(65.86, abs=0.01)
