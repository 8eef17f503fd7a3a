"""Rules about classes whose config the repository's own code reads."""

from typing import Any

import pytest

from tests.engines.rule_cases import QWEN, errors, like


@pytest.mark.parametrize("version", ["0.9.2", "0.26.0", "0.33.0"])
@pytest.mark.parametrize(
    ("architecture", "fields", "refused"),
    [
        ("MiMoForCausalLM", {}, True),
        ("MiMoForCausalLM", {"trustRemoteCode": False}, True),
        ("MiMoForCausalLM", {"trustRemoteCode": True}, False),
        ("InternLM2ForCausalLM", {}, True),
        ("MiniCPMV", {}, True),
        ("MiniCPMV", {"trustRemoteCode": True}, False),
        ("InternVLChatModel", {}, True),
        ("InternVLForConditionalGeneration", {}, False),
        ("Phi4MMForCausalLM", {}, True),
        ("Qwen2ForCausalLM", {}, False),
        ("Qwen2_5_VLForConditionalGeneration", {}, False),
    ],
)
def test_a_class_whose_config_is_remote_code_needs_trust(
    version: str, architecture: str, fields: dict[str, Any], refused: bool
) -> None:
    assert _refused(version, architecture, **fields) == refused


@pytest.mark.parametrize(
    ("version", "architecture", "refused"),
    [
        ("0.8.5", "InternVLChatModel", False),
        ("0.9.1", "InternVLChatModel", False),
        ("0.9.1", "MiniCPMV", True),
        ("0.9.2", "SkyworkR1VChatModel", False),
        ("0.10.2", "SkyworkR1VChatModel", True),
        ("0.9.2", "DeepseekV2ForCausalLM", True),
        ("0.10.0", "DeepseekV2ForCausalLM", True),
        ("0.10.1", "DeepseekV2ForCausalLM", False),
        ("0.33.0", "DeepseekV2ForCausalLM", False),
        ("0.9.2", "DeepseekV3ForCausalLM", False),
    ],
)
def test_trust_is_asked_for_where_the_release_has_no_config_of_its_own(
    version: str, architecture: str, refused: bool
) -> None:
    assert _refused(version, architecture) == refused


def _refused(version: str, architecture: str, **fields: Any) -> bool:
    found = errors("vllm", version, like(QWEN, architecture=architecture), **fields)
    return any(rule.startswith("vllm-model-of-remote-code") for rule in found)
