"""The folders that are written for a start: every model has its config, and every mark lies in its vocabulary."""

import json
from pathlib import Path

import pytest

from benchmarks.gpu.made_processor import CONFIGS, HERE, write_model
from benchmarks.gpu.made_tokenizer import vocabulary_of

NEEDS = {name: needs for name, needs in json.loads((HERE / "processors.json").read_text()).items() if name != "note"}


@pytest.mark.parametrize("name", NEEDS)
def test_marks_lie_in_the_vocabulary(name: str) -> None:
    needs = NEEDS[name]
    words = vocabulary_of(json.loads((CONFIGS / f"{name}.json").read_text()))
    ids = list(needs.get("words", {}).values())
    assert len(ids) == len(set(ids))
    assert all(256 <= number < words for number in ids)
    assert set(needs.get("named", {}).values()) <= set(needs.get("words", {}))


def test_a_folder_has_what_a_start_reads(tmp_path: Path) -> None:
    folder = write_model(tmp_path, "internvl3-2b")
    vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    assert vocabulary["<IMG_CONTEXT>"] == 151667
    assert (folder / "configuration_internvl_chat.py").exists()


def test_a_model_that_hears_gets_mistrals_format(tmp_path: Path) -> None:
    folder = write_model(tmp_path, "voxtral-mini-3b")
    tekken = json.loads((folder / "tekken.json").read_text())
    assert len(tekken["vocab"]) + len(tekken["special_tokens"]) == 131072
    assert tekken["special_tokens"][24]["token_str"] == "[AUDIO]"
    assert (folder / "params.json").exists()
