"""What lies in place of the files of the state and cache folders ends no command in "this is a bug"."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from l4serve.cli.app import app
from l4serve.cli.subjects import hub
from l4serve.planning.models.hf_values import ModelConfigError
from l4serve.sandbox import build, lifecycle
from l4serve.sandbox.build import ensure_binaries
from l4serve.sandbox.checksums import fault_of
from l4serve.sandbox.errors import SandboxError
from l4serve.sandbox.go_modules import CONTROL_PLANE
from l4serve.sandbox.lifecycle import running_sandbox, take_down
from l4serve.sandbox.paths import state_root
from l4serve.sandbox.processes import this_process
from l4serve.sandbox.state import read_state
from tests.sandbox.sleepers import a_state


def a_folder(path: Path) -> None:
    (path / "inside").mkdir(parents=True)


def a_dangling_link(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere") / "further")


def a_circle_of_links(path: Path) -> None:
    path.symlink_to(path)


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


ODD: dict[str, Callable[[Path], None]] = {
    "a folder": a_folder,
    "a dangling link": a_dangling_link,
    "a circle of links": a_circle_of_links,
    "a pipe": a_pipe,
}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("L4SERVE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "sandbox"


def a_build(_build: object, into: Path, _progress: object) -> None:
    (into / "program").write_text("built", encoding="utf-8")
    (into / "program").chmod(0o755)


@pytest.mark.parametrize("odd", [name for name in ODD if name != "a pipe"])
def test_what_lies_in_place_of_the_lock_of_the_kept_sandbox_is_named(state_dir: Path, odd: str) -> None:
    state_dir.mkdir(parents=True)
    ODD[odd](state_dir / "kept.lock")
    with pytest.raises(SandboxError, match=r"kept\.lock cannot be taken") as failed:
        take_down()
    assert "remove it" in failed.value.remedy
    told = CliRunner().invoke(app, ["sandbox", "down"])
    assert told.exit_code == 1
    assert "this is a bug" not in told.output
    assert "kept.lock cannot be taken" in told.output.replace("\n", "")


@pytest.mark.parametrize("odd", [name for name in ODD if name != "a pipe"])
def test_what_lies_in_place_of_the_lock_of_a_build_is_named(cache: Path, odd: str) -> None:
    cache.mkdir(parents=True)
    ODD[odd](cache / f"{CONTROL_PLANE.key}.lock")
    with pytest.raises(SandboxError, match=r"lock cannot be taken") as failed:
        ensure_binaries(builder=a_build)
    assert "remove it" in failed.value.remedy


def test_a_pipe_in_place_of_a_lock_is_one(cache: Path, state_dir: Path) -> None:
    for path in (cache / f"{CONTROL_PLANE.key}.lock", state_dir / "kept.lock"):
        path.parent.mkdir(parents=True)
        a_pipe(path)
    take_down()
    assert fault_of(ensure_binaries(builder=a_build)) is None


@pytest.mark.parametrize("odd", ODD)
def test_what_lies_in_place_of_programs_or_their_checksums_gives_way(cache: Path, odd: str) -> None:
    cache.mkdir(parents=True)
    for name in (CONTROL_PLANE.key, f"{CONTROL_PLANE.key}.checksums.json"):
        ODD[odd](cache / name)
    assert fault_of(ensure_binaries(builder=a_build)) is None


@pytest.mark.parametrize("odd", ODD)
def test_what_lies_in_place_of_a_sandbox_or_its_state_gives_way(state_dir: Path, odd: str) -> None:
    (state_dir / "kept").mkdir(parents=True)
    for path in (state_dir / "kept" / "sandbox.json", state_dir / "passing-1"):
        ODD[odd](path)
    assert CliRunner().invoke(app, ["sandbox", "status"]).exit_code == 1
    assert take_down()
    ODD[odd](state_dir / "kept")
    assert take_down()
    assert not os.path.lexists(state_dir / "kept")


@pytest.mark.parametrize("odd", [name for name in ODD if name != "a folder"])
@pytest.mark.parametrize("variable", ["L4SERVE_STATE_DIR", "XDG_STATE_HOME"])
def test_what_lies_in_place_of_the_state_folder_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, odd: str, variable: str
) -> None:
    monkeypatch.delenv("L4SERVE_STATE_DIR", raising=False)
    monkeypatch.setenv(variable, str(tmp_path / "state"))
    ODD[odd](tmp_path / "state")
    for command in ("status", "down", "up"):
        monkeypatch.setattr(lifecycle, "ensure_binaries", lambda _progress: tmp_path)
        told = CliRunner().invoke(app, ["sandbox", command])
        assert told.exit_code in (0, 1)
        assert "this is a bug" not in told.output


@pytest.mark.parametrize("place", ["/" + "a" * 300, "/nowhere/" + "b/" * 3000, "/proc/1/root/x", "/dev/null/x"])
@pytest.mark.parametrize("variable", ["L4SERVE_STATE_DIR", "XDG_STATE_HOME"])
def test_a_state_folder_that_no_system_has_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, variable: str
) -> None:
    monkeypatch.delenv("L4SERVE_STATE_DIR", raising=False)
    monkeypatch.setenv(variable, place)
    monkeypatch.setattr(lifecycle, "ensure_binaries", lambda _progress: tmp_path)
    for command in ("status", "down", "up"):
        told = CliRunner().invoke(app, ["sandbox", command])
        assert told.exit_code in (0, 1)
        assert command != "up" or "set L4SERVE_STATE_DIR to another" in told.output


def test_the_state_folder_of_another_user_is_left_alone(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An administrator who keeps a user's environment could remove the files, and not the processes."""
    folder = a_state(state_dir / "kept").folder
    monkeypatch.setattr(lifecycle, "ensure_binaries", lambda _progress: state_dir)
    monkeypatch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
    for command in ("status", "down", "up"):
        told = CliRunner().invoke(app, ["sandbox", command])
        assert told.exit_code == 1
        assert "is another user's" in " ".join(told.output.split())
    assert (folder / "sandbox.json").exists()


