"""What a command writes takes the place of a file alone, and a stranger's links lead it nowhere else."""

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.terminal import run
from tests.stack_cases import ROOT

NEW = ("--project", "my-project", "--location", "us-central1-a", "--model", "Qwen/Qwen2.5-7B-Instruct", "--goal", "try")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "clone"
    (folder / "stacks").mkdir(parents=True)
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml"):
        shutil.copy(ROOT / name, folder / name)
    monkeypatch.chdir(folder)
    return folder


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path.name)


@pytest.mark.parametrize("place", [os.mkfifo, _socket, Path.mkdir, lambda path: path.symlink_to("pipe")])
def test_a_page_takes_the_place_of_no_pipe_socket_or_folder(project: Path, place: Callable[[Path], None]) -> None:
    os.mkfifo("pipe")
    place(Path("page.html"))
    before = Path("page.html").lstat()
    result = run("plan", "-s", "dev", "--html", "page.html")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: --html page.html: it is a")
    assert "fix: name another file" in result.stderr
    assert Path("page.html").lstat() == before
    assert not [*project.glob(".l4serve-*")]


def test_a_page_replaces_a_link_and_keeps_the_mode_of_an_older_page(project: Path) -> None:
    victim = project.parent / "victim"
    victim.write_text("kept")
    Path("page.html").symlink_to(victim)
    assert run("plan", "-s", "dev", "--html", "page.html").exit_code == 0
    assert victim.read_text() == "kept"
    Path("page.html").chmod(0o600)
    assert run("plan", "-s", "dev", "--html", "page.html").exit_code == 0
    assert Path("page.html").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("draft", [".Pulumi.dev.advised.yaml", "Pulumi.dev.yaml"])
def test_advice_is_written_into_the_project_alone(project: Path, draft: str) -> None:
    victim = project.parent / "victim"
    shutil.copy("Pulumi.dev.yaml", victim)
    before = victim.read_bytes()
    Path(draft).unlink(missing_ok=True)
    Path(draft).symlink_to(victim)
    result = run("advise", "--write", "dev", "--goal", "cost")
    assert victim.read_bytes() == before
    assert Path(draft).is_symlink()
    if draft == "Pulumi.dev.yaml":
        assert result.exit_code == 2
        assert "Pulumi.dev.yaml is a link to a file outside the project" in result.stderr.replace("\n", " ")


def test_a_begun_stack_is_written_over_no_link_of_another_name(project: Path) -> None:
    victim, begun = project.parent / "victim", Path("Pulumi.first.yaml")
    victim.write_text("kept")
    begun.write_text("config:\n  gcp:project: my-project\n")
    Path(".Pulumi.first.yaml.new").symlink_to(victim)
    assert run("init", "first", *NEW).exit_code == 0
    assert victim.read_text() == "kept"
    assert not begun.is_symlink() and "workloads" in begun.read_text()
