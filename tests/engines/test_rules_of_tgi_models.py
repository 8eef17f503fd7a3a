"""What a TGI release makes of a checkpoint and of its own switches: refused where the server ends at start."""

import pytest

from l4serve.engines.traits import GpuTraits, ModelTraits
from tests.engines.rule_cases import L4, QWEN, T4, errors, like

NEMO = like(QWEN, architecture="MistralForCausalLM", num_attention_heads=32, head_dim=128, hidden_size=5120)
PLAIN = like(NEMO, hidden_size=4096)
MINITRON = like(NEMO, architecture="LlamaForCausalLM", hidden_size=3072)
AWQ = like(QWEN, quantization_method="awq", quantization_bits=4)
FP8 = like(QWEN, quantization_method="fp8", quantization_bits=8)
PACKED = like(QWEN, quantization_method="bitsandbytes", quantization_bits=4)
OWN = {"tgi-head-width-before-2.2", "tgi-head-width", "tgi-quantize-over-quantised", "tgi-prefixes-without-kernel"}
OWN |= {"tgi-total-without-input"}


@pytest.mark.parametrize(
    ("version", "model", "rule"),
    [
        ("2.0.4", NEMO, "tgi-head-width-before-2.2"),
        ("2.2.0", NEMO, None),
        ("2.0.4", PLAIN, None),
        ("3.3.7", MINITRON, "tgi-head-width"),
        ("3.3.7", QWEN, None),
    ],
)
def test_heads_that_do_not_fill_the_width(version: str, model: ModelTraits, rule: str | None) -> None:
    assert errors("tgi", version, model) & OWN == ({rule} if rule else set())


@pytest.mark.parametrize(
    ("model", "quantize", "refused"),
    [
        (AWQ, "fp8", True),
        (AWQ, "eetq", True),
        (AWQ, "bitsandbytes-nf4", True),
        (AWQ, "gptq", False),
        (FP8, "awq", True),
        (FP8, "fp8", False),
        (QWEN, "eetq", False),
    ],
)
def test_a_checkpoint_that_is_quantised_is_read_by_its_own_method(
    model: ModelTraits, quantize: str, refused: bool
) -> None:
    assert ("tgi-quantize-over-quantised" in errors("tgi", "3.0.0", model, quantize=quantize)) == refused


@pytest.mark.parametrize(
    ("version", "model", "quantize", "refused"),
    [
        ("3.1.0", PACKED, None, True),
        ("2.0.4", PACKED, "bitsandbytes-nf4", True),
        ("3.1.0", QWEN, "bitsandbytes-nf4", False),
        ("3.1.0", AWQ, None, False),
        ("3.3.7", like(PACKED, architecture="SmolLM3ForCausalLM"), None, False),
    ],
)
def test_no_checkpoint_that_bitsandbytes_packed_is_read(
    version: str, model: ModelTraits, quantize: str | None, refused: bool
) -> None:
    found = errors("tgi", version, model, **({"quantize": quantize} if quantize else {}))
    assert ("tgi-bitsandbytes-checkpoint" in found) == refused


@pytest.mark.parametrize(
    ("version", "architecture", "refused"),
    [
        ("3.3.5", "Qwen2_5_VLForConditionalGeneration", True),
        ("2.4.1", "PhiForCausalLM", True),
        ("3.3.7", "FalconForCausalLM", True),
        ("3.3.7", "LlamaForCausalLM", False),
        ("2.4.1", "GemmaForCausalLM", False),
    ],
)
def test_adapters_need_layers_under_the_names_that_tgi_looks_for(
    version: str, architecture: str, refused: bool
) -> None:
    model = like(QWEN, architecture=architecture)
    adapters = [{"name": "a", "path": "acme/adapter"}]
    assert ("tgi-lora-without-layers" in errors("tgi", version, model, loraAdapters=adapters)) == refused
    assert "tgi-lora-without-layers" not in errors("tgi", version, model)


@pytest.mark.parametrize(
    ("version", "attention", "env", "refused"),
    [
        ("2.4.1", "paged", {"PREFIX_CACHING": "1"}, True),
        ("2.4.1", "paged", {"USE_PREFIX_CACHING": "1"}, False),
        ("2.3.1", "paged", {"USE_PREFIX_CACHING": "true"}, True),
        ("3.0.0", "flashdecoding", {"PREFIX_CACHING": "1"}, False),
        ("3.0.0", "paged", {"PREFIX_CACHING": "0"}, False),
    ],
)
def test_prefixes_are_cached_by_two_kernels(version: str, attention: str, env: dict[str, str], refused: bool) -> None:
    found = errors("tgi", version, QWEN, extra_env=env, attention=attention)
    assert ("tgi-prefixes-without-kernel" in found) == refused


@pytest.mark.parametrize(
    ("version", "limits", "refused"),
    [
        ("2.4.1", {"maxTotalTokens": 8192}, True),
        ("2.4.1", {"maxTotalTokens": 8192, "maxInputTokens": 8000}, False),
        ("2.4.1", {}, False),
        ("2.4.0", {"maxTotalTokens": 8192}, False),
        ("3.0.0", {"maxTotalTokens": 8192}, False),
    ],
)
def test_one_release_needs_the_longest_prompt_beside_the_total(
    version: str, limits: dict[str, int], refused: bool
) -> None:
    assert ("tgi-total-without-input" in errors("tgi", version, QWEN, **limits)) == refused


@pytest.mark.parametrize(
    ("version", "gpu", "env", "refused"),
    [
        ("2.1.0", T4, {}, True),
        ("2.2.0", T4, {}, True),
        ("2.2.0", T4, {"USE_FLASH_ATTENTION": "False"}, False),
        ("2.2.0", T4, {"USE_FLASH_ATTENTION": "true"}, True),
        ("2.0.4", T4, {}, False),
        ("2.3.0", T4, {}, False),
        ("2.2.0", L4, {}, False),
    ],
)
def test_releases_that_take_flash_attention_2_on_every_card(
    version: str, gpu: GpuTraits, env: dict[str, str], *, refused: bool
) -> None:
    """https://github.com/huggingface/text-generation-inference/issues/2456"""
    found = errors("tgi", version, QWEN, gpu=gpu, extra_env=env)
    assert ("tgi-flash-attention-2-before-ampere" in found) == refused
