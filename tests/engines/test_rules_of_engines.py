"""What the engine once had and dropped, or never took over: refused where it ends, and not beside it."""

import pytest

from tests.engines.rule_cases import QWEN, errors


@pytest.mark.parametrize(
    ("version", "extra_args", "extra_env", "rule"),
    [
        ("0.10.2", ("--max-num-partial-prefills=2",), {}, None),
        ("0.11.0", ("--max-num-partial-prefills=2",), {}, "vllm-partial-prefills"),
        ("0.26.0", ("--max-long-partial-prefills", "4"), {}, "vllm-partial-prefills"),
        ("0.26.0", ("--max-num-partial-prefills=1",), {}, None),
        ("0.16.0", ("--logits-processor-pattern=a.*",), {}, "vllm-logits-processor-pattern"),
        ("0.10.2", (), {"VLLM_USE_V1": "0"}, None),
        ("0.11.0", (), {"VLLM_USE_V1": "0"}, "vllm-v1-alone"),
        ("0.11.0", (), {"VLLM_USE_V1": "1"}, None),
    ],
)
def test_what_v1_lacks_is_refused_where_there_is_no_v0(
    version: str, extra_args: tuple[str, ...], extra_env: dict[str, str], rule: str | None
) -> None:
    assert errors("vllm", version, QWEN, extra_args=extra_args, extra_env=extra_env) == ({rule} if rule else set())


@pytest.mark.parametrize(
    ("version", "speculative", "refused"),
    [
        ("0.9.2", {"model": "Qwen/Qwen2.5-0.5B-Instruct"}, False),
        ("0.10.0", {"model": "Qwen/Qwen2.5-0.5B-Instruct"}, True),
        ("0.14.1", {"model": "Qwen/Qwen2.5-0.5B-Instruct"}, True),
        ("0.14.1", {"method": "draft_model", "model": "Qwen/Qwen2.5-0.5B-Instruct"}, True),
        ("0.14.1", {"model": "yuhuili/EAGLE3-LLaMA3.1-Instruct-8B"}, False),
        ("0.14.1", {"method": "ngram"}, False),
        ("0.15.0", {"model": "Qwen/Qwen2.5-0.5B-Instruct"}, False),
    ],
)
def test_draft_models_left_with_v0_and_came_back_with_0_15(
    version: str, speculative: dict[str, str], refused: bool
) -> None:
    found = errors("vllm", version, QWEN, speculativeConfig={**speculative, "num_speculative_tokens": 3})
    assert ("vllm-draft-model-speculation" in found) is refused
