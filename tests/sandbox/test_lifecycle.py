"""What becomes of a sandbox whose command died, and of one that was never there. No control plane is started."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from l4serve.sandbox import lifecycle
from l4serve.sandbox.errors import SandboxError
from l4serve.sandbox.lifecycle import find_kept, running_sandbox, take_down
from l4serve.sandbox.processes import end_processes, start_process, this_process
from l4serve.sandbox.state import read_state
from tests.sandbox.sleepers import SLEEP, a_state


@pytest.fixture(autouse=True)
def no_build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lifecycle, "ensure_binaries", lambda progress: tmp_path / "binaries")


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


def test_taking_down_waits_for_no_pipe_in_place_of_a_folder(state_dir: Path) -> None:
    state_dir.mkdir(parents=True)
    os.mkfifo(state_dir / "kept")
    take_down()
    assert not os.path.lexists(state_dir / "kept")


def test_what_a_link_in_place_of_the_state_folder_points_to_stays(state_dir: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    (theirs / "kept").mkdir(parents=True)
    (theirs / "kept" / "letter").write_text("dear", encoding="utf-8")
    (theirs / "passing-1").mkdir()
    os.utime(theirs / "passing-1", (0, 0))
    child = start_process("etcd", SLEEP, theirs / "kept")
    state_dir.parent.mkdir(parents=True, exist_ok=True)
    state_dir.symlink_to(theirs)
    for act in (take_down, running_sandbox("x").__enter__):
        with pytest.raises(SandboxError, match="symbolic link") as failed:
            act()
        assert "remove the link" in failed.value.remedy
    assert not child.identity.is_alive()
    assert (theirs / "kept" / "letter").read_text(encoding="utf-8") == "dear"
    assert (theirs / "passing-1").is_dir()


@pytest.mark.parametrize("name", ["kept", "passing-1"])
def test_a_link_in_place_of_a_sandbox_goes_and_its_target_stays(state_dir: Path, tmp_path: Path, name: str) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "letter").write_text("dear", encoding="utf-8")
    os.utime(theirs, (0, 0))
    state_dir.mkdir(parents=True)
    (state_dir / name).symlink_to(theirs)
    take_down()
    assert not os.path.lexists(state_dir / name)
    assert (theirs / "letter").read_text(encoding="utf-8") == "dear"
