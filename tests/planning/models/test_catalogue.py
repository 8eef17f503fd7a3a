"""The catalogue: how many models, where each was read, and which ids nobody saw."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

import l4serve.planning.models
from l4serve.engines.releases.contract import contract_versions, load_contract
from l4serve.planning.memory.rank_parameters import rank_parameters
from l4serve.planning.models.catalogue import all_models, all_names, find_model, misspelt, quantized_variants
from l4serve.planning.models.purpose import purpose_of_class
from tests.each_case import each

DATA = Path(l4serve.planning.models.__path__[0]) / "data" / "catalogue.json"
ENTRIES = json.loads(DATA.read_text("utf-8"))["models"]


def test_the_catalogue_has_the_models_that_people_serve() -> None:
    assert len(all_models()) >= 180


def test_every_shape_says_where_it_was_read() -> None:
    for entry in ENTRIES:
        assert len(entry["source"]) > 30, entry["id"]
        assert "memory)" not in entry["source"], entry["id"]


def test_no_name_has_two_shapes() -> None:
    names = [n.lower() for e in ENTRIES for n in (e["id"], *e.get("aliases", ()), *e.get("mirrors", ()))]
    assert [name for name, count in Counter(names).items() if count > 1] == []


def test_twenty_models_answer_with_vectors_scores_or_classes() -> None:
    contract = load_contract("vllm", contract_versions("vllm")[-1])
    served = [(model, contract.served(model.architecture)) for model in all_models()]
    purposes = [
        model.purpose or (purpose_of_class(model.architecture, found.kind) if found else None)
        for model, found in served
    ]
    assert sum(purpose is not None for purpose in purposes) >= 20
    assert {"embed", "score", "classify", "token"} <= set(purposes)


def test_an_id_that_nobody_saw_is_no_remedy() -> None:
    unseen = find_model("google/gemma-7b-it-AWQ")
    assert unseen is not None
    assert not unseen.is_seen
    base = find_model("google/gemma-7b-it")
    assert base is not None
    assert not [m.id for m in quantized_variants(base) if "awq" in m.id.lower()]
    for model in all_models():
        assert all(variant.is_seen for variant in quantized_variants(model)), model.id


FORMAT_WORDS = {
    "bf16", "fp8", "nvfp4", "awq", "gptq", "int4", "int8", "4bit", "quantized", "w4a16", "dynamic", "static",
    "pertensor",
}  # fmt: skip


def test_a_checkpoint_in_fewer_bits_is_the_model_that_was_asked_for() -> None:
    """Of all pairs in the catalogue: beside the base's own name only a format, and before it at most its owner's."""
    bases = [found for name in all_names() if (found := find_model(name)) is not None]
    pairs = [(base, variant) for base in bases for variant in quantized_variants(base)]
    assert len(pairs) >= 140
    for base, variant in pairs:
        owner, _, name = base.id.lower().rpartition("/")
        before, _, after = variant.id.lower().rpartition("/")[2].partition(name)
        told = f"{variant.id} for {base.id}"
        assert before.removesuffix("-") in ("", *owner.split("-")), told
        assert set(re.findall("[a-z0-9]+", after)) <= FORMAT_WORDS, told
        assert variant.max_position_embeddings <= base.max_position_embeddings, told


def test_every_checkpoint_that_names_a_model_and_a_format_is_one_of_it() -> None:
    bases = [found for name in all_names() if (found := find_model(name)) is not None and found.quantization is None]
    stored = [found for name in all_names() if (found := find_model(name)) is not None and found.quantization]
    unproposed = {entry["id"] for entry in ENTRIES if not entry.get("proposed", True)}
    for variant in (found for found in stored if found.is_seen):
        words = re.findall("[a-z0-9.]+?(?=[-_]|$|[.]w)", variant.id.lower().rpartition("/")[2])
        plain = "".join(word for word in words if word.strip(".") not in FORMAT_WORDS)
        named = [b for b in bases if b.id.lower().rpartition("/")[2].replace("-", "").replace("_", "") == plain]
        offering = [base.id for base in named if variant in quantized_variants(base)]
        assert not named or offering or variant.id in unproposed, variant.id


@pytest.mark.parametrize("base", ["Qwen/Qwen3-4B", "Qwen/Qwen3-30B-A3B"])
def test_a_tuned_relative_is_no_checkpoint_of_a_model(base: str) -> None:
    shape = find_model(base)
    assert shape is not None
    found = [variant.id for variant in quantized_variants(shape)]
    assert f"{base}-FP8" in found
    assert not [name for name in found if "Thinking" in name]


def test_tables_of_each_layer_count_as_weights() -> None:
    model = find_model("google/gemma-4-E4B-it")
    assert model is not None
    assert 7.6e9 < rank_parameters(model).total < 8.1e9


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Qwen/Qwen2.5-1.5B-Instuct", "Qwen/Qwen2.5-1.5B-Instruct"),
        ("Qwen/Qwen2.5-1.5B-Instrucct", "Qwen/Qwen2.5-1.5B-Instruct"),
        ("gooogle/gemma-7b", "google/gemma-7b"),
        ("google/gemam-7b", "google/gemma-7b"),
        ("Qwen2.5-7B-Instruct", "Qwen/Qwen2.5-7B-Instruct"),
        ("gemma-7b", "google/gemma-7b"),
        ("meta-lama/Llama-3.1-8B-Instruct", "meta-llama/Llama-3.1-8B-Instruct"),
        ("Quen/Qwen2.5-7B-Instruct", "Qwen/Qwen2.5-7B-Instruct"),
        ("openai/gpt-oss20b", "openai/gpt-oss-20b"),
        ("Qwen/Qwen2.5-7B-Instruct-AWK", "Qwen/Qwen2.5-7B-Instruct-AWQ"),
        ("Qwen/Quen2.5-7B-Instruct", "Qwen/Qwen2.5-7B-Instruct"),
    ],
)
def test_a_slip_of_the_pen_is_known(written: str, meant: str) -> None:
    assert find_model(written) is None
    assert misspelt(written) == meant


@each(
    [
        "Qwen/Qwen2.5-1.6B-Instruct",
        "Qwen/Qwen2.5-7B-Instruct-1M",
        "Qwen/Qwen2.5-Coder-1B",
        "google/gemma-3-4b-pt",
        "google/gemma-29b",
        "Qwen/Qwen2.5-7B-Instruct-FP8",
        "google/gemma-9b",
        "my-org/gemma-7b",
        "my-org/other-model",
        "mistralai/Ministral-8B-Instruct-2410",
    ],
    str,
)
def test_a_relative_is_no_slip(other: str) -> None:
    assert misspelt(other) is None


@each(
    [
        ("HuggingFaceH4/zephyr-7b-beta", 7.24),
        ("NousResearch/Hermes-3-Llama-3.1-8B", 8.03),
        ("deepseek-ai/deepseek-coder-6.7b-instruct", 6.74),
        ("ibm-granite/granite-3.3-8b-instruct", 8.17),
        ("ibm-granite/granite-3.3-2b-instruct", 2.53),
        ("mistralai/Codestral-22B-v0.1", 22.2),
        ("mistralai/Devstral-Small-2505", 23.6),
        ("01-ai/Yi-1.5-9B-Chat", 8.83),
        ("Qwen/Qwen1.5-0.5B-Chat", 0.464),
        ("ByteDance-Seed/Seed-OSS-36B-Instruct", 36.2),
        ("WeiboAI/VibeThinker-1.5B", 1.54),
        ("Qwen/Qwen2-VL-7B-Instruct", 8.29),
        ("zai-org/GLM-4.5-Air", 106),
        ("zai-org/GLM-4.5", 355),
        ("Qwen/Qwen2-VL-2B-Instruct", 2.21),
        ("Qwen/Qwen2.5-VL-32B-Instruct", 33.5),
        ("Qwen/Qwen2.5-VL-72B-Instruct", 73.4),
        ("BAAI/bge-base-en-v1.5", 0.109),
        ("Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8", 480),
        ("ai21labs/AI21-Jamba-1.5-Mini", 51.6),
        ("ai21labs/AI21-Jamba-1.5-Large", 398),
        ("ibm-granite/granite-4.0-h-small", 32.19),
        ("ibm-granite/granite-4.0-h-tiny", 6.94),
        ("LiquidAI/LFM2-1.2B", 1.17),
        ("LiquidAI/LFM2.5-1.2B-Instruct", 1.17),
        ("LiquidAI/LFM2-350M", 0.354),
        ("LiquidAI/LFM2-2.6B", 2.57),
        ("LiquidAI/LFM2-8B-A1B", 8.3),
        ("ibm-granite/granite-4.0-h-micro", 3.19),
        ("ibm-ai-platform/Bamba-9B", 9.78),
        ("nvidia/NVIDIA-Nemotron-Nano-9B-v2", 8.89),
        ("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-FP8", 31.6),
        ("tiiuae/Falcon-H1R-7B", 7.59),
        ("mistralai/Mamba-Codestral-7B-v0.1", 7.29),
        ("ai21labs/AI21-Jamba-Large-1.6", 398),
        ("google/gemma-3n-E4B-it", 7.85),
        ("google/gemma-3n-E2B-it", 5.43),
        ("Qwen/Qwen2.5-14B-Instruct-1M", 14.8),
        ("Qwen/Qwen3-235B-A22B-Instruct-2507-FP8", 235),
        ("deepseek-ai/deepseek-coder-7b-instruct-v1.5", 6.91),
        ("nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-BF16", 120.7),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", 108.64),
        ("meta-llama/Llama-4-Maverick-17B-128E-Instruct", 401.58),
        ("teknium/OpenHermes-2.5-Mistral-7B", 7.24),
        ("01-ai/Yi-1.5-34B-Chat", 34.4),
        ("hugging-quants/Meta-Llama-3.1-405B-Instruct-AWQ-INT4", 410),
        ("TheBloke/Llama-2-70B-Chat-AWQ", 69.0),
        ("google/gemma-3-270m-it", 0.268),
        ("allenai/Olmo-3-7B-Instruct", 7.3),
        ("Qwen/QVQ-72B-Preview", 73.4),
        ("Qwen/Qwen1.5-MoE-A2.7B-Chat", 14.3),
        ("unsloth/gpt-oss-20b-BF16", 20.9),
        ("google/medgemma-27b-text-it", 27.0),
        ("Qwen/Qwen3-Coder-Next", 79.7),
        ("NousResearch/Hermes-4-70B", 70.6),
        ("Qwen/Qwen3-VL-8B-Thinking", 8.77),
        ("mistralai/Ministral-8B-Instruct-2410", 8.02),
        ("CohereLabs/c4ai-command-r-plus-08-2024", 103.8),
        ("upstage/SOLAR-10.7B-Instruct-v1.0", 10.7),
        ("Qwen/Qwen2-57B-A14B-Instruct", 57.4),
        ("LGAI-EXAONE/EXAONE-3.5-32B-Instruct", 32.0),
        ("OpenGVLab/InternVL3-38B", 38.4),
        ("OpenGVLab/InternVL3-78B", 78.4),
        ("google/gemma-4-12B-it", 11.96),
        ("mistralai/Ministral-3-8B-Instruct-2512", 8.92),
        ("zai-org/GLM-4.5V", 108),
        ("mistralai/Mistral-Small-4-119B-2603", 119),
        ("baidu/ERNIE-4.5-21B-A3B-PT", 21.8),
        ("baidu/ERNIE-4.5-0.3B-PT", 0.36),
        ("openbmb/MiniCPM3-4B", 4.07),
        ("microsoft/Phi-3.5-MoE-instruct", 41.9),
        ("allenai/OLMoE-1B-7B-0924-Instruct", 6.92),
        ("EleutherAI/gpt-neox-20b", 20.6),
        ("tiiuae/Falcon-H1-1.5B-Instruct", 1.55),
        ("tiiuae/Falcon-H1-0.5B-Instruct", 0.52),
        ("Alibaba-NLP/gte-modernbert-base", 0.149),
        ("openai/whisper-medium", 0.769),
        ("moonshotai/Kimi-K2.5", 1026),
        ("HuggingFaceTB/SmolVLM-Instruct", 2.25),
        ("mistralai/Ministral-3-14B-Instruct-2512", 13.9),
        ("ibm-granite/granite-4.0-micro", 3.4),
        ("ibm-granite/granite-4.0-1b", 1.63),
        ("ibm-granite/granite-4.0-350m", 0.352),
        ("OpenGVLab/InternVL3_5-4B", 4.73),
        ("OpenGVLab/InternVL3_5-38B", 38.4),
        ("OpenGVLab/InternVL2_5-8B", 8.08),
        ("OpenGVLab/InternVL2_5-78B", 78.4),
        ("nvidia/NVIDIA-Nemotron-Nano-12B-v2", 12.3),
        ("meta-llama/Llama-Guard-4-12B", 12.0),
        ("Qwen/Qwen2-Audio-7B-Instruct", 8.4),
        ("nomic-ai/nomic-embed-text-v1.5", 0.137),
        ("rednote-hilab/dots.ocr", 3.04),
    ],
    lambda case: case[0],
)
def test_a_shape_has_the_parameters_that_its_card_tells(case: tuple[str, float]) -> None:
    model = find_model(case[0])
    assert model is not None
    assert rank_parameters(model).total / 1e9 == pytest.approx(case[1], rel=0.01)


@pytest.mark.parametrize(
    ("model", "tokens"),
    [
        ("sentence-transformers/all-MiniLM-L6-v2", 256),
        ("BAAI/bge-m3", 8192),
        ("intfloat/multilingual-e5-large", 512),
        ("BAAI/bge-small-en-v1.5", 512),
    ],
)
def test_a_sentence_transformer_has_the_context_that_its_own_config_allows(model: str, tokens: int) -> None:
    found = find_model(model)
    assert found is not None
    assert found.max_position_embeddings == tokens
