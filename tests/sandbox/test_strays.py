"""Processes that a command left behind: told and ended, whatever became of the file that lists them."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from l4serve.cli.app import app
from l4serve.sandbox import lifecycle, processes, strays
from l4serve.sandbox.lifecycle import find_strays, take_down
from l4serve.sandbox.processes import ChildProcess, end_processes, identify, start_process, this_process
from tests.json_forms import faults
from tests.sandbox.sleepers import SLEEP, a_state, is_free, lingering


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["empty", "truncated", "odd", "a pipe", "no file", "no folder", "another pid"])
def test_taking_down_ends_the_processes_whatever_became_of_the_file(state_dir: Path, damage: str) -> None:
    folder = a_state(state_dir / "kept").folder
    children = [start_process(name, SLEEP, folder) for name in ("etcd", "kwok")]
    a_state(folder, processes=tuple(child.identity for child in children))
    file = folder / "sandbox.json"
    text = file.read_text("utf-8")
    match damage:
        case "empty":
            file.write_text("", encoding="utf-8")
        case "truncated":
            file.write_text(text[: len(text) // 2], encoding="utf-8")
        case "odd":
            file.write_text('{"owner": 5, "processes": [{"name": "x", "pid": 0, "started": true}]}', encoding="utf-8")
        case "a pipe":
            file.unlink()
            os.mkfifo(file)
        case "no file":
            file.unlink()
        case "no folder":
            shutil.rmtree(folder)
        case "another pid":
            file.write_text(text.replace(str(children[0].identity.pid), "1234567"), encoding="utf-8")
    assert take_down() is True
    for child in children:
        assert not child.identity.is_alive()
    assert find_strays() == ()
    assert not folder.exists()
    assert take_down() is False


@pytest.fixture
def a_kept_sandbox(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ChildProcess, ...]]:
    """Two processes of one, under a mark that no other test looks for, whose command is over."""
    for module in (processes, strays):
        monkeypatch.setattr(module, "FOLDER_MARK", f"L4SERVE_SANDBOX_OF_{os.getpid()}")
    monkeypatch.setattr(processes, "this_process", lambda: replace(this_process(), started=0.0))
    folder = a_state(state_dir / "kept").folder
    children = tuple(start_process(name, SLEEP, folder) for name in ("etcd", "kwok"))
    a_state(folder, processes=tuple(child.identity for child in children))
    yield children
    end_processes(child.identity for child in children)


def moved(state_dir: Path, to: Path) -> Path:
    """Where the state folder now is: on another disk, for all that its processes know."""
    shutil.copytree(state_dir, to / state_dir.name)
    shutil.rmtree(state_dir.parent)
    return to


@pytest.mark.slow
@pytest.mark.parametrize("reached", ["by a link", "by its new name", "by another name", "by its old name"])
def test_a_state_folder_that_moved_leaves_no_process(
    a_kept_sandbox: tuple[ChildProcess, ...],
    state_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    reached: str,
) -> None:
    there = moved(state_dir, tmp_path / "there")
    match reached:
        case "by a link":
            state_dir.parent.symlink_to(there)
        case "by its new name":
            monkeypatch.setenv("L4SERVE_STATE_DIR", str(there))
        case "by another name":
            monkeypatch.setenv("L4SERVE_STATE_DIR", str(tmp_path / "other"))
    status = CliRunner().invoke(app, ["sandbox", "status"])
    assert all(str(child.identity.pid) in status.output for child in a_kept_sandbox)
    assert status.exit_code == (0 if reached in ("by a link", "by its new name") else 1)
    assert CliRunner().invoke(app, ["sandbox", "down"]).output == "The sandbox is down.\n"
    assert not any(child.identity.is_alive() for child in a_kept_sandbox)
    assert CliRunner().invoke(app, ["sandbox", "down"]).output == "There was no sandbox.\n"


@pytest.mark.slow
def test_a_moved_sandbox_ends_where_another_took_its_old_place(
    a_kept_sandbox: tuple[ChildProcess, ...], state_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = moved(state_dir, tmp_path / "there")
    newer = start_process("etcd", SLEEP, a_state(state_dir / "kept").folder)
    a_state(state_dir / "kept", processes=(newer.identity,))
    try:
        monkeypatch.setenv("L4SERVE_STATE_DIR", str(there))
        assert take_down() is True
        assert not any(child.identity.is_alive() for child in a_kept_sandbox)
        assert newer.identity.is_alive()
    finally:
        end_processes([newer.identity])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["kept", "passing-moved"])
def test_a_listed_process_that_no_sandbox_started_is_left_alone(state_dir: Path, name: str) -> None:
    with subprocess.Popen(SLEEP) as other:
        try:
            owner = replace(this_process(), started=0.0)
            a_state(state_dir / name, processes=(identify("etcd", other.pid),), owner=owner)
            assert take_down() is (name == "kept")
            assert not (state_dir / name).exists() and other.poll() is None
        finally:
            other.kill()


def killed_owner(folder: Path) -> int:
    """Pid of a process that a command started in `folder` before it was killed."""
    program = (
        "import os, pathlib, sys\n"
        "from l4serve.sandbox.processes import start_process\n"
        f"print(start_process('etcd', {SLEEP!r}, pathlib.Path({str(folder)!r})).identity.pid, flush=True)\n"
        "os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120)
    return int(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("removed", [False, True], ids=["folder", "no-folder"])
def test_what_a_killed_rehearsal_left_is_told_and_ended(state_dir: Path, removed: bool) -> None:
    folder = state_dir / "passing-killed"
    folder.mkdir(parents=True)
    pid = killed_owner(folder)
    if removed:
        shutil.rmtree(folder)
    assert [stray.identity.pid for stray in find_strays()] == [pid]
    status = CliRunner().invoke(app, ["sandbox", "status"])
    assert status.exit_code == 1
    assert f"({pid})" in status.output
    told = json.loads(CliRunner().invoke(app, ["sandbox", "status", "--json"]).stdout)
    assert told["strays"][0]["pid"] == pid and faults("sandbox-status", told) == []
    assert CliRunner().invoke(app, ["sandbox", "down"]).output == "The sandbox is down.\n"
    assert find_strays() == ()
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    assert not folder.exists()


def test_the_processes_of_a_command_that_runs_are_left_alone(state_dir: Path) -> None:
    folder = state_dir / "passing-alive"
    folder.mkdir(parents=True)
    child = start_process("etcd", SLEEP, folder)
    try:
        assert find_strays() == ()
        take_down()
        assert child.identity.is_alive()
    finally:
        end_processes([child.identity])


def test_a_clock_step_hides_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = start_process("etcd", SLEEP, tmp_path)
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: 12345.0)
    assert child.identity.is_alive()
    end_processes([child.identity])
    assert not child.identity.is_alive()


@pytest.mark.parametrize("listed", [True, False])
def test_what_still_ends_and_has_no_environment_any_more_is_waited_for(state_dir: Path, listed: bool) -> None:
    folder = a_state(state_dir / "kept").folder
    child, port = lingering(folder)
    if listed:
        a_state(folder, processes=(child.identity,))
    assert take_down() is True
    assert is_free(port) and not child.identity.is_alive()


@pytest.mark.slow
@pytest.mark.parametrize("listed", ["none of them", "one of them", "others"])
def test_what_an_odd_list_leaves_out_is_told(state_dir: Path, listed: str) -> None:
    folder = state_dir / "kept"
    folder.mkdir(parents=True)
    left = [killed_owner(folder), killed_owner(folder)]
    known = identify("etcd", left[0])
    lists = {"none of them": (), "one of them": (known,), "others": (replace(known, started=known.started + 5),)}
    a_state(folder, processes=lists[listed])
    try:
        told = {stray.identity.pid for stray in find_strays()}
        assert told == {*left[1:]} if listed == "one of them" else told == {*left}
        status = CliRunner().invoke(app, ["sandbox", "status"])
        assert status.exit_code == 1
        assert f"({left[1]})" in status.output
    finally:
        take_down()
    assert find_strays() == ()


@pytest.mark.slow
def test_many_cleaners_at_once_all_end_well(state_dir: Path) -> None:
    for number in range(30):
        folder = a_state(state_dir / f"passing-{number}", owner=replace(this_process(), started=0.0)).folder
        for part in range(60):
            (folder / f"part-{part}").mkdir()
            (folder / f"part-{part}" / "file").write_text("x", encoding="utf-8")
    failures: list[BaseException] = []

    def clean() -> None:
        try:
            lifecycle._end_abandoned(state_dir)
        except BaseException as error:
            failures.append(error)

    cleaners = [threading.Thread(target=clean) for _ in range(20)]
    for cleaner in cleaners:
        cleaner.start()
    for cleaner in cleaners:
        cleaner.join()
    assert failures == []
    assert [*state_dir.glob("passing-*")] == []
