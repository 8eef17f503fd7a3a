"""Writes a tokenizer of single bytes beside a config.json, so that a server of dummy weights takes and gives text.

python -m benchmarks.gpu.made_tokenizer MODEL_DIR
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def byte_letters() -> list[str]:
    """The letter of each byte in a byte-level vocabulary: itself where it is printed, else one from 256 on."""
    printed = {*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAC + 1), *range(0xAE, 0xFF + 1)}
    others = [byte for byte in range(256) if byte not in printed]
    return [chr(byte if byte in printed else 256 + others.index(byte)) for byte in range(256)]


def tokenizer(vocabulary: int) -> dict[str, Any]:
    """A byte-level tokenizer without merges; entries past the bytes are words that no text gives, as `w300`."""
    words = [*byte_letters(), *(f"w{number}" for number in range(256, vocabulary))]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    return {
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": byte_level,
        "decoder": byte_level,
        "model": {"type": "BPE", "vocab": {word: number for number, word in enumerate(words)}, "merges": []},
    }


def write_tokenizer(folder: Path) -> None:
    """Writes tokenizer.json and tokenizer_config.json for the model of the folder's config.json."""
    vocabulary = json.loads((folder / "config.json").read_text())["vocab_size"]
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer(vocabulary)))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}))


if __name__ == "__main__":
    write_tokenizer(Path(sys.argv[1]))
