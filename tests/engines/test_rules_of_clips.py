"""Whisper reads a clip in one step, which the step must hold, by packages that the image must have."""

import pytest

from tests.engines.rule_cases import QWEN, errors, like, verdicts

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


@pytest.mark.parametrize(
    ("version", "image", "refused"),
    [
        ("0.8.0", None, True),
        ("0.13.0", None, True),
        ("0.22.1", "docker.io/vllm/vllm-openai:v0.22.1", True),
        ("0.29.0", None, True),
        ("0.30.0", None, False),
        ("0.33.0", None, False),
        ("0.13.0", "ghcr.io/acme/vllm-audio:1", False),
    ],
)
def test_a_server_of_speech_needs_an_image_that_reads_audio(version: str, image: str | None, *, refused: bool) -> None:
    named = {"image": image} if image else {}
    assert ("vllm-speech-without-decoder" in errors("vllm", version, WHISPER, **named)) is refused
    assert "vllm-speech-without-decoder" not in errors("vllm", version, QWEN, **named)


@pytest.mark.parametrize(("version", "told"), [("0.13.0", True), ("0.26.0", True), ("0.30.0", False)])
def test_a_model_that_hears_beside_reading_is_warned_of(version: str, *, told: bool) -> None:
    voxtral = verdicts("vllm", version, like(QWEN, architecture="VoxtralForConditionalGeneration"))
    assert ("vllm-audio-without-decoder" in voxtral) is told
    assert all(verdict.severity != "error" for verdict in voxtral.values())
