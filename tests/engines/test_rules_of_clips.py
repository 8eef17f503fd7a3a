"""Whisper reads a clip in one step, which the step must hold."""

import pytest

from tests.engines.rule_cases import QWEN, errors, like

WHISPER = like(QWEN, architecture="WhisperForConditionalGeneration")
RULE = "vllm-clip-beyond-the-step"


@pytest.mark.parametrize(
    ("version", "tokens", "refused"),
    [("0.13.0", 448, True), ("0.13.0", 1500, False), ("0.11.0", 1024, True), ("0.10.2", 448, False)],
)
def test_a_clip_fits_a_step(version: str, tokens: int, refused: bool) -> None:
    assert (RULE in errors("vllm", version, WHISPER, maxNumBatchedTokens=tokens)) is refused
    assert RULE not in errors("vllm", version, QWEN, maxNumBatchedTokens=tokens)


def test_the_default_step_holds_a_clip() -> None:
    assert RULE not in errors("vllm", "0.13.0", WHISPER)
