"""A release's archive: found in the index that pip is set up with, checked, unpacked; nothing is run."""

import hashlib
import json
import os
import subprocess
import sys
import tarfile
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.version import Version

_JSON = "application/vnd.pypi.simple.v1+json"


@dataclass(frozen=True)
class Archive:
    """A source distribution, a wheel, or a folder that one was unpacked to."""

    path: Path
    name: str
    """The distribution's file name."""
    sha256: str | None
    """None for a folder, whose archive is not at hand."""

    def unpack(self, folder: Path) -> Path:
        """The root of the source tree; a folder is taken as it is."""
        if self.path.is_dir():
            return self.path
        place = folder / "tree"
        if self.path.suffix == ".whl":
            with zipfile.ZipFile(self.path) as wheel:
                wheel.extractall(place, [name for name in wheel.namelist() if name.endswith(".py")])
            return place
        with tarfile.open(self.path) as archive:
            archive.extractall(place, filter="data")
        return next(path for path in place.iterdir() if path.is_dir())


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


def releases_of(project: str, oldest: str) -> list[str]:
    """Final releases that the index lists, from the oldest wanted on; pre-releases and yanked ones are left out."""
    versions = {_version(project, file["filename"]) for file in _files(project) if not file.get("yanked")}
    final = [v for v in versions if v and not Version(v).is_prerelease and Version(v) >= Version(oldest)]
    return sorted(final, key=Version)


def fetch_archive(project: str, version: str, folder: Path) -> Archive:
    """Downloads the source distribution, or the wheel where there is none, and compares its hash with the index's."""
    files = [file for file in _files(project) if _version(project, file["filename"]) == version]
    wanted = f"{project}-{version}.tar.gz"
    wheels = [file for file in files if file["filename"].endswith("x86_64.whl")]
    entry = next((file for file in files if file["filename"] == wanted), wheels[0] if wheels else None)
    if entry is None:
        raise SystemExit(f"the index has no {wanted} and no wheel of it")
    with urllib.request.urlopen(entry["url"], timeout=600) as answer:
        content = answer.read()
    digest = hashlib.sha256(content).hexdigest()
    if digest != entry["hashes"]["sha256"]:
        raise SystemExit(f"{entry['filename']}: the download does not match the index's hash")
    path = folder / entry["filename"]
    path.write_bytes(content)
    return Archive(path, entry["filename"], digest)


def stored_archive(project: str, version: str, folder: Path) -> Archive:
    """The archive of a release in a folder, or the folder that it was unpacked to there."""
    for path in (folder / f"{project}-{version}.tar.gz", *sorted(folder.glob(f"{project}-{version}-*.whl"))):
        if path.is_file():
            return Archive(path, path.name, hashlib.sha256(path.read_bytes()).hexdigest())
    unpacked = folder / f"{project}-{version}"
    if not unpacked.is_dir():
        raise SystemExit(f"{folder} has no archive of {project} {version}")
    return Archive(unpacked, f"{project}-{version}.tar.gz", None)


def _files(project: str) -> list[dict[str, Any]]:
    request = urllib.request.Request(f"{index_url()}/{project}/", headers={"Accept": _JSON})
    with urllib.request.urlopen(request, timeout=60) as answer:
        files: list[dict[str, Any]] = json.load(answer)["files"]
    return files


def _version(project: str, filename: str) -> str | None:
    """The version that a file of the project is named after; None for other kinds of file."""
    if filename.endswith(".tar.gz"):
        return filename.removeprefix(f"{project}-").removesuffix(".tar.gz")
    return filename.split("-")[1] if filename.endswith(".whl") else None
