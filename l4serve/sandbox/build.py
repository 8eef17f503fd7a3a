"""Builds the sandbox's binaries once per version into the user's cache; safe against two builders at once."""

import os
import shutil
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from l4serve.sandbox.checksums import fault_of, record_checksums, set_aside
from l4serve.sandbox.errors import SandboxError, readable_file_errors
from l4serve.sandbox.go_modules import CONTROL_PLANE, GoBuild, GoModule
from l4serve.sandbox.locks import held_lock
from l4serve.sandbox.paths import CACHE_VARIABLE, cache_root
from l4serve.sandbox.progress import Progress, silent
from l4serve.sandbox.toolchain import GoToolchain, find_go

_TAIL_LINES = 8
_LISTED = '{{.ImportPath}}\t{{.Dir}}\t{{join .GoFiles " "}}'
_RECIPE = ("-v", "-mod=readonly", "-buildvcs=false", "-trimpath", "-gcflags=all=-dwarf=false")
"""The compiler makes no tables for a debugger, which the linker would drop: a twelfth of the time goes there."""
_NETWORK_SIGNS = (
    "dial tcp",
    "no such host",
    "i/o timeout",
    "connection refused",
    "TLS handshake",
    "Forbidden",
    "EOF",
)
_FETCHES_AT_ONCE = 16
"""Go fetches as many modules at a time as it may use processors: waiting for the network takes none."""

Builder = Callable[[GoBuild, Path, Progress], None]


def ensure_binaries(
    progress: Progress = silent, *, build: GoBuild = CONTROL_PLANE, builder: Builder | None = None
) -> Path:
    """Folder with every command of `build`, built if need be.

    Raises SandboxError where Go, the network or disk space is lacking. A failed build leaves nothing behind.
    """
    root = cache_root()
    with readable_file_errors(root, CACHE_VARIABLE):
        return _ensured(root, build, builder or build_all, progress)


def _ensured(root: Path, build: GoBuild, builder: Builder, progress: Progress) -> Path:
    folder = root / build.key
    if folder.is_dir() and fault_of(folder) is None:
        return folder
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SandboxError(
            f"The cache folder {root} cannot be made: {error.strerror}.",
            remedy=f"set {CACHE_VARIABLE} to another one",
        ) from None
    with held_lock(folder.with_name(f"{folder.name}.lock"), f"another build of {build.name}", progress):
        if fault := _fault(folder):
            progress(f"building anew what {folder} holds: {fault}", 0, None)
            set_aside(folder)
        if not folder.is_dir():
            _build_atomically(build, folder, builder, progress)
    return folder


def _fault(folder: Path) -> str | None:
    if folder.is_dir():
        return fault_of(folder)
    return "it is a file" if folder.exists() or folder.is_symlink() else None


def _build_atomically(build: GoBuild, folder: Path, builder: Builder, progress: Progress) -> None:
    with tempfile.TemporaryDirectory(prefix=".building-", dir=folder.parent) as scratch:
        unfinished = Path(scratch) / folder.name
        unfinished.mkdir()
        builder(build, unfinished, progress)
        unfinished.rename(folder)
    record_checksums(folder)


def build_all(build: GoBuild, into: Path, progress: Progress) -> None:
    """Compile every module of `build` into the folder `into`."""
    _require_disk(build, into)
    for module in build.modules:
        _build_module(module, find_go(module.folder), into, progress)


def _require_disk(build: GoBuild, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < build.free_bytes_needed:
        raise SandboxError(
            f"Building {build.name} needs {build.free_bytes_needed / 2**30:.0f} GiB of disk, "
            f"and {free / 2**30:.1f} GiB are free at {folder.parent}.",
            remedy="free some space, or set L4SERVE_CACHE_DIR and GOCACHE to a larger disk",
        )


def _build_module(module: GoModule, go: GoToolchain, into: Path, progress: Progress) -> None:
    names = ", ".join(module.commands)
    progress(f"fetching the modules of {names}", 0, None)
    listed = _run_go(
        go, ["list", "-mod=readonly", "-deps", "-f", _LISTED, module.package], module, processors=_FETCHES_AT_ONCE
    )
    sizes = _source_sizes(listed)
    total = sum(sizes.values())
    compiled = 0

    def count(line: str) -> None:
        nonlocal compiled
        compiled += sizes.pop(line.strip(), 0)
        progress(f"compiling {names}", compiled, total)

    first, *others = module.commands
    flags = [*_RECIPE, "-ldflags", module.ldflags]
    _run_go(go, ["build", *flags, "-o", str(into / first), module.package], module, on_stderr=count)
    for name in others:
        (into / name).symlink_to(first)
    progress(f"compiling {names}", total, total)


def _source_sizes(listed: Iterable[str]) -> dict[str, int]:
    """Bytes of Go source by import path: how long a package takes to compile, as far as one can know before."""
    sizes = {}
    for line in listed:
        path, folder, files = line.split("\t")
        sizes[path] = sum((Path(folder) / name).stat().st_size for name in files.split())
    return sizes


def _run_go(
    go: GoToolchain,
    arguments: Sequence[str],
    module: GoModule,
    *,
    on_stderr: Callable[[str], None] = lambda _line: None,
    processors: int | None = None,
) -> list[str]:
    """Lines that the go command prints; its standard error is read line by line as it comes."""
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"}
    if processors is not None:
        environment["GOMAXPROCS"] = str(processors)
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
    what = f"Go could not build {', '.join(module.commands)} {module.version}."
    if "no space left" in tail:
        return SandboxError(
            what, remedy="free some disk space (`go clean -cache` empties Go's build cache)", detail=tail
        )
    if any(sign in tail for sign in _NETWORK_SIGNS):
        remedy = "the first build fetches Go modules: check the network, or set GOPROXY to a proxy you reach"
        return SandboxError(what, remedy=remedy, detail=tail)
    return SandboxError(what, remedy="see the lines above; `go env` shows the toolchain's settings", detail=tail)
