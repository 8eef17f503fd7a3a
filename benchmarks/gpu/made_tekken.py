"""Writes a tokenizer of single bytes in Mistral's own format (tekken.json), for models that hear."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

SPECIAL = 1000
MARKS = (
    *("<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]"),
    *(
        "[/TOOL_RESULTS]",
        "[TOOL_CALLS]",
        "[IMG]",
        "<pad>",
        "[IMG_BREAK]",
        "[IMG_END]",
        "[PREFIX]",
        "[MIDDLE]",
        "[SUFFIX]",
    ),
    *("[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[TOOL_CONTENT]", "[ARGS]", "[CALL_ID]", "<left>", "<right>"),
    *("[AUDIO]", "[BEGIN_AUDIO]", "[TRANSCRIBE]"),
)
"""The first special words, in the order of their ids; the one of audio is 24, as the model's config.json says."""
AUDIO = {
    "sampling_rate": 16000,
    "frame_rate": 12.5,
    "audio_encoding_config": {"num_mel_bins": 128, "window_size": 400, "hop_length": 160},
    "chunk_length_s": 30.0,
}


def tekken(vocabulary: int) -> dict[str, Any]:
    """A vocabulary of so many words, the first of them special; pieces past the bytes are words that no text gives."""
    pieces = [bytes([n]) if n < 256 else b"\xff\xfe" + n.to_bytes(4, "big") for n in range(vocabulary - SPECIAL)]
    words = [
        {"rank": n, "token_bytes": base64.b64encode(piece).decode(), "token_str": None}
        for n, piece in enumerate(pieces)
    ]
    marks = [
        {"rank": n, "token_str": MARKS[n] if n < len(MARKS) else f"<SPECIAL_{n}>", "is_control": True}
        for n in range(SPECIAL)
    ]
    about = {
        "pattern": "[^\\n]+|\\n",
        "num_vocab_tokens": len(words),
        "default_vocab_size": vocabulary,
        "default_num_special_tokens": SPECIAL,
        "version": "v7",
    }
    return {"config": about, "vocab": words, "special_tokens": marks, "audio": AUDIO, "version": 1, "type": "Tekken"}


def write_tekken(folder: Path, vocabulary: int) -> None:
    """Writes tekken.json into a model's folder."""
    (folder / "tekken.json").write_text(json.dumps(tekken(vocabulary)))
