"""Outside a project the program's own files are read, never written, and never in place of those that lie here."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from l4serve.cli.app import app
from l4serve.cli.commands.hook_commands import app as hook
from l4serve.cli.project import OWN_PROJECT
from l4serve.cli.subjects.stack_options import root_to_write

WRITING = (
    ("advise", "--goal", "cost", "--write", "dev"),
    ("init", "new", "--project", "p", "--location", "us-central1-a", "--model", "google/gemma-7b", "--goal", "try"),
    ("schema", "--write"),
)


def own_files() -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in (*OWN_PROJECT.glob("Pulumi.*"), *OWN_PROJECT.glob("docs/*.json"))}


@pytest.mark.parametrize("args", WRITING, ids=lambda args: args[0])
def test_nothing_is_written_into_the_program_s_own_folder(
    args: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = own_files()
    done = CliRunner().invoke(app, list(args))
    assert (done.exit_code, done.stdout) == (2, "")
    assert "fix: go to a clone of yours" in done.stderr
    assert own_files() == before
    assert list(tmp_path.iterdir()) == []


def test_a_hook_writes_no_more_than_its_own_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = own_files()
    assert CliRunner().invoke(hook, ["generated"]).exit_code == 2
    assert own_files() == before


def test_a_stack_of_the_program_is_read_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["plan", "-s", "dev", "--json"]).exit_code == 0


def test_a_stack_file_that_lies_here_is_not_taken_for_the_program_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(OWN_PROJECT / "Pulumi.dev.yaml", tmp_path / "Pulumi.dev.yaml")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["plan", "-s", "dev"], env={"COLUMNS": "400"})
    assert done.exit_code == 2
    assert f"fix: name the file: -f {tmp_path}" in done.stderr
    assert CliRunner().invoke(app, ["plan", "-f", "Pulumi.dev.yaml", "--json"]).exit_code == 0


def test_a_project_of_one_s_own_and_the_program_s_folder_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: x\n")
    (tmp_path / "stacks").mkdir()
    monkeypatch.chdir(tmp_path / "stacks")
    assert root_to_write("x") == tmp_path
    monkeypatch.chdir(OWN_PROJECT / "docs")
    assert root_to_write("x") == OWN_PROJECT
