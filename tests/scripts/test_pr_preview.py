"""What a pull request gets, from a clean clone: no credential, no Pulumi CLI, no network, and in time."""

import json
import os
import resource
import shutil
import subprocess
from pathlib import Path

import pytest

from l4serve.report.comment import MARK
from tests.cli.test_diff_command import git
from tests.scripts.shims import ROOT, environment, programs

STACKS = ("dev", "guide", "local", "prod", "staging")
FIVE_STACKS_S, AN_UNCHANGED_STACK_S = 20, 1
"""Processor time: a wall clock on a busy machine says nothing."""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The committed and staged files of this project, as the only commit of a repository."""
    folder = tmp_path_factory.mktemp("clone")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "all")
    return folder


def previewed(clone: Path, base: str = "main") -> tuple[int, float]:
    """Exit code of the preview, and the processor seconds that it took."""
    tools = clone.parent / f"{clone.name}-bin"
    bin_ = tools if tools.is_dir() else programs(tools, clone)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        ["scripts/pr_preview.sh"],
        cwd=clone,
        env=environment(BIN=str(bin_), BASE=base),
        capture_output=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert b"Traceback" not in done.stderr, done.stderr
    return done.returncode, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def edited(clone: Path, old: str, new: str) -> None:
    for stack in STACKS:
        path = clone / f"Pulumi.{stack}.yaml"
        text = path.read_text("utf-8")
        assert "workloads:" in text
        path.write_text(text.replace(old, new), encoding="utf-8")


def test_unchanged_stacks_cost_less_than_a_second_each(clone: Path) -> None:
    previewed(clone)
    code, seconds = previewed(clone)
    assert code == 0
    assert (clone / "preview/comment.md").read_text("utf-8").count("\n") <= 3
    assert seconds < AN_UNCHANGED_STACK_S * len(STACKS)


def test_the_comment_for_five_stacks_is_there_in_time(clone: Path) -> None:
    edited(clone, "    workloads:\n", "    monitoring: {podMonitoring: true}\n    workloads:\n")
    try:
        code, seconds = previewed(clone)
        document = json.loads((clone / "preview/diff.json").read_text("utf-8"))
    finally:
        git(clone, "checkout", "-q", ".")
    assert code == 0
    assert {stack["stack"]: stack["verdict"] for stack in document["stacks"]} == dict.fromkeys(STACKS, "changed")
    assert (clone / "preview/comment.md").read_text("utf-8").startswith(MARK)
    assert (clone / "preview/report.html").stat().st_size > 10_000
    assert seconds < FIVE_STACKS_S


def test_a_refused_stack_fails_the_preview_and_still_has_its_comment(clone: Path) -> None:
    edited(clone, "    workloads:\n", "    workloads:\n      bad: {model: {id: nobody/knows}}\n")
    try:
        code, _ = previewed(clone)
    finally:
        git(clone, "checkout", "-q", ".")
    assert code == 1
    assert "refused" in (clone / "preview/comment.md").read_text("utf-8")


def test_a_ref_that_is_a_command_is_none(clone: Path) -> None:
    code, _ = previewed(clone, "$(touch made-by-a-ref); --output=made-by-a-ref")
    assert code == 2
    assert not any("made-by-a-ref" in name for _, folders, files in os.walk(clone) for name in (*folders, *files))
