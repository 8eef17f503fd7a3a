"""Rules about what a model's class can do, and about the earliest releases."""

from typing import Any

import pytest

from l4serve.engines.traits import ModelTraits
from tests.engines.rule_cases import GEMMA, QWEN, T4, errors, like, verdicts

GEMMA4 = like(GEMMA, architecture="Gemma4ForConditionalGeneration", head_dim=256, expert_intermediate_size=704)


@pytest.mark.parametrize(
    ("version", "model", "fields", "rule"),
    [
        ("0.19.1", GEMMA4, {"quantization": "bitsandbytes"}, "vllm-bitsandbytes-without-expert-mapping"),
        ("0.25.0", GEMMA4, {"quantization": "bitsandbytes"}, None),
        ("0.19.1", like(GEMMA4, expert_intermediate_size=None), {"quantization": "bitsandbytes"}, None),
        ("0.19.1", like(GEMMA4, architecture="Qwen3MoeForCausalLM"), {"quantization": "bitsandbytes"}, None),
        ("0.19.1", GEMMA4, {"lora": {"adapters": [{"name": "a", "path": "/a"}]}}, "vllm-lora-unsupported"),
        ("0.33.0", GEMMA4, {"lora": {"adapters": [{"name": "a", "path": "/a"}]}}, None),
        (
            "0.8.0",
            like(QWEN, architecture="BertModel"),
            {"quantization": "bitsandbytes"},
            "vllm-bitsandbytes-without-mapping",
        ),
        ("0.11.0", like(QWEN, architecture="MllamaForConditionalGeneration"), {}, "vllm-model-dropped"),
        ("0.33.0", like(QWEN, architecture="BartForConditionalGeneration"), {}, "vllm-model-in-plugin"),
    ],
)
def test_what_the_models_class_can_do(
    version: str, model: ModelTraits, fields: dict[str, Any], rule: str | None
) -> None:
    ours = {"vllm-bitsandbytes-without-expert-mapping", "vllm-bitsandbytes-without-mapping", "vllm-lora-unsupported"}
    found = errors("vllm", version, model, **fields) & (ours | {"vllm-model-dropped", "vllm-model-in-plugin"})
    assert found == ({rule} if rule else set())


@pytest.mark.parametrize(
    ("version", "architecture", "purpose", "fields", "refused"),
    [
        ("0.10.0", "Qwen3ForCausalLM", "embed", {}, True),
        ("0.10.0", "Qwen3ForCausalLM", "embed", {"task": "auto"}, True),
        ("0.10.0", "Qwen3ForCausalLM", "embed", {"task": "embed"}, False),
        ("0.10.0", "Qwen3ForCausalLM", None, {}, False),
        ("0.10.0", "Qwen2Model", "embed", {}, False),
        ("0.9.2", "Qwen3ForCausalLM", "embed", {}, False),
        ("0.10.1", "Qwen3ForCausalLM", "embed", {}, False),
    ],
)
def test_a_decoder_trained_for_vectors_is_asked_for_them_where_the_release_goes_by_its_class(
    version: str, architecture: str, purpose: str | None, fields: dict[str, Any], refused: bool
) -> None:
    found = errors("vllm", version, like(QWEN, architecture=architecture, purpose=purpose), **fields)
    assert ("vllm-vectors-of-a-decoder-unasked" in found) == refused


@pytest.mark.parametrize("version", ["0.9.2", "0.14.1", "0.26.0"])
def test_an_embedder_whose_layers_have_no_prefix_writes_no_text(version: str) -> None:
    rule, asked = "vllm-text-of-an-embedder", like(QWEN, architecture="Qwen3ForCausalLM", purpose="embed")
    field = {"task": "generate"} if version == "0.9.2" else {"runner": "generate"}
    assert rule in errors("vllm", version, asked, **field)
    assert rule not in errors("vllm", version, asked)
    assert rule not in errors("vllm", version, like(asked, purpose=None), **field)


@pytest.mark.parametrize(
    ("version", "architecture", "refused"),
    [
        ("0.8.5", "Qwen3ForCausalLM", True),
        ("0.9.2", "Qwen3ForCausalLM", True),
        ("0.10.0", "Qwen3ForCausalLM", False),
        ("0.9.2", "Qwen3ForSequenceClassification", False),
        ("0.9.0", "XLMRobertaForSequenceClassification", False),
    ],
)
def test_a_generating_model_scores_nothing_without_a_head(version: str, architecture: str, refused: bool) -> None:
    found = errors("vllm", version, like(QWEN, architecture=architecture), task="score")
    assert ("vllm-score-without-a-head" in found) == refused


def test_pipeline_stages_need_a_class_that_has_them() -> None:
    bert = like(QWEN, architecture="BertModel")
    assert "vllm-pipeline-unsupported" in errors("vllm", "0.26.0", bert, pp=2)
    assert "vllm-pipeline-unsupported" not in errors("vllm", "0.26.0", QWEN, pp=2)


def test_the_note_about_the_v0_engine_names_the_backend_in_force() -> None:
    named = verdicts("vllm", "0.10.0", QWEN, kvCacheDtype="fp8", attentionBackend="FLASHINFER")["vllm-v0-fallback"]
    assert "FLASHINFER" in named.reason and "XFORMERS" not in named.reason
    assert "XFORMERS" in verdicts("vllm", "0.10.0", QWEN, kvCacheDtype="fp8")["vllm-v0-fallback"].reason


