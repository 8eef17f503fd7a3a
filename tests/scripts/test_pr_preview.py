"""What a pull request gets, from a clean clone: no credential, no Pulumi CLI, no network, and in time."""

import json
import os
import resource
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from l4serve.report.comment import MARK
from tests.cli.commands.test_diff_command import git
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


PRICES = "l4serve/planning/machines/data/prices.yaml"


def changed_tables(clone: Path, text: str) -> dict[str, Any]:
    """The difference that the working tree makes to its commit, with one table of the program replaced."""
    path = clone / PRICES
    kept = path.read_text("utf-8")
    path.write_text(text, encoding="utf-8")
    try:
        assert previewed(clone)[0] == 0
    finally:
        path.write_text(kept, encoding="utf-8")
    found: dict[str, Any] = json.loads((clone / "preview/diff.json").read_text("utf-8"))
    return found


def test_the_base_is_planned_with_its_own_tables(clone: Path) -> None:
    table = yaml.safe_load((clone / PRICES).read_text("utf-8"))
    table["clusterFee"]["usdPerHour"] += 1
    document = changed_tables(clone, yaml.safe_dump(table))
    dev = next(stack for stack in document["stacks"] if stack["stack"] == "dev")
    before, after = (dev["cost"][side]["planned"]["usdPerHour"] for side in ("before", "after"))
    assert after - before == pytest.approx(1)
    assert document["remarks"] == []


def test_tables_that_this_program_cannot_read_are_named_and_left(clone: Path) -> None:
    kept = (clone / PRICES).read_text("utf-8")
    (clone / PRICES).write_text("clusterFee: free\n", encoding="utf-8")
    git(clone, "commit", "-q", "-am", "tables of another program")
    try:
        document = changed_tables(clone, kept)
    finally:
        git(clone, "reset", "-q", "--hard", "HEAD~1")
    assert any(PRICES in remark for remark in document["remarks"])
    assert all(stack["verdict"] == "same" for stack in document["stacks"])


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
    assert list((clone / "preview").iterdir()) == [], "nothing of this run, half-written, nor of an earlier one"
    assert not any("made-by-a-ref" in name for _, folders, files in os.walk(clone) for name in (*folders, *files))
