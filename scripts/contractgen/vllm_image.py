"""What a vLLM release's Dockerfile and requirements say of its official image."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

_STAGE = re.compile(r"^FROM (\S+) AS (\S+)", re.MULTILINE)
_PACKAGES = ("opentelemetry-sdk", "runai-model-streamer", "bitsandbytes", "fastsafetensors", "tensorizer", "ray")
"""Packages that a flag needs and that not every image has."""
_AUDIO_READERS = ("vllm/multimodal/media/audio.py", "vllm/multimodal/audio.py")
"""Where audio is decoded, the newest place first."""
_DECODERS = re.compile(r"^    (?:import|from) (librosa|soundfile|av|torchcodec)\b", re.MULTILINE)
"""Packages that decode audio, each imported where it is there. Librosa decodes by the others: none does without it."""


def read_image(root: Path) -> dict[str, Any] | None:
    """CUDA version, user, packages, and whether the image finds GKE's driver; None without a Dockerfile.

    GKE mounts the driver at /usr/local/nvidia; the base images of CUDA 12.8 and 12.9 do not search there, those before
    and after do (https://github.com/vllm-project/vllm/issues/18859).
    """
    text = _dockerfile(root)
    if not text:
        return None
    cuda = re.search(r"^ARG CUDA_VERSION=([\d.]+)", text, re.MULTILINE)
    assert cuda
    series = tuple(map(int, cuda.group(1).split(".")[:2]))
    final = _lineage(text, "vllm-openai")
    searches = bool(re.search(r"^ENV LD_LIBRARY_PATH=\S*/usr/local/nvidia/lib64", final, re.MULTILINE))
    user = re.findall(r"^USER (\S+)", final, re.MULTILINE)
    packages = _installed(root, final)
    image: dict[str, Any] = {
        "cuda": cuda.group(1),
        "findsDriver": searches or not (12, 8) <= series < (13, 0),
        "packages": sorted(name for name in _PACKAGES if packages(name)),
        "user": user[-1] if user else "root",
    }
    if "VLLM_ENABLE_CUDA_COMPATIBILITY" in text:
        image["compatibility"] = "VLLM_ENABLE_CUDA_COMPATIBILITY"
    if any(packages(name) for name in _decoders(root)):
        image["audio"] = True
    return image


def read_command(root: Path) -> list[str] | None:
    """The official image's entry point; None without a Dockerfile."""
    entries: list[list[str]] = [
        json.loads(entry) for entry in re.findall(r"^ENTRYPOINT (\[.*\])", _dockerfile(root), re.MULTILINE)
    ]
    return next((entry for entry in entries if not entry[0].startswith((".", "/"))), None)


def _dockerfile(root: Path) -> str:
    """The Dockerfile, whose place moved with 0.8.3; empty in a wheel, which ships none."""
    places = (root / "docker" / "Dockerfile", root / "Dockerfile")
    return next((place.read_text(encoding="utf-8") for place in places if place.is_file()), "")


def _lineage(text: str, stage: str) -> str:
    """The text of a build stage and of those that it is built on."""
    starts = list(_STAGE.finditer(text))
    ends = [*(start.start() for start in starts[1:]), len(text)]
    stages = {s.group(2): (s.group(1), text[s.end() : end]) for s, end in zip(starts, ends, strict=True)}
    parts: list[str] = []
    while stage in stages:
        stage, part = stages[stage]
        parts.insert(0, part)
    return "\n".join(parts)


def _decoders(root: Path) -> set[str]:
    """Packages of which any one lets the server read audio."""
    readers = (root / name for name in _AUDIO_READERS)
    text = next((reader.read_text(encoding="utf-8") for reader in readers if reader.is_file()), "")
    named = set(_DECODERS.findall(text))
    return named & {"librosa"} or named


def _installed(root: Path, final: str) -> Callable[[str], bool]:
    """Whether the image installs a package: the requirements name it, or a line of the Dockerfile."""
    files = (root / "requirements" / name for name in ("common.txt", "cuda.txt"))
    lines = [line for file in files if file.is_file() for line in file.read_text(encoding="utf-8").splitlines()]
    required = {re.split(r"[\s<>=!\[~;]", line, maxsplit=1)[0] for line in lines}
    installed = " ".join(re.findall(r"pip install (?:.*\\\n)*.*", final))
    return lambda name: name in required or bool(re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", installed))
