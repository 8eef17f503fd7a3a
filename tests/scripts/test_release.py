"""The release: its one step runs with a `gh` that writes down what it is told."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from l4serve.version import VERSION
from tests.scripts.shims import ROOT, environment, programs
from tests.scripts.test_workflows import workflow

GH = """#!/bin/sh
echo "$@" >> "$TOLD"
test "$1" = release || exit "$TAG_IS_MISSING"
"""


def released(folder: Path, *, day: str = "2026-12-01", tag_is_missing: bool = True) -> tuple[int, str, str]:
    """The exit code of the step, what it says, and what `gh` was told."""
    bin_folder = programs(folder / "bin", ROOT)
    (bin_folder / "gh").write_text(GH, encoding="utf-8")
    (bin_folder / "gh").chmod(0o755)
    for name in ("scripts/release_notes.py", "l4serve/version.py", "CHANGELOG.md"):
        (folder / name).parent.mkdir(exist_ok=True)
        text = (ROOT / name).read_text("utf-8")
        (folder / name).write_text(re.sub(rf"## {VERSION} - \S+", f"## {VERSION} - {day}", text), encoding="utf-8")
    (step,) = [step for step in workflow("release")["jobs"]["release"]["steps"] if "run" in step]
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", step["run"]],
        cwd=folder,
        env=environment(
            PATH=f"{bin_folder}:/usr/bin:/bin",
            TOLD=str(folder / "told"),
            TAG_IS_MISSING=str(int(tag_is_missing)),
            COMMIT="c" * 40,
            GITHUB_REPOSITORY="o/r",
        ),
        capture_output=True,
        text=True,
        check=False,
    )
    told = (folder / "told").read_text("utf-8") if (folder / "told").exists() else ""
    return done.returncode, done.stderr, told


def test_it_tags_the_commit_and_publishes_the_notes(tmp_path: Path) -> None:
    code, said, told = released(tmp_path)
    assert code == 0, said
    assert told.splitlines()[1] == (
        f"release create v{VERSION} --target {'c' * 40} --title v{VERSION} --notes-file notes.md"
    )
    assert "- The Pulumi program" in (tmp_path / "notes.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"day": "unreleased"}, "write the day of the release"), ({"tag_is_missing": False}, "raise the version")],
    ids=["no day", "a tag that is there"],
)
def test_what_is_no_release_makes_no_tag(options: dict[str, Any], reason: str, tmp_path: Path) -> None:
    code, said, told = released(tmp_path, **options)
    assert code == 1
    assert reason in said
    assert "release create" not in told


def test_the_version_stands_in_one_place() -> None:
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    stating = [
        file
        for file in files
        if Path(file).suffix in (".py", ".toml", ".yaml", ".yml")
        and re.search(
            rf'^\W*version\W+["\']?{re.escape(VERSION)}["\']?$', (ROOT / file).read_text("utf-8"), re.M | re.I
        )
    ]
    assert stating == ["l4serve/version.py"]
