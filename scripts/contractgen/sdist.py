"""A release's source distribution: found in the index that pip is set up with, checked, unpacked; nothing is run."""

import hashlib
import json
import os
import subprocess
import sys
import tarfile
import urllib.request
from pathlib import Path

_JSON = "application/vnd.pypi.simple.v1+json"


def index_url() -> str:
    """The simple index that this machine's pip uses."""
    if url := os.environ.get("PIP_INDEX_URL"):
        return url.rstrip("/")
    asking = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    asked = subprocess.run(asking, capture_output=True, text=True, check=False)
    if asked.returncode == 0:
        return asked.stdout.strip().rstrip("/")
    from pip._internal.models.index import PyPI

    return str(PyPI.simple_url)


def fetch_sdist(project: str, version: str, folder: Path) -> Path:
    """Downloads `project-version.tar.gz` and compares its hash with the index's."""
    request = urllib.request.Request(f"{index_url()}/{project}/", headers={"Accept": _JSON})
    with urllib.request.urlopen(request, timeout=60) as answer:
        files = json.load(answer)["files"]
    wanted = f"{project}-{version}.tar.gz"
    entry = next((file for file in files if file["filename"] == wanted), None)
    if entry is None:
        raise SystemExit(f"the index has no {wanted}")
    with urllib.request.urlopen(entry["url"], timeout=600) as answer:
        content = answer.read()
    if hashlib.sha256(content).hexdigest() != entry["hashes"]["sha256"]:
        raise SystemExit(f"{wanted}: the download does not match the index's hash")
    path = folder / wanted
    path.write_bytes(content)
    return path


def unpack(source: Path, folder: Path) -> tuple[Path, str | None]:
    """The root of a source tree and the archive's hash; a directory is taken as it is, without a hash."""
    if source.is_dir():
        return source, None
    with tarfile.open(source) as archive:
        archive.extractall(folder / "tree", filter="data")
    roots = [path for path in (folder / "tree").iterdir() if path.is_dir()]
    return roots[0], hashlib.sha256(source.read_bytes()).hexdigest()
