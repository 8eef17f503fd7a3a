"""l4serve diff reads of either side what it compares, however much more there is."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from l4serve.cli.app import app
from tests import factories
from tests.cli.commands.test_diff_command import git

_MIB = 2**20


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes each command of git printed."""
    sizes: list[int] = []
    run = subprocess.run

    def measured(*arguments: Any, **options: Any) -> Any:
        done = run(*arguments, **options)
        sizes.append(len(done.stdout or ""))
        return done

    monkeypatch.setattr("l4serve.cli.subjects.base_tree.subprocess.run", measured)
    return sizes


def commit_of(folder: Path, files: dict[str, str]) -> None:
    git(folder, "init", "-q", "-b", "main")
    factories.write_stack(folder, factories.serving())
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "stacks")


def test_a_large_file_of_the_base_is_refused_unread(
    read: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit_of(tmp_path, {"Pulumi.big.yaml": "a: 1\n" * (8 * _MIB)})
    (tmp_path / "Pulumi.big.yaml").unlink()
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["diff", "HEAD"])
    assert "is larger than 1024 KiB" in done.output
    assert "Traceback" not in done.output
    assert max(read) < _MIB


def test_many_files_of_the_base_are_bounded_together(
    read: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit_of(tmp_path, {f"Pulumi.s{number}.yaml": f"# {number}\n" + "#" * 900_000 for number in range(40)})
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["diff", "HEAD"])
    assert done.exit_code == 2
    assert "larger than 32 MiB together" in done.output
    assert max(read) < _MIB


def test_of_the_recipes_only_those_named_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "stacks" / "recipes"
    folder.mkdir(parents=True)
    recipe = {"about": "a", "source": "b", "workload": factories.workload()}
    (folder / "own.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    (folder / "other.yaml").write_text("a: [", encoding="utf-8")
    file = factories.write_stack(tmp_path, factories.serving({"qwen": {"recipe": "own"}}))
    assert CliRunner().invoke(app, ["diff", "--from", str(file), "--to", str(file)]).exit_code == 0
    file = factories.write_stack(tmp_path, factories.serving({"qwen": {"recipe": "other"}}), name="b")
    done = CliRunner().invoke(app, ["diff", "--from", str(file), "--to", str(file)])
    assert "this is not a recipe" in done.output


def test_the_recipes_of_a_stack_are_bounded_together(tmp_path: Path) -> None:
    folder = tmp_path / "stacks" / "recipes"
    folder.mkdir(parents=True)
    recipe = yaml.safe_dump({"about": "a" * 50_000, "source": "b", "workload": factories.workload()})
    for number in range(6):
        (folder / f"r{number}.yaml").write_text(recipe, encoding="utf-8")
    file = factories.write_stack(tmp_path, factories.serving({f"w{n}": {"recipe": f"r{n}"} for n in range(6)}))
    done = CliRunner().invoke(app, ["diff", "--from", str(file), "--to", str(file)])
    assert "larger than 256 KiB together" in done.output
