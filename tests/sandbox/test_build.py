"""The build into the cache: once, whole or not at all, and with errors that help."""

import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from l4serve.sandbox import build
from l4serve.sandbox.build import build_all, ensure_binaries
from l4serve.sandbox.errors import SandboxError
from l4serve.sandbox.go_modules import CONTROL_PLANE, ENGINE, GoBuild
from l4serve.sandbox.progress import Progress, silent
from l4serve.sandbox.toolchain import GoToolchain

BUILDER_PROGRAM = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    from l4serve.sandbox.build import ensure_binaries

    said = []

    def builder(build, into, progress):
        with Path(sys.argv[1]).open("a") as log:
            log.write("built\\n")
        time.sleep(1)
        (into / "etcd").write_text("binary")

    folder = ensure_binaries(lambda task, done, total: said.append(task), builder=builder)
    print((folder / "etcd").read_text(), *said)
    """
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("L4SERVE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "sandbox"


def write_etcd(build: GoBuild, into: Path, progress: Progress) -> None:
    (into / "etcd").write_text("binary", encoding="utf-8")


@pytest.mark.slow
def test_two_builders_at_once_build_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [sys.executable, "-c", BUILDER_PROGRAM, str(log)]
    builders = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [builder.communicate(timeout=60)[0] for builder in builders]
    assert [builder.returncode for builder in builders] == [0, 0]
    assert all(output.startswith("binary") for output in outputs)
    assert log.read_text(encoding="utf-8") == "built\n"


def test_what_is_built_is_not_built_again(cache: Path) -> None:
    def never(build: GoBuild, into: Path, progress: Progress) -> None:
        raise AssertionError("built twice")

    folder = ensure_binaries(builder=write_etcd)
    assert folder == cache / CONTROL_PLANE.key
    assert ensure_binaries(builder=never) == folder


def test_a_failed_build_leaves_nothing_and_the_next_one_starts_anew(cache: Path) -> None:
    def fail(build: GoBuild, into: Path, progress: Progress) -> None:
        write_etcd(build, into, progress)
        raise SandboxError("no luck")

    with pytest.raises(SandboxError, match="no luck"):
        ensure_binaries(builder=fail)
    assert [path for path in cache.iterdir() if path.is_dir()] == []
    assert (ensure_binaries(builder=write_etcd) / "etcd").exists()


def test_a_cache_folder_that_cannot_be_made_is_a_readable_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("L4SERVE_CACHE_DIR", str(tmp_path / "file" / "cache"))
    with pytest.raises(SandboxError) as refused:
        ensure_binaries(builder=write_etcd)
    assert "L4SERVE_CACHE_DIR" in refused.value.remedy


def test_too_little_disk_is_said_before_anything_is_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SandboxError, match="GiB are free"):
        build_all(replace(CONTROL_PLANE, free_bytes_needed=2**60), tmp_path, silent)


@pytest.fixture
def fake_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Puts a shell script in the place of Go."""

    def put(script: str) -> None:
        command = tmp_path / "go"
        command.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        command.chmod(0o755)
        monkeypatch.setattr(build, "find_go", lambda module: GoToolchain(command=command, version=(1, 26, 0)))

    return put


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("go: k8s.io/kubernetes@v1.37.2: Get x: dial tcp: lookup x: no such host", "GOPROXY"),
        ("go: reading x: 403 Forbidden", "GOPROXY"),
        ("link: write /root/.cache: no space left on device", "free some disk space"),
        ("kube.go:1: syntax error", "the lines above"),
    ],
)
def test_a_build_that_fails_says_why_and_what_to_do(fake_go, cache: Path, said: str, remedy: str) -> None:
    fake_go(f"echo '{said}' >&2; exit 1")
    with pytest.raises(SandboxError) as refused:
        ensure_binaries()
    assert said in refused.value.detail
    assert remedy in refused.value.remedy
    assert "kwok v1.37" in refused.value.message
    assert [path for path in cache.iterdir() if path.is_dir()] == []


def test_progress_weighs_the_compiled_packages_by_their_source(fake_go, tmp_path: Path) -> None:
    (tmp_path / "small.go").write_text("x" * 10, encoding="utf-8")
    (tmp_path / "large.go").write_text("x" * 90, encoding="utf-8")
    fake_go(
        f'case "$1" in list) printf "a\\t{tmp_path}\\tsmall.go\\nb\\t{tmp_path}\\tlarge.go\\n";; '
        'build) echo "go: downloading x" >&2; echo a >&2; echo b >&2; '
        'while [ "$1" != -o ]; do shift; done; echo x > "$2";; esac'
    )
    heard: list[tuple[str, int, int | None]] = []
    folder = ensure_binaries(lambda task, done, total: heard.append((task, done, total)))
    assert {path.name for path in folder.iterdir()} == {
        "etcd",
        "kwok",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
    }
    compiled = [(done, total) for task, done, total in heard if task.startswith("compiling")]
    assert compiled == [(0, 100), (10, 100), (100, 100), (100, 100)]


def test_every_command_of_a_build_is_there_even_where_one_binary_is_all_of_them(fake_go) -> None:
    fake_go('case "$1" in build) while [ "$1" != -o ]; do shift; done; echo "$2" > "$2";; esac')
    folder = ensure_binaries()
    assert (folder / "kwok").read_text(encoding="utf-8") == (folder / "etcd").read_text(encoding="utf-8")


def test_the_engine_is_built_apart_from_the_control_plane(fake_go) -> None:
    fake_go('case "$1" in build) while [ "$1" != -o ]; do shift; done; echo x > "$2";; esac')
    folder = ensure_binaries(build=ENGINE)
    assert {path.name for path in folder.iterdir()} == {"pulumi", "pulumi-resource-kubernetes"}
    assert ensure_binaries() != folder


def test_modules_are_fetched_many_at_a_time_and_compiled_on_the_processors_there_are(
    fake_go, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOMAXPROCS", raising=False)
    fake_go(
        f'echo "$1 ${{GOMAXPROCS:-all}}" >> {tmp_path}/asked; '
        'case "$1" in build) while [ "$1" != -o ]; do shift; done; echo x > "$2";; esac'
    )
    ensure_binaries()
    assert (tmp_path / "asked").read_text(encoding="utf-8").splitlines() == ["list 16", "build all"]
