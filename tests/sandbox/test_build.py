"""The build into the cache: once, whole or not at all, and with errors that help."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from l4serve.sandbox import build
from l4serve.sandbox.build import build_all, ensure_binaries
from l4serve.sandbox.errors import SandboxError
from l4serve.sandbox.go_modules import build_key
from l4serve.sandbox.progress import Progress
from l4serve.sandbox.toolchain import GoToolchain

BUILDER_PROGRAM = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    from l4serve.sandbox.build import ensure_binaries

    said = []

    def builder(into, progress):
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


def write_etcd(into: Path, progress: Progress) -> None:
    (into / "etcd").write_text("binary", encoding="utf-8")


def test_two_builders_at_once_build_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [sys.executable, "-c", BUILDER_PROGRAM, str(log)]
    builders = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [builder.communicate(timeout=60)[0] for builder in builders]
    assert [builder.returncode for builder in builders] == [0, 0]
    assert all(output.startswith("binary") for output in outputs)
    assert log.read_text(encoding="utf-8") == "built\n"


def test_what_is_built_is_not_built_again(cache: Path) -> None:
    def never(into: Path, progress: Progress) -> None:
        raise AssertionError("built twice")

    folder = ensure_binaries(builder=write_etcd)
    assert folder == cache / build_key()
    assert ensure_binaries(builder=never) == folder


def test_a_failed_build_leaves_nothing_and_the_next_one_starts_anew(cache: Path) -> None:
    def fail(into: Path, progress: Progress) -> None:
        write_etcd(into, progress)
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
    monkeypatch.setattr(build, "_FREE_BYTES_NEEDED", 2**60)
    with pytest.raises(SandboxError, match="GiB are free"):
        build_all(tmp_path, build.silent)


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
    assert "etcd v3.7" in refused.value.message
    assert [path for path in cache.iterdir() if path.is_dir()] == []


def test_progress_counts_the_compiled_packages(fake_go) -> None:
    fake_go(
        'case "$1" in list) printf "a\\nb\\nc\\nd\\n";; '
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
    etcd = [(done, total) for task, done, total in heard if task == "compiling etcd"]
    assert etcd == [(0, 4), (1, 4), (2, 4), (4, 4)]