def test_a_state_of_more_processes_than_any_sandbox_has_is_none(state_dir: Path) -> None:
    folder = a_state(state_dir / "kept", processes=(this_process(),) * 5000).folder
    assert read_state(folder) is None


def test_a_relative_path_of_a_base_folder_counts_as_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("L4SERVE_STATE_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", "state")
    assert state_root() == tmp_path / ".local" / "state" / "l4serve" / "sandbox"


@pytest.mark.parametrize("variable", ["L4SERVE_STATE_DIR", "L4SERVE_CACHE_DIR"])
def test_the_home_of_an_unknown_user_is_told(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "~nobody-of-this-name/x")
    told = CliRunner().invoke(app, ["sandbox", "status" if "STATE" in variable else "build"])
    assert told.exit_code == 1
    assert f"set {variable}" in told.output


def test_a_full_or_closed_disk_is_told(cache: Path, state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_arguments: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(build, "record_checksums", closed)
    with pytest.raises(SandboxError, match="No space left on device"):
        ensure_binaries(builder=a_build)
    monkeypatch.setattr(lifecycle, "ensure_binaries", lambda _progress: cache)
    monkeypatch.setattr(lifecycle, "_start", closed)
    with pytest.raises(SandboxError, match="No space left on device"), running_sandbox("x"):
        pass
    assert not [*state_dir.glob("passing-*")]


@pytest.mark.parametrize("odd", ODD)
def test_what_lies_in_the_cache_of_the_hubs_answers_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, odd: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    cached = tmp_path / "l4serve" / "hub" / "me--model.json"
    cached.parent.mkdir(parents=True)
    ODD[odd](cached)
    with pytest.raises(ModelConfigError, match="the Hub cannot be reached"):
        hub.model_shape("me/model")
    answer = json.dumps({"model_type": "llama"}).encode()
    monkeypatch.setattr("l4serve.cli.subjects.hub_download.download_config", lambda _model: answer)
    with pytest.raises(ModelConfigError, match="has no `architectures`"):
        hub.model_shape("me/model")
