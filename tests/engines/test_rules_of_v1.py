"""Releases with two engines: the newer, asked for by VLLM_USE_V1=1, and what the older one refuses."""

from typing import Any

import pytest

from tests.engines.rule_cases import H100, L4, QWEN, T4, errors, like

ENCODER = like(QWEN, architecture="BertModel")
WHISPER = like(QWEN, architecture="WhisperForConditionalGeneration")
ASKED = {"VLLM_USE_V1": "1"}


@pytest.mark.parametrize(
    ("version", "model", "gpu", "extra_args", "settings", "rule"),
    [
        ("0.8.2", QWEN, T4, (), {}, "vllm-v1-asked-of-old-card"),
        ("0.10.1", QWEN, T4, (), {}, "vllm-v1-asked-of-old-card"),
        ("0.10.2", QWEN, T4, (), {}, None),
        ("0.9.1", QWEN, L4, (), {"task": "embed"}, "vllm-v1-asked-of-pooling"),
        ("0.9.1", ENCODER, L4, (), {}, "vllm-v1-asked-of-pooling"),
        ("0.9.2", QWEN, L4, (), {"task": "embed"}, None),
        ("0.9.1", QWEN, L4, (), {"task": "generate"}, None),
        ("0.9.2", QWEN, L4, (), {"kvCacheDtype": "fp8"}, "vllm-v1-asked-for-fp8-cache"),
        ("0.9.2", QWEN, H100, (), {"kvCacheDtype": "fp8"}, None),
        ("0.9.1", QWEN, L4, (), {"dtype": "float32"}, "vllm-v1-asked-for-float32"),
        ("0.9.2", QWEN, L4, (), {"attentionBackend": "XFORMERS"}, "vllm-v1-asked-for-old-backend"),
        ("0.9.2", QWEN, L4, (), {"attentionBackend": "FLASH_ATTN"}, None),
        (
            "0.9.2",
            QWEN,
            L4,
            (),
            {"speculativeConfig": {"model": "Qwen/Qwen2.5-0.5B", "num_speculative_tokens": 3}},
            "vllm-v1-asked-for-draft-model",
        ),
        ("0.8.5", QWEN, L4, (), {"quantization": "gguf"}, "vllm-v1-asked-for-old-quantisation"),
        ("0.8.0", QWEN, L4, (), {"quantization": "bitsandbytes"}, "vllm-v1-asked-for-bitsandbytes"),
        ("0.8.3", QWEN, L4, (), {"quantization": "bitsandbytes"}, None),
        ("0.9.2", WHISPER, L4, (), {}, "vllm-v1-asked-of-old-model"),
        ("0.10.0", like(QWEN, architecture="BambaForCausalLM"), L4, (), {}, None),
        ("0.8.5", QWEN, L4, (), {"pp": 2}, "vllm-v1-asked-for-stages"),
        ("0.8.5", QWEN, L4, ("--distributed-executor-backend=ray",), {"pp": 2}, None),
        ("0.9.2", QWEN, L4, (), {"pp": 2}, None),
        ("0.10.1", QWEN, L4, ("--otlp-traces-endpoint=http://a:4317",), {}, "vllm-v1-asked-for-traces"),
        ("0.8.5", QWEN, L4, ("--num-scheduler-steps=8",), {}, "vllm-v1-asked-for-old-flags"),
        ("0.8.5", QWEN, L4, ("--num-scheduler-steps=1",), {}, None),
        ("0.10.2", QWEN, L4, ("--preemption-mode=swap",), {}, "vllm-v1-asked-for-old-flags"),
        ("0.9.1", QWEN, L4, ("--scheduling-policy=priority",), {}, "vllm-v1-asked-for-priorities"),
        ("0.9.2", QWEN, L4, ("--scheduling-policy=priority",), {}, None),
    ],
)
def test_a_release_with_both_engines_refuses_what_v1_lacks_only_where_v1_is_asked_for(
    version: str, model: Any, gpu: Any, extra_args: tuple[str, ...], settings: dict[str, Any], rule: str | None
) -> None:
    found = errors("vllm", version, model, gpu=gpu, extra_args=extra_args, extra_env=ASKED, **settings)
    assert {each for each in found if each.startswith("vllm-v1-asked")} == ({rule} if rule else set())
    unasked = errors("vllm", version, model, gpu=gpu, extra_args=extra_args, **settings)
    assert not {each for each in unasked if each.startswith("vllm-v1-asked")}


@pytest.mark.parametrize(
    ("version", "gpu", "variables", "settings", "refused"),
    [
        ("0.8.5", L4, {"VLLM_USE_V1": "0"}, {}, True),
        ("0.8.5", L4, {}, {}, False),
        ("0.8.5", L4, {"VLLM_USE_V1": "0"}, {"enableChunkedPrefill": True}, False),
        ("0.8.5", L4, {"VLLM_USE_V1": "0"}, {"maxModelLen": 4096}, False),
        ("0.10.1", T4, {}, {"dtype": "half"}, True),
        ("0.10.2", T4, {}, {"dtype": "half"}, False),
        ("0.9.2", L4, {}, {"kvCacheDtype": "fp8"}, True),
        ("0.9.2", H100, {}, {"kvCacheDtype": "fp8"}, False),
    ],
)
def test_the_old_engine_takes_no_prompt_longer_than_a_batch(
    version: str, gpu: Any, variables: dict[str, str], settings: dict[str, Any], refused: bool
) -> None:
    asked = {"maxModelLen": 4608, "maxNumBatchedTokens": 4096, **settings}
    found = errors("vllm", version, QWEN, gpu=gpu, extra_env=variables, **asked)
    assert ("vllm-batch-below-context-by-v0" in found) is refused


def test_the_old_engine_splits_prompts_unasked_where_the_context_is_long() -> None:
    long = like(QWEN, max_position_embeddings=131072)
    off = {"VLLM_USE_V1": "0"}
    assert errors("vllm", "0.8.5", long, extra_env=off, maxModelLen=65536, maxNumBatchedTokens=4096) == set()
