"""Writes a model's folder with all that its processor needs, so that a tower of dummy weights is profiled.

    python -m benchmarks.gpu.made_processor MODELS_DIR NAME...

`processors.json` says what the model NAME needs beside its config.json.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from benchmarks.gpu.made_tekken import write_tekken
from benchmarks.gpu.made_tokenizer import vocabulary_of, write_tokenizer

HERE = Path(__file__).parent
CONFIGS = HERE.parents[1] / "l4serve/planning/memory/data/configs"


def write_model(models: Path, name: str) -> Path:
    """Writes the folder of one model and gives it."""
    needs = json.loads((HERE / "processors.json").read_text())[name]
    folder = models / name
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(CONFIGS / f"{name}.json", folder / "config.json")
    if "words" in needs:
        write_tokenizer(folder, needs["words"], needs.get("named", {}))
    else:
        write_tekken(folder, vocabulary_of(json.loads((folder / "config.json").read_text())))
    for file, content in needs.get("files", {}).items():
        (folder / file).write_text(json.dumps(content))
    if "items" in needs:
        (folder / "items.json").write_text(json.dumps(needs["items"]))
    if "remote" in needs:
        for file in (HERE / "stand_ins" / needs["remote"]).iterdir():
            shutil.copy(file, folder)
    return folder


if __name__ == "__main__":
    for model in sys.argv[2:]:
        write_model(Path(sys.argv[1]), model)
