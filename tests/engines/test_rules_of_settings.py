"""Settings that contradict each other or the model, which a release finds out when it makes its configuration."""

from typing import Any

import pytest

from l4serve.config.keys.vllm import LoraAdapter, VllmEngine
from l4serve.engines.rule_inputs import backend_of
from tests.each_case import each
from tests.engines.rule_cases import GEMMA, QWEN, UNDESCRIBED, case, errors, like, verdicts

EXPERTS = like(QWEN, architecture="Qwen3MoeForCausalLM", expert_intermediate_size=1536)
LATENT = like(EXPERTS, architecture="DeepseekV2ForCausalLM", latent_attention=True, num_attention_heads=16)
EP, EPLB = "--enable-expert-parallel", "--enable-eplb"
DCP = "--decode-context-parallel-size=2"

ARGUMENTS: list[tuple[str, Any, int, tuple[str, ...], str | None]] = [
    ("0.8.0", QWEN, 1, (EP,), "vllm-expert-parallel-without-experts"),
    ("0.26.0", EXPERTS, 1, (EP,), None),
    ("0.26.0", EXPERTS, 2, (EPLB,), "vllm-expert-balancing-without-expert-parallel"),
    ("0.26.0", EXPERTS, 2, (EPLB, EP), None),
    ("0.26.0", EXPERTS, 1, (EPLB, EP), "vllm-expert-balancing-on-one-gpu"),
    ("0.26.0", EXPERTS, 2, ("--eplb-config.num_redundant_experts=2",), "vllm-redundant-experts-without-balancing"),
    ("0.10.0", EXPERTS, 2, ("--num-redundant-experts=2",), "vllm-redundant-experts-without-balancing"),
    ("0.26.0", EXPERTS, 2, ('--eplb-config={"num_redundant_experts":2}', EPLB, EP), None),
    ("0.10.2", LATENT, 1, (DCP,), "vllm-decode-context-not-divisible"),
    ("0.26.0", LATENT, 2, (DCP,), None),
    ("0.26.0", QWEN, 4, (DCP,), "vllm-decode-context-beyond-heads"),
    ("0.26.0", like(QWEN, num_attention_heads=32), 8, (DCP,), None),
    (
        "0.26.0",
        like(QWEN, num_attention_heads=40, num_key_value_heads=8),
        8,
        (DCP,),
        "vllm-decode-context-beyond-heads",
    ),
    ("0.26.0", QWEN, 1, ("--collect-detailed-traces=all",), "vllm-detailed-traces-without-endpoint"),
    ("0.10.0", QWEN, 1, ("--collect-detailed-traces=all",), None),
    (
        "0.26.0",
        QWEN,
        1,
        ("--structured-outputs-config.disable_any_whitespace=true",),
        "vllm-whitespace-without-backend",
    ),
    (
        "0.26.0",
        QWEN,
        1,
        ('--structured-outputs-config={"backend":"xgrammar","disable_any_whitespace":true}',),
        None,
    ),
    (
        "0.26.0",
        QWEN,
        1,
        ("--cudagraph-capture-sizes", "1", "2", "-cc.cudagraph_capture_sizes=[1]"),
        "vllm-graph-sizes-twice",
    ),
    (
        "0.26.0",
        QWEN,
        1,
        ("-cc.cudagraph_capture_sizes=[1,4]", "-cc.max_cudagraph_capture_size=8"),
        "vllm-largest-graph-beside-sizes",
    ),
    ("0.26.0", QWEN, 1, ("-cc.cudagraph_capture_sizes=[1,8]", "-cc.max_cudagraph_capture_size=8"), None),
    ("0.26.0", QWEN, 1, ("--ray-workers-use-nsight",), "vllm-profiled-workers-without-ray"),
    ("0.26.0", QWEN, 1, ("--numa-bind-nodes", "0"), "vllm-numa-places-without-binding"),
    ("0.26.0", QWEN, 1, ('--default-mm-loras={"image":"a"}',), "vllm-adapters-of-media-on-text"),
    ("0.26.0", QWEN, 1, ("--profiler-config.profiler=torch",), "vllm-profiler-without-folder"),
    ("0.26.0", QWEN, 1, ('--ec-transfer-config={"ec_connector":"X"}',), "vllm-encoder-connector-without-role"),
    ("0.33.0", QWEN, 1, ("--long-prefill-token-threshold=40000",), "vllm-long-prefill-beyond-context"),
    ("0.26.0", QWEN, 1, ("--long-prefill-token-threshold=40000",), None),
    (
        "0.10.0",
        QWEN,
        1,
        ('--compilation-config={"full_cuda_graph":true,"splitting_ops":["a"]}',),
        "vllm-full-graph-with-splitting",
    ),
]


