"""Drafts beside pipeline stages, and connectors that belong to one engine: refused where the class or engine ends."""

import pytest

from l4serve.engines.traits import ModelTraits
from tests.engines.rule_cases import L4, QWEN, T4, errors, like

HYBRID = like(QWEN, architecture="Qwen3_5ForConditionalGeneration")
NEXT = like(QWEN, architecture="Qwen3NextForCausalLM")
NGRAM = {"method": "ngram", "num_speculative_tokens": 3, "prompt_lookup_max": 3}
OWN = {"method": "mtp", "num_speculative_tokens": 1}
HEAD = {"method": "eagle3", "model": "yuhuili/EAGLE3-LLaMA3.1-Instruct-8B", "num_speculative_tokens": 3}
OF_V0, WITHOUT = "vllm-drafts-over-stages-of-v0", "vllm-draft-without-stages"


@pytest.mark.parametrize(
    ("version", "model", "speculative", "rule"),
    [
        ("0.8.5", QWEN, NGRAM, OF_V0),
        ("0.9.2", QWEN, NGRAM, None),
        ("0.13.0", NEXT, OWN, None),
        ("0.14.0", NEXT, OWN, WITHOUT),
        ("0.17.1", HYBRID, OWN, WITHOUT),
        ("0.29.0", HYBRID, OWN, WITHOUT),
        ("0.30.0", HYBRID, OWN, None),
        ("0.26.0", QWEN, HEAD, WITHOUT),
        ("0.26.0", QWEN, NGRAM, None),
    ],
)
def test_drafts_over_stages(version: str, model: ModelTraits, speculative: dict[str, object], rule: str | None) -> None:
    found = errors("vllm", version, model, pp=2, pipelineParallelSize=2, speculativeConfig=speculative)
    assert found & {OF_V0, WITHOUT} == ({rule} if rule else set())
    assert not errors("vllm", version, model, speculativeConfig=speculative) & {OF_V0, WITHOUT}


@pytest.mark.parametrize(
    ("version", "connector", "rule"),
    [
        ("0.8.4", "LMCacheConnector", None),
        ("0.8.5", "LMCacheConnector", "vllm-connector-of-v0-under-v1"),
        ("0.8.5", "LMCacheConnectorV1", None),
        ("0.10.2", "LMCacheConnector", "vllm-connector-gone-with-v0"),
        ("0.26.0", "LMCacheConnectorV1", None),
    ],
)
def test_connectors_of_an_engine_that_does_not_serve(version: str, connector: str, rule: str | None) -> None:
    asked = ("--kv-transfer-config", f'{{"kv_connector": "{connector}", "kv_role": "kv_both"}}')
    told = {"vllm-connector-of-v0-under-v1", "vllm-connector-gone-with-v0"}
    assert errors("vllm", version, QWEN, extra_args=asked) & told == ({rule} if rule else set())
    if version == "0.8.5":
        assert not errors("vllm", version, QWEN, gpu=T4, extra_args=asked, dtype="half") & told
        off = {"VLLM_USE_V1": "0"}
        assert not errors("vllm", version, QWEN, gpu=L4, extra_args=asked, extra_env=off) & told


def test_a_class_of_mistrals_format_is_not_asked_of_the_release() -> None:
    model = like(QWEN, architecture="Mistral3ForConditionalGeneration")
    rule = "vllm-model-of-a-later-release"
    assert rule in errors("vllm", "0.8.0", model)
    assert rule not in errors("vllm", "0.8.0", model, extra_args=("--config_format", "mistral"))


