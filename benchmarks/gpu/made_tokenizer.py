"""Writes a tokenizer of single bytes beside a config.json, so that a server of dummy weights takes and gives text.

python -m benchmarks.gpu.made_tokenizer MODEL_DIR
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def byte_letters() -> list[str]:
    """The letter of each byte in a byte-level vocabulary: itself where it is printed, else one from 256 on."""
    printed = {*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAC + 1), *range(0xAE, 0xFF + 1)}
    others = [byte for byte in range(256) if byte not in printed]
    return [chr(byte if byte in printed else 256 + others.index(byte)) for byte in range(256)]


def tokenizer(vocabulary: int, marks: Mapping[str, int]) -> dict[str, Any]:
    """A byte-level tokenizer without merges; entries past the bytes are words that no text gives, as `w300`.

    `marks` are words that a text does give, each with its id past the bytes.
    """
    words = [*byte_letters(), *(f"w{number}" for number in range(256, vocabulary))]
    for mark, number in marks.items():
        words[number] = mark
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {
        "version": "1.0",
        "added_tokens": [{"id": number, "content": mark, **plain} for mark, number in sorted(marks.items())],
        "pre_tokenizer": byte_level,
        "decoder": byte_level,
        "model": {"type": "BPE", "vocab": {word: number for number, word in enumerate(words)}, "merges": []},
    }


def vocabulary_of(config: Mapping[str, Any]) -> int:
    """Words of a model's decoder, wherever its config.json keeps that."""
    inner = (config.get(key) for key in ("text_config", "llm_config", "language_config", "thinker_config"))
    part = next((each for each in inner if isinstance(each, Mapping)), None)
    return int(config["vocab_size"]) if part is None else vocabulary_of(part)


def write_tokenizer(folder: Path, marks: Mapping[str, int] = {}, named: Mapping[str, str] = {}) -> None:
    """Writes tokenizer.json and tokenizer_config.json for the model of the folder's config.json.

    `named` are attributes of the tokenizer, each with the mark that it names.
    """
    vocabulary = vocabulary_of(json.loads((folder / "config.json").read_text()))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer(vocabulary, marks)))
    first = {name: mark for name, mark in named.items() if name in ("bos_token", "eos_token", "pad_token")}
    others = {name: mark for name, mark in named.items() if name not in first}
    about = {"tokenizer_class": "PreTrainedTokenizerFast", **first, "extra_special_tokens": others}
    (folder / "tokenizer_config.json").write_text(json.dumps(about))


if __name__ == "__main__":
    write_tokenizer(Path(sys.argv[1]))