@each(ARGUMENTS, lambda case: f"{case[0]} {case[2]} {case[3]}")
def test_arguments_that_contradict_each_other_are_refused(
    case: tuple[str, Any, int, tuple[str, ...], str | None],
) -> None:
    version, model, gpus, extra_args, rule = case
    found = errors("vllm", version, model, tp=gpus, extra_args=extra_args)
    assert found == ({rule} if rule else set())


@pytest.mark.parametrize(
    ("speculative", "gpus", "rule"),
    [
        ({"method": "ngram", "prompt_lookup_min": 5, "prompt_lookup_max": 3}, 1, "vllm-ngram-windows"),
        ({"method": "ngram", "prompt_lookup_min": 2, "prompt_lookup_max": 3}, 1, None),
        ({"model": "yuhuili/EAGLE3-LLaMA3.1-Instruct-8B", "draft_tensor_parallel_size": 2}, 4, "vllm-draft-shards"),
        ({"model": "yuhuili/EAGLE3-LLaMA3.1-Instruct-8B", "draft_tensor_parallel_size": 4}, 4, None),
        ({"model": "yuhuili/EAGLE3-LLaMA3.1-Instruct-8B", "draft_tensor_parallel_size": 1}, 4, None),
    ],
)
def test_drafts_that_no_release_makes_are_refused(speculative: dict[str, Any], gpus: int, rule: str | None) -> None:
    found = errors("vllm", "0.26.0", QWEN, tp=gpus, speculativeConfig={**speculative, "num_speculative_tokens": 3})
    assert found == ({rule} if rule else set())


def test_a_batch_mixes_no_more_adapters_than_the_host_keeps() -> None:
    lora = {"adapters": [LoraAdapter(name="a", path="org/a").model_dump()], "maxLoras": 4}
    for kept, rules in ((2, {"vllm-adapters-on-host-below-batch"}), (4, set())):
        assert errors("vllm", "0.26.0", QWEN, extra_args=(f"--max-cpu-loras={kept}",), lora=lora) == rules


def test_a_backend_is_named_once() -> None:
    asked = ("--attention-config.backend=FLASH_ATTN",)
    found = errors("vllm", "0.26.0", GEMMA, extra_args=asked, attentionBackend="FLASH_ATTN")
    assert found == {"vllm-attention-backend-twice"}


def test_a_turboquant_cache_has_a_backend_of_its_own_since_0_20() -> None:
    """The engine's own tests serve Qwen3-4B with one (tests/evals/gsm8k/configs/Qwen3-4B-TQ-k3v4nc.yaml)."""
    for version in ("0.20.0", "0.26.0", "0.33.0"):
        assert backend_of(case("vllm", version, QWEN, kvCacheDtype="turboquant_k3v4_nc")).name == "TURBOQUANT"
        assert errors("vllm", version, QWEN, kvCacheDtype="turboquant_k8v4") == set()


def test_a_name_with_underscores_is_that_of_a_tgi_model() -> None:
    qwen = like(QWEN, architecture="Qwen2_5_VLForConditionalGeneration")
    assert errors("tgi", "3.3.7", qwen) == set()


def test_a_request_may_ask_for_the_whole_vocabulary() -> None:
    assert VllmEngine.model_validate({"maxLogprobs": 151936}).max_logprobs == 151936
    assert VllmEngine.model_validate({"maxLogprobs": -1}).max_logprobs == -1


