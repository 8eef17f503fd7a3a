"""Records which texts a vLLM release's own modules cannot read in each environment variable. Needs no GPU.

Run it by a Python that has torch, over unpacked releases; no module is loaded but `vllm.envs`, `vllm.logger`, and what
these import:

    $ python -m scripts.observe_environment FOLDER      # FOLDER/vllm-0.26.0 and so on

The tests hold the contracts against what it writes to tests/engines/observed/vllm-environment.json.
"""

import importlib
import json
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

from packaging.version import Version

from scripts.contractgen.contract_files import Spans, render

OBSERVED = Path(__file__).parents[1] / "tests" / "engines" / "observed" / "vllm-environment.json"
SAMPLES = (
    *("", " ", "0", "1", "-3", " 7 ", "+2", "1_0", "1.5", "1e3", "inf", "true", "False", "None", "yes", "NOPE", "auto"),
    *("DEBUG", "debug", "WARN", "10", '{"a": 1}', "[1]", "{", "spawn", "Spawn", "NHD", "INT8", "int8", "Release"),
    *("high", "HIGH", "sha256", "container", "container, web_search_preview", "container,no", "FLASH_ATTN", "cutlass"),
)
"""Texts that are tried in each variable."""


def refused(tree: Path) -> dict[str, list[str]]:
    """By variable, the samples that end whoever reads it; variables that cannot be read here at all are left out."""
    package: Any = types.ModuleType("vllm")
    package.__path__ = [str(tree / "vllm")]
    sys.modules["vllm"] = package
    envs: Any = importlib.import_module("vllm.envs")
    readers = dict(envs.environment_variables)
    readers["VLLM_LOGGING_LEVEL"] = _configure_logging
    found = {}
    for name, read in readers.items():
        if not _fails(read, name, None):
            found[name] = [text for text in SAMPLES if _fails(read, name, text)]
    return {name: texts for name, texts in found.items() if texts}


def _configure_logging() -> None:
    sys.modules.pop("vllm.logger", None)
    logger: Any = importlib.import_module("vllm.logger")
    logger._configure_vllm_root_logger()


def _fails(read: Any, name: str, text: str | None) -> bool:
    before = os.environ.pop(name, None)
    try:
        if text is not None:
            os.environ[name] = text
        read()
    except Exception:
        return True
    finally:
        os.environ.pop(name, None)
        if before is not None:
            os.environ[name] = before
    return False


def main(argv: list[str]) -> int:
    folder = Path(argv[0])
    if argv[1:]:
        print(json.dumps(refused(folder)))
        return 0
    seen: dict[str, dict[str, Any]] = {}
    for tree in folder.glob("vllm-*/"):
        asked = [sys.executable, "-m", "scripts.observe_environment", str(tree), "one"]
        answer = subprocess.run(asked, capture_output=True, text=True, check=True)
        seen[tree.name.removeprefix("vllm-")] = json.loads(answer.stdout.splitlines()[-1])
    releases = sorted(seen, key=Version)
    sets = sorted({tuple(texts) for found in seen.values() for texts in found.values()})
    numbered = {r: {name: sets.index(tuple(texts)) for name, texts in found.items()} for r, found in seen.items()}
    table = {
        "releases": releases,
        "samples": SAMPLES,
        "sets": {str(number): texts for number, texts in enumerate(sets)},
        "refused": Spans(releases).rows(numbered),
    }
    OBSERVED.write_text(render(table), encoding="utf-8")
    print(f"{OBSERVED.name}: {len(releases)} releases")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