@pytest.mark.parametrize(
    ("version", "extra_args", "settings", "rule"),
    [
        ("0.13.0", ("--kv-offloading-backend", "native"), {}, "vllm-offloading-without-size"),
        ("0.13.0", ("--kv-offloading-backend", "native"), {"kvOffloadingSize": 8}, None),
        ("0.14.0", ("--kv-offloading-backend", "native"), {}, None),
        ("0.12.0", ("--no-disable-hybrid-kv-cache-manager",), {"kvOffloadingSize": 8}, None),
        (
            "0.13.0",
            ("--no-disable-hybrid-kv-cache-manager",),
            {"kvOffloadingSize": 8},
            "vllm-connector-beside-grouped-caches",
        ),
        ("0.13.0", ("--no-disable-hybrid-kv-cache-manager",), {}, None),
        ("0.26.0", ("--no-disable-hybrid-kv-cache-manager",), {"kvOffloadingSize": 8}, None),
        ("0.26.0", ("--compilation-config", '{"compile_sizes": ["cudagraph"]}'), {}, "vllm-unknown-compile-size"),
        ("0.26.0", ("-cc", '{"compile_sizes": [1, "cudagraph"]}'), {}, "vllm-unknown-compile-size"),
        ("0.26.0", ("--compilation-config", '{"compile_sizes": ["cudagraph_capture_sizes", 4]}'), {}, None),
        ("0.26.0", ("-ac.flash_attn_version", "3"), {}, "vllm-flash-attention-3-before-hopper"),
        ("0.26.0", ("-ac.flash_attn_version=2",), {}, None),
    ],
)
def test_options_that_a_release_takes_and_refuses_later(
    version: str, extra_args: tuple[str, ...], settings: dict[str, int], rule: str | None
) -> None:
    assert errors("vllm", version, QWEN, extra_args=extra_args, **settings) == ({rule} if rule else set())


def test_a_connector_without_groups_beside_them() -> None:
    both = ("--no-disable-hybrid-kv-cache-manager", "--kv-transfer-config")
    asked = (*both, '{"kv_connector": "LMCacheConnectorV1", "kv_role": "kv_both"}')
    assert "vllm-connector-without-grouped-caches" in errors("vllm", "0.26.0", QWEN, extra_args=asked)
    asked = (*both, '{"kv_connector": "NixlConnector", "kv_role": "kv_both"}')
    assert not errors("vllm", "0.26.0", QWEN, extra_args=asked)


def test_prefixes_of_a_windowed_model_are_not_kept_by_v0() -> None:
    rule, windowed = "vllm-prefixes-in-a-window-of-v0", like(QWEN, architecture="MistralForCausalLM", windowed=True)
    asked = {"gpu": T4, "dtype": "half", "enablePrefixCaching": True}
    assert rule in errors("vllm", "0.8.5", windowed, **asked)
    assert rule not in errors("vllm", "0.8.5", QWEN, **asked)
    assert rule not in errors("vllm", "0.8.5", windowed, gpu=L4, enablePrefixCaching=True)
    assert rule not in errors("vllm", "0.10.2", windowed, **asked)
    assert rule not in errors("vllm", "0.8.5", windowed, extra_args=("--disable-sliding-window",), **asked)


@pytest.mark.parametrize(
    ("version", "architecture", "stages", "refused"),
    [
        ("0.9.1", "DeepseekV2ForCausalLM", 2, False),
        ("0.9.2", "DeepseekV2ForCausalLM", 2, True),
        ("0.9.2", "DeepseekV2ForCausalLM", 1, False),
        ("0.9.2", "Qwen3MoeForCausalLM", 2, False),
        ("0.10.0", "DeepseekV3ForCausalLM", 2, False),
        ("0.10.0", "Glm4MoeForCausalLM", 2, True),
        ("0.10.1", "Glm4MoeForCausalLM", 2, False),
    ],
)
def test_experts_that_a_stage_lacks(version: str, architecture: str, stages: int, refused: bool) -> None:
    found = errors("vllm", version, like(QWEN, architecture=architecture), pp=stages, pipelineParallelSize=stages)
    assert ("vllm-experts-counted-over-stages" in found) is refused


@pytest.mark.parametrize(
    ("version", "method", "refused"),
    [
        ("2.2.0", "fp8", True),
        ("2.3.0", "fp8", True),
        ("2.3.1", "fp8", False),
        ("2.2.0", "fbgemm_fp8", False),
        ("2.2.0", None, False),
    ],
)
def test_scalar_scales_of_tgi(version: str, method: str | None, refused: bool) -> None:
    assert ("tgi-scalar-fp8-scales" in errors("tgi", version, like(QWEN, quantization_method=method))) is refused