def test_lora_without_adapters_needs_the_variable_that_lets_them_in() -> None:
    rule = "vllm-lora-without-adapters"
    assert rule in verdicts("vllm", "0.11.0", QWEN, lora={})
    opened = {"VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True"}
    assert rule not in verdicts("vllm", "0.11.0", QWEN, lora={}, extra_env=opened)
    assert rule not in verdicts("vllm", "0.11.0", QWEN, lora={"adapters": [{"name": "a", "path": "acme/a"}]})


def test_a_bfloat16_model_on_a_t4_is_refused_until_the_release_falls_back() -> None:
    rule = "vllm-bfloat16-model-refused-before-ampere"
    assert errors("vllm", "0.8.5", QWEN, gpu=T4) == {rule}
    assert errors("vllm", "0.8.5", QWEN, gpu=T4, dtype="half") == set()
    assert errors("vllm", "0.9.0", QWEN, gpu=T4) == set()
    assert errors("vllm", "0.8.5", QWEN) == set()


@pytest.mark.parametrize("version", ["0.8.0", "0.8.5", "0.9.2"])
def test_early_releases_refuse_what_their_own_code_refuses(version: str) -> None:
    awq = like(QWEN, quantization_method="awq", quantization_group=128)
    assert "vllm-context-beyond-model" in errors("vllm", version, GEMMA, maxModelLen=16384)
    assert "vllm-heads-not-divisible" in errors("vllm", version, QWEN, tp=8, gpus=8)
    assert "vllm-quantization-mismatch" in errors("vllm", version, awq, quantization="gptq")
    assert "vllm-awq-needs-float16" in errors("vllm", version, awq, dtype="bfloat16", quantization="awq")
    assert "vllm-tool-choice-without-parser" in errors("vllm", version, QWEN, enableAutoToolChoice=True)


@pytest.mark.parametrize(
    ("kind", "version", "model_id", "fields", "rule"),
    [
        ("vllm", "0.8.0", "o/Llama-bnb-4bit", {"tp": 2}, "vllm-bitsandbytes-prequantised-tensor-parallel"),
        ("vllm", "0.8.0", "o/Llama-bnb-4bit", {"pp": 2}, None),
        ("vllm", "0.11.0", "o/Qwen3-VL-30B-A3B-Instruct-GGUF", {}, "vllm-gguf-of-the-hub"),
        ("vllm", "0.11.0", "o/Qwen3-VL-30B-A3B-Instruct", {}, None),
        ("tgi", "3.3.7", "o/Qwen3-8B-GGUF", {}, "tgi-gguf"),
        ("tgi", "3.3.7", "o/Qwen3-8B:Q4_K", {}, "tgi-gguf"),
        ("vllm", "0.11.0", "o/Qwen3-8B-GGUF:Q4_K", {}, "vllm-gguf-file-by-type"),
        ("vllm", "0.12.0", "o/Qwen3-8B-GGUF:Q4_K", {}, None),
        ("vllm", "0.15.1", "o/Qwen3-8B-GGUF:Q4_K_M", {}, "vllm-gguf-file-size"),
        ("vllm", "0.16.0", "o/Qwen3-8B-GGUF:Q4_K_M", {}, None),
        ("vllm", "0.19.1", "o/Qwen3-8B-GGUF:UD-Q4_K_XL", {}, "vllm-gguf-file-prefix"),
        ("vllm", "0.23.0", "o/Qwen3-8B-GGUF:UD-Q4_K_XL", {}, None),
        ("vllm", "0.24.0", "o/Qwen3-8B-GGUF:Q8_0", {}, "vllm-gguf-file-removed"),
    ],
)
def test_the_name_tells_how_a_checkpoint_is_stored_that_nobody_described(
    kind: str, version: str, model_id: str, fields: dict[str, Any], rule: str | None
) -> None:
    assert errors(kind, version, ModelTraits(id=model_id), **fields) == ({rule} if rule else set())


@pytest.mark.parametrize(
    ("version", "architecture", "refused"),
    [
        ("0.9.2", "VoxtralForConditionalGeneration", True),
        ("0.10.0", "VoxtralForConditionalGeneration", False),
        ("0.8.0", "Mistral3ForConditionalGeneration", False),
        ("0.9.2", "Ministral3ForCausalLM", False),
    ],
)
def test_the_format_of_mistral_hides_a_class_that_is_not_there_but_for_speech(
    version: str, architecture: str, refused: bool
) -> None:
    found = errors("vllm", version, like(QWEN, architecture=architecture), extra_args=("--config-format", "mistral"))
    assert ("vllm-model-of-a-later-release" in found) == refused


@pytest.mark.parametrize(
    ("version", "argument", "severity"),
    [
        ("0.10.0", "--model-impl=transformers", "warning"),
        ("0.10.0", "--model-impl=auto", "error"),
        ("0.10.0", None, "error"),
        ("0.10.1", "--model-impl=transformers", None),
    ],
)
def test_a_class_that_transformers_is_asked_to_serve_is_not_refused(
    version: str, argument: str | None, severity: str | None
) -> None:
    smol = like(QWEN, architecture="SmolLM3ForCausalLM")
    found = verdicts("vllm", version, smol, extra_args=(argument,) if argument else ())
    ours = [found[rule] for rule in ("vllm-model-of-a-later-release", "vllm-model-by-transformers") if rule in found]
    assert [verdict.severity for verdict in ours] == ([severity] if severity else [])