@pytest.mark.parametrize(
    "argument", ["--num-redundant-experts=None", "--max-cpu-loras={}", "--eplb-config.num_redundant_experts=[]"]
)
def test_a_value_of_another_type_is_the_parsers_to_refuse(argument: str) -> None:
    """A rule compares numbers, and what is none is told by what is wrong with the argument."""
    lora = {"adapters": [{"name": "a", "path": "o/a"}]}
    verdicts("vllm", "0.10.0", EXPERTS, extra_args=(argument,), lora=lora)


MISTRAL = like(QWEN, architecture="MistralForCausalLM", num_attention_heads=32, num_key_value_heads=8)
NEXT = like(QWEN, architecture="Qwen3NextForCausalLM")
AWQ = like(QWEN, quantization_method="awq")
GPT_OSS = like(EXPERTS, architecture="GptOssForCausalLM", quantization_method="mxfp4")


@pytest.mark.parametrize(
    ("version", "model", "speculative", "rule"),
    [
        ("0.10.0", QWEN, {"method": "eagle3", "model": "o/head"}, "vllm-eagle3-target"),
        ("0.10.2", QWEN, {"method": "eagle3", "model": "o/head"}, None),
        ("0.19.0", MISTRAL, {"model": "o/EAGLE3-head"}, "vllm-eagle3-target"),
        ("0.26.0", MISTRAL, {"model": "o/EAGLE3-head"}, None),
        ("0.26.0", GEMMA, {"model": "o/EAGLE3-head"}, "vllm-eagle3-class"),
        ("0.23.0", NEXT, {"method": "eagle3", "model": "o/head"}, "vllm-eagle3-class"),
        ("0.24.0", NEXT, {"method": "eagle3", "model": "o/head"}, None),
        ("0.12.0", EXPERTS, {"method": "eagle3", "model": "o/head"}, None),
        ("0.10.2", QWEN, {"method": "eagle", "model": "o/head"}, "vllm-eagle-without-class"),
        ("0.20.0", MISTRAL, {"method": "eagle", "model": "o/head"}, "vllm-eagle-without-class"),
        ("0.22.0", MISTRAL, {"method": "eagle", "model": "o/head"}, None),
        ("0.22.0", UNDESCRIBED, {"method": "eagle", "model": "o/head"}, None),
        ("0.11.0", GPT_OSS, {"method": "eagle3", "model": "o/head"}, "vllm-eagle-head-stored-as-its-target"),
        ("0.11.1", GPT_OSS, {"method": "eagle3", "model": "o/head"}, None),
        ("0.11.0", AWQ, {"model": "o/EAGLE3-head"}, "vllm-eagle-head-stored-as-its-target"),
        ("0.10.2", AWQ, {"model": "o/EAGLE3-head"}, None),
        ("0.11.0", AWQ, {"method": "ngram"}, None),
        ("0.11.0", QWEN, {"method": "qwen3_next_mtp"}, "vllm-mtp-without-heads"),
        ("0.26.0", QWEN, {"method": "mtp"}, "vllm-mtp-without-heads"),
        ("0.26.0", NEXT, {"method": "mtp"}, None),
        ("0.26.0", QWEN, {"method": "mtp", "model": "o/head"}, None),
    ],
)
def test_a_release_drafts_for_the_models_that_it_knows(
    version: str, model: Any, speculative: dict[str, Any], rule: str | None
) -> None:
    found = errors("vllm", version, model, speculativeConfig={**speculative, "num_speculative_tokens": 2})
    assert found == ({rule} if rule else set())


VISION = like(QWEN, architecture="Qwen2_5_VLForConditionalGeneration")
EMBEDDING = like(QWEN, architecture="XLMRobertaModel")


