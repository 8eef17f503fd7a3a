"""Whether built programs still are what the build made: a cache may be cut off, overwritten or copied without care."""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from l4serve.config.reading.files import read_bytes, read_json

_MOST_BYTES = 2**20


def record_checksums(folder: Path) -> None:
    """Writes down size, time of change and SHA-256 of every file in a folder of programs that were just built."""
    entries = {file.name: _entry(file) for file in _files(folder)}
    fresh = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.json")
    fresh.write_text(json.dumps(entries, indent=1), encoding="utf-8")
    manifest = _manifest(folder)
    if manifest.is_dir() and not manifest.is_symlink():
        shutil.rmtree(manifest)
    fresh.replace(manifest)


def fault_of(folder: Path) -> str | None:
    """What is wrong with a folder of built programs; None where each is as it was built.

    A file is read again only where it was touched since: its inode's time of change, which nobody sets, tells of what
    keeps its size and its own time. What a copy brought is read once, and written down anew.
    """
    recorded, files = _recorded(folder), [file.name for file in _files(folder)]
    if not recorded:
        return "nobody wrote down what was built"
    if unknown := sorted({*files} - {*recorded}):
        return f"{unknown[0]} was not built"
    for name, entry in recorded.items():
        if fault := _fault(folder / name, entry):
            return f"{name} {fault}"
    with suppress(OSError):  # A cache that only others may write is read anew each time.
        if any(_touched(folder / name, entry) for name, entry in recorded.items()):
            record_checksums(folder)
    return None


def set_aside(folder: Path) -> None:
    """Takes a faulty folder away, so that a build can put a new one in its place."""
    aside = folder.with_name(f".broken-{secrets.token_hex(4)}")
    folder.rename(aside)
    if aside.is_dir() and not aside.is_symlink():
        shutil.rmtree(aside, ignore_errors=True)
    else:
        aside.unlink()


def _manifest(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.checksums.json")


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.is_file())


def _entry(file: Path) -> Mapping[str, Any]:
    status = file.stat()
    return {
        "sha256": _digest(file),
        "bytes": status.st_size,
        "changedNs": status.st_ctime_ns,
        "executable": _can_run(file),
    }


def _can_run(file: Path) -> bool:
    return os.access(file, os.X_OK)


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _recorded(folder: Path) -> Mapping[str, Mapping[str, Any]] | None:
    try:
        entries = read_json(read_bytes(_manifest(folder), _MOST_BYTES))
    except ValueError:
        return None
    valid = isinstance(entries, dict) and all(isinstance(entry, dict) for entry in entries.values())
    return entries if valid else None


def _fault(file: Path, entry: Mapping[str, Any]) -> str | None:
    try:
        if not file.is_file():
            return "is missing or no file"
        if entry.get("executable") and not _can_run(file):
            return "cannot be executed"
        known = not _touched(file, entry) or _digest(file) == entry.get("sha256")
        return None if known else "is not what was built"
    except (OSError, ValueError):
        return "cannot be read"


def _touched(file: Path, entry: Mapping[str, Any]) -> bool:
    status = file.stat()
    return (status.st_size, status.st_ctime_ns) != (entry.get("bytes"), entry.get("changedNs"))
