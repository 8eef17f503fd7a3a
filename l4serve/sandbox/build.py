"""Builds the sandbox's binaries once per version into the user's cache; safe against two builders at once."""

import os
import shutil
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from l4serve.sandbox.checksums import fault_of, record_checksums, set_aside
from l4serve.sandbox.errors import SandboxError
from l4serve.sandbox.go_modules import GO_MODULES, GoModule, build_key
from l4serve.sandbox.locks import held_lock
from l4serve.sandbox.paths import cache_root
from l4serve.sandbox.progress import Progress, silent
from l4serve.sandbox.toolchain import GoToolchain, find_go

_FREE_BYTES_NEEDED = 7 * 2**30
"""What a cold build takes in Go's build and module caches (5.7 GiB measured) and here, with room to spare."""
_TAIL_LINES = 8
_NETWORK_SIGNS = (
    "dial tcp",
    "no such host",
    "i/o timeout",
    "connection refused",
    "TLS handshake",
    "Forbidden",
    "EOF",
)


Builder = Callable[[Path, Progress], None]


def ensure_binaries(progress: Progress = silent, *, builder: Builder | None = None) -> Path:
    """Folder with etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok, built if need be.

    Raises SandboxError where Go, the network or disk space is lacking. A failed build leaves nothing behind.
    """
    root = cache_root()
    folder = root / build_key()
    if folder.is_dir() and fault_of(folder) is None:
        return folder
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SandboxError(
            f"The cache folder {root} cannot be made: {error.strerror}.",
            remedy="set L4SERVE_CACHE_DIR to another one",
        ) from None
    with held_lock(folder.with_name(f"{folder.name}.lock"), "another build of the sandbox", progress):
        if folder.is_dir() and (fault := fault_of(folder)):
            progress(f"building anew what {folder} holds: {fault}", 0, None)
            set_aside(folder)
        if not folder.is_dir():
            _build_atomically(folder, builder or build_all, progress)
    return folder


def _build_atomically(folder: Path, builder: Builder, progress: Progress) -> None:
    with tempfile.TemporaryDirectory(prefix=".building-", dir=folder.parent) as scratch:
        unfinished = Path(scratch) / folder.name
        unfinished.mkdir()
        builder(unfinished, progress)
        unfinished.rename(folder)
    record_checksums(folder)


def build_all(into: Path, progress: Progress) -> None:
    """Compile every binary of GO_MODULES into the folder `into`."""
    _require_disk(into)
    for module in GO_MODULES:
        _build_module(module, find_go(module.folder), into, progress)


def _require_disk(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < _FREE_BYTES_NEEDED:
        raise SandboxError(
            f"Building the sandbox needs {_FREE_BYTES_NEEDED / 2**30:.0f} GiB of disk, "
            f"and {free / 2**30:.1f} GiB are free at {folder.parent}.",
            remedy="free some space, or set L4SERVE_CACHE_DIR and GOCACHE to a larger disk",
        )


def _build_module(module: GoModule, go: GoToolchain, into: Path, progress: Progress) -> None:
    names = ", ".join(module.binaries)
    progress(f"fetching the modules of {names}", 0, None)
    packages = _run_go(go, ["list", "-mod=readonly", "-deps", *module.binaries.values()], module)
    total = len(packages)
    compiled = 0

    def count(line: str) -> None:
        nonlocal compiled
        compiled += not line.startswith("go: ")
        progress(f"compiling {names}", min(compiled, total), total)

    for name, package in module.binaries.items():
        target = ["-o", str(into / name), package]
        recipe = ["-v", "-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags", module.ldflags]
        _run_go(go, ["build", *recipe, *target], module, on_stderr=count)
    progress(f"compiling {names}", total, total)


def _run_go(
    go: GoToolchain,
    arguments: Sequence[str],
    module: GoModule,
    on_stderr: Callable[[str], None] = lambda _line: None,
) -> list[str]:
    """Lines that the go command prints; its standard error is read line by line as it comes."""
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"}
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        with subprocess.Popen(
            [str(go.command), *arguments],
            cwd=module.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert process.stderr is not None
                for line in process.stderr:
                    tail.append(line.rstrip())
                    on_stderr(line)
            except BaseException:
                process.terminate()
                raise
        if process.returncode != 0:
            raise _build_error(module, "\n".join(tail))
        output.seek(0)
        return output.read().splitlines()


def _build_error(module: GoModule, tail: str) -> SandboxError:
    what = f"Go could not build {', '.join(module.binaries)} {module.version}."
    if "no space left" in tail:
        return SandboxError(
            what, remedy="free some disk space (`go clean -cache` empties Go's build cache)", detail=tail
        )
    if any(sign in tail for sign in _NETWORK_SIGNS):
        remedy = "the first build fetches Go modules: check the network, or set GOPROXY to a proxy you reach"
        return SandboxError(what, remedy=remedy, detail=tail)
    return SandboxError(what, remedy="see the lines above; `go env` shows the toolchain's settings", detail=tail)