@pytest.mark.parametrize(
    ("version", "model", "extra_args", "settings", "rule"),
    [
        ("0.8.5", QWEN, (), {"limitMmPerPrompt": {"image": 1}}, "vllm-media-limits-on-text"),
        ("0.10.0", VISION, (), {"limitMmPerPrompt": {"image": 1}}, None),
        ("0.10.1", QWEN, (), {"limitMmPerPrompt": {"image": 1}}, None),
        ("0.10.0", QWEN, (), {"mmProcessorKwargs": {"max_pixels": 100}}, "vllm-media-arguments-on-text"),
        ("0.8.5", QWEN, (), {"mmProcessorKwargs": {"max_pixels": 100}}, None),
        ("0.26.0", EMBEDDING, (), {"runner": "generate"}, "vllm-pooling-model-asked-to-generate"),
        ("0.26.0", EMBEDDING, (), {"runner": "pooling"}, None),
        ("0.9.1", EMBEDDING, ("--task=generate",), {}, "vllm-pooling-model-asked-to-generate"),
        ("0.9.1", QWEN, (), {"task": "transcription"}, "vllm-transcription-of-text-model"),
        ("0.9.1", QWEN, (), {"task": "embed", "enableChunkedPrefill": True}, "vllm-chunked-prefill-of-pooling"),
        ("0.9.1", QWEN, (), {"enableChunkedPrefill": True}, None),
        (
            "0.26.0",
            EMBEDDING,
            ("--pooler-config.pooling_type=CLS", "--pooler-config.seq_pooling_type=CLS"),
            {},
            "vllm-pooling-type-twice",
        ),
        ("0.26.0", VISION, ("--mm-shm-cache-max-object-size-mb=256",), {}, "vllm-shared-objects-without-shared-cache"),
        ("0.26.0", VISION, ("--mm-shm-cache-max-object-size-mb=256", "--mm-processor-cache-type=shm"), {}, None),
    ],
)
def test_what_a_model_is_not_made_for_is_refused(
    version: str, model: Any, extra_args: tuple[str, ...], settings: dict[str, Any], rule: str | None
) -> None:
    assert errors("vllm", version, model, extra_args=extra_args, **settings) == ({rule} if rule else set())


@pytest.mark.parametrize(
    ("overrides", "refused"),
    [
        ('{"architectures": ["NoSuchForCausalLM"]}', True),
        ('{"architectures": "NoSuchForCausalLM"}', True),
        ('{"architectures": ["NoSuchForCausalLM", "GemmaForCausalLM"]}', False),
        ('{"architectures": ["Qwen3ForSequenceClassification"], "is_original_qwen3_reranker": true}', False),
        ('{"architectures": ["TransformersForCausalLM"]}', False),
        ('{"architectures": []}', False),
        ('{"rope_theta": 10000}', False),
    ],
)
def test_a_class_that_the_release_lacks_stands_in_no_models_place(overrides: str, refused: bool) -> None:
    found = errors("vllm", "0.26.0", extra_args=(f"--hf-overrides={overrides}",))
    assert ("vllm-overridden-unknown-model" in found) == refused
    dotted = errors("vllm", "0.26.0", extra_args=('--hf-overrides.architectures=["NoSuchForCausalLM"]',))
    assert "vllm-overridden-unknown-model" in dotted
    allowed = frozenset(["vllm-overridden-unknown-model"])
    assert not errors("vllm", "0.26.0", extra_args=(f"--hf-overrides={overrides}",), allow=allowed)


@pytest.mark.parametrize(
    ("version", "name", "refused"),
    [
        ("0.11.2", "Qwen3ForTokenClassification", True),
        ("0.12.0", "Qwen3ForTokenClassification", True),
        ("0.13.0", "Qwen3ForTokenClassification", False),
        ("0.11.2", "ModernBertForTokenClassification", False),
        ("0.11.2", "Qwen3ForSequenceClassification", False),
        ("0.26.0", "Qwen3ForQuestionClassification", True),
    ],
)
def test_a_class_of_tokens_is_made_of_another_since_0_13(version: str, name: str, refused: bool) -> None:
    """https://github.com/vllm-project/vllm/issues/30107: 0.11.2 has none for Qwen3."""
    asked = (f'--hf-overrides={{"architectures": ["{name}"]}}',)
    assert ("vllm-overridden-unknown-model" in errors("vllm", version, extra_args=asked, runner="pooling")) == refused
