"""What becomes of a sandbox whose command died, and of one that was never there. No control plane is started."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from filelock import FileLock
from typer.testing import CliRunner

from l4serve.cli.app import app
from l4serve.sandbox import lifecycle
from l4serve.sandbox.errors import SandboxError
from l4serve.sandbox.lifecycle import find_kept, find_strays, running_sandbox, take_down
from l4serve.sandbox.processes import end_processes, identify, start_process, this_process
from l4serve.sandbox.state import SandboxState, read_state
from tests.json_forms import faults

SLEEP = [sys.executable, "-c", "import time; time.sleep(120)"]


@pytest.fixture(autouse=True)
def no_build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lifecycle, "ensure_binaries", lambda progress: tmp_path / "binaries")


def a_state(folder: Path, **values) -> SandboxState:
    folder.mkdir(parents=True, exist_ok=True)
    state = SandboxState(folder=folder, label="dev", version="v1.37.2", owner=None, server="https://127.0.0.1:1")
    state = replace(state, **values)
    state.save()
    return state


def refuse_to_start(*_: object) -> None:
    raise SandboxError("no control plane in this test")


def test_a_state_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    state = a_state(tmp_path / "kept", owner=this_process(), processes=(this_process(), this_process()))
    assert read_state(state.folder) == state


ENDLESS = (
    '{"owner": null, "label": "", "version": "", "server": "", "processes": [{"name": "x", "pid": 9, "started": 9%s}]}'
)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"owner": null, "processes": [{"name": 1}]}', ENDLESS % ("9" * 350)]
)
def test_an_unreadable_state_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "sandbox.json").write_text(text, encoding="utf-8")
    assert read_state(tmp_path) is None


def test_without_a_kept_sandbox_there_is_nothing_to_find_or_end(state_dir: Path) -> None:
    assert find_kept() is None
    assert take_down() is False


def test_a_kept_sandbox_with_an_ended_process_is_found_but_does_not_run(state_dir: Path) -> None:
    ended = replace(this_process(), started=0.0)
    a_state(state_dir / "kept", processes=(this_process(), ended))
    kept = find_kept()
    assert kept is not None
    assert not kept.is_running


def test_taking_down_ends_its_processes_and_no_other_that_its_file_lists(state_dir: Path, tmp_path: Path) -> None:
    folder = a_state(state_dir / "kept").folder
    child, other = start_process("etcd", SLEEP, folder), start_process("other", SLEEP, tmp_path)
    a_state(folder, processes=(child.identity, other.identity))
    try:
        assert take_down() is True
        assert not child.identity.is_alive()
        assert other.identity.is_alive()
    finally:
        end_processes([other.identity])
    assert not (state_dir / "kept").exists()


def test_the_next_start_ends_what_a_killed_command_left(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "start_control_plane", refuse_to_start)
    left = a_state(state_dir / "passing-dead", owner=replace(this_process(), started=0.0)).folder
    child = start_process("etcd", SLEEP, left)
    living = a_state(state_dir / "passing-alive", owner=this_process()).folder
    starting = state_dir / "passing-starting"
    starting.mkdir()
    with pytest.raises(SandboxError, match="no control plane"), running_sandbox("dev"):
        pass
    assert not child.identity.is_alive()
    assert not left.exists()
    assert living.exists()
    assert starting.exists()


def test_an_old_folder_without_a_state_is_removed(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "start_control_plane", refuse_to_start)
    old = state_dir / "passing-old"
    old.mkdir(parents=True)
    os.utime(old, (0, 0))
    with pytest.raises(SandboxError), running_sandbox("dev"):
        pass
    assert not old.exists()


@pytest.mark.parametrize("keep", [True, False])
def test_a_failed_start_leaves_no_file(state_dir: Path, monkeypatch: pytest.MonkeyPatch, keep: bool) -> None:
    monkeypatch.setattr(lifecycle, "start_control_plane", refuse_to_start)
    with pytest.raises(SandboxError), running_sandbox("dev", keep=keep):
        pass
    assert [path for path in state_dir.iterdir() if path.is_dir()] == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_asks_to_end_lets_the_cleaning_up_run(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    monkeypatch.setattr(lifecycle, "start_control_plane", lambda *_: os.kill(os.getpid(), number))
    before = signal.getsignal(number)
    with pytest.raises(SystemExit) as ended, running_sandbox("dev"):
        pass
    assert ended.value.code == 128 + number
    assert [path for path in state_dir.iterdir() if path.is_dir()] == []
    assert signal.getsignal(number) == before


def test_ctrl_c_does_not_interrupt_the_cleaning_up(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remove = lifecycle._remove

    def remove_while_interrupted(folder: Path) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        remove(folder)

    monkeypatch.setattr(lifecycle, "_remove", remove_while_interrupted)
    folder = a_state(state_dir / "passing-x").folder
    with lifecycle._removed_unless(folder, stays=False):
        pass
    assert not folder.exists()


def test_a_state_folder_that_cannot_be_made_is_a_readable_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("L4SERVE_STATE_DIR", str(tmp_path / "file" / "state"))
    with pytest.raises(SandboxError) as refused, running_sandbox("dev"):
        pass
    assert "L4SERVE_STATE_DIR" in refused.value.remedy


def test_a_second_keeper_says_what_it_waits_for(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "start_control_plane", refuse_to_start)
    state_dir.mkdir(parents=True)
    holder = FileLock(state_dir / "kept.lock")
    holder.acquire()
    heard: list[str] = []

    def hear(task: str, _done: int, _total: int | None, /) -> None:
        heard.append(task)
        holder.release()

    with pytest.raises(SandboxError, match="no control plane"), running_sandbox("dev", keep=True, progress=hear):
        pass
    assert heard == ["waiting for the command that is starting the kept sandbox"]


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
