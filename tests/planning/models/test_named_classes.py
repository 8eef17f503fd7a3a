"""Classes of models that no catalogue describes, by their ids."""

import pytest

from l4serve.planning.models.named_classes import named_class
from l4serve.planning.workload.judgement.model_traits import model_traits
from tests.engines.rule_cases import errors

VISION = "meta-llama/Llama-3.2-11B-Vision-Instruct"

LARGE = "mistralai/Mistral-Large-3-675B-Instruct-2512"


@pytest.mark.parametrize(
    ("model_id", "name"),
    [
        (VISION, "MllamaForConditionalGeneration"),
        ("unsloth/gpt-oss-20b-bnb-4bit", "GptOssForCausalLM"),
        ("meta-llama/llama-3.2-11b-vision", "MllamaForConditionalGeneration"),
        ("Qwen/Qwen3-ASR-1.7B", "Qwen3ASRForConditionalGeneration"),
        ("Qwen/Qwen3-Omni-30B-A3B-Thinking", "Qwen3OmniMoeForConditionalGeneration"),
        ("deepseek-ai/DeepSeek-V3.2", "DeepseekV32ForCausalLM"),
        ("acme/Llama-3.2-11B-Vision", None),
        ("acme/model", None),
    ],
)
def test_a_listed_id_has_its_class(model_id: str, name: str | None) -> None:
    assert named_class(model_id) == name


@pytest.mark.parametrize(
    ("version", "model_id", "rule"),
    [
        ("0.11.0", VISION, "vllm-model-dropped"),
        ("0.10.2", VISION, None),
        ("0.15.1", "Qwen/Qwen3-ASR-1.7B", "vllm-model-of-a-later-release"),
        ("0.16.0", "Qwen/Qwen3-ASR-1.7B", "vllm-speech-without-decoder"),
        ("0.30.0", "Qwen/Qwen3-ASR-1.7B", None),
        ("0.8.4", "nomic-ai/nomic-embed-text-v1.5", "vllm-model-of-a-later-release"),
        ("0.10.2", "LiquidAI/LFM2-VL-1.6B", "vllm-model-of-a-later-release"),
        ("0.14.0", "LiquidAI/LFM2-VL-1.6B", None),
        ("0.11.2", LARGE, "vllm-model-of-a-later-release"),
        ("0.13.0", LARGE, None),
        ("0.12.0", "XiaomiMiMo/MiMo-V2-Flash", "vllm-model-of-a-later-release"),
        ("0.19.0", "XiaomiMiMo/MiMo-V2-Flash", None),
        ("0.13.0", "zai-org/GLM-4.7-Flash", "vllm-model-of-a-later-release"),
        ("0.16.0", "zai-org/GLM-4.7-Flash", "vllm-type-of-transformers-5"),
        ("0.19.1", "zai-org/GLM-4.7-Flash", None),
        ("0.11.0", "acme/model", None),
    ],
)
def test_a_release_without_the_class_refuses_the_id(version: str, model_id: str, rule: str | None) -> None:
    found = errors("vllm", version, model_traits(None, model_id))
    assert rule in found if rule else found == set()


def test_an_image_of_ones_own_may_have_a_newer_transformers() -> None:
    flash = model_traits(None, "zai-org/GLM-4.7-Flash")
    assert errors("vllm", "0.16.0", flash, image="acme/vllm:0.16.0-transformers5") == set()


def test_a_class_that_text_generation_inference_lacks_is_refused_by_its_id() -> None:
    assert "tgi-unknown-model" in errors("tgi", "2.4.0", model_traits(None, LARGE))
    assert errors("tgi", "2.4.0", model_traits(None, "acme/model")) == set()


def test_a_class_alone_describes_nothing_else() -> None:
    assert not model_traits(None, VISION).described
