"""The lock of a state: in files, in a bucket, with a service, or where nobody could look."""

import json
import os
import pwd
from pathlib import Path
from shlex import split
from urllib.parse import quote_plus

import pytest

from l4serve.verification.doctor_lock import state_lock
from tests.verification.google_stand_in import google

BUCKET = "/storage/b/states/o"
NOWHERE = Path("/nonexistent")
"""A project whose Pulumi.yaml names no backend."""
NEWER, OLDER = ".pulumi/locks/organization/proj/test", ".pulumi/locks/test"
"""Where locks lie in either layout of a store."""


def lock_in(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "lock.json").write_text("{}", "utf-8")


def verdict(url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PULUMI_BACKEND_URL", url)
    return state_lock("test", "proj", None, root=NOWHERE).verdict


def test_a_lock_that_a_killed_update_left_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    folder = tmp_path / NEWER
    assert state_lock("test", "proj", None, root=NOWHERE).verdict == "ok"
    folder.mkdir(parents=True)
    (folder / "lock.json").write_text("{}", "utf-8")
    lock = state_lock("test", "proj", None, root=NOWHERE)
    assert lock.verdict == "bad"
    assert "pulumi cancel -s test" in lock.remedy


@pytest.mark.parametrize(
    "name",
    [
        "stacks/proj/test.json",
        "stacks/proj/test.json.gz",
        "stacks/proj/test.json.zst",
        "stacks/test.json",
        "stacks/test.json.gz",
        "meta.yaml",
    ],
)
@pytest.mark.parametrize("text", ["", "[]", '{"md5": "', "3", '"{}"', "nul"])
def test_what_a_killed_update_cut_short_beside_a_state_is_told(
    name: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    beside = tmp_path / ".pulumi" / f"{name}.attrs"
    beside.parent.mkdir(parents=True)
    for whole in ("{}\n", "null", '{"md5": null} behind'):
        beside.write_text(whole, "utf-8")
        assert state_lock("test", "proj", None, root=NOWHERE).verdict == "ok"
    beside.write_text(text, "utf-8")
    cut = state_lock("test", "proj", None, root=NOWHERE)
    assert (cut.verdict, cut.subject) == ("bad", "state")
    assert cut.remedy == f"rm {beside}; pulumi cancel -s test; pulumi up"


def test_what_is_larger_than_any_beside_a_state_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    beside = tmp_path / ".pulumi" / "meta.yaml.attrs"
    beside.parent.mkdir()
    with beside.open("wb") as file:
        file.truncate(2**31)
    assert state_lock("test", "proj", None, root=NOWHERE).text == (
        "not checked: a file beside a state is larger than 1024 KiB"
    )


@pytest.mark.parametrize(
    ("url", "home"),
    [
        ("file://{}?no_tmp_dir=true", ""),
        ("file://~/{home}/states", "states"),
        ("file://./here", "here"),
        ("file://{}/a%20b", "a b"),
        ("file://{}/a%23b%25", "a#b%"),
        ("file://{}#part", ""),
        ("file://{}/x#part?prefix=team/", "x"),
        ("file://{}?prefix=team/", "team"),
        ("file://{}/x?metadata=skip&prefix=team%2Fa%20b/", "x/team/a b"),
    ],
)
@pytest.mark.parametrize("of_project", [False, True], ids=["by the variable", "by Pulumi.yaml"])
def test_a_lock_is_found_however_the_folder_is_written(
    url: str, home: str, of_project: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `~` is what the database of users says, whatever HOME is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/nonexistent")
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    named = url.format(tmp_path, home=os.path.relpath(tmp_path, pwd.getpwuid(os.getuid()).pw_dir))
    if of_project:
        (tmp_path / "Pulumi.yaml").write_text(f"name: proj\nbackend:\n  url: '{named}'\n", "utf-8")
    else:
        monkeypatch.setenv("PULUMI_BACKEND_URL", named)
    lock_in(tmp_path / home / NEWER)
    assert state_lock("test", "proj", None, root=tmp_path).verdict == "bad"


def test_a_prefix_that_ends_in_no_slash_begins_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock_in(tmp_path / f"team{NEWER}")
    assert verdict(f"file://{tmp_path}?prefix=team", monkeypatch) == "bad"
    assert verdict(f"file://{tmp_path}?prefix=team/", monkeypatch) == "ok"


def test_a_lock_of_the_older_layout_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock_in(tmp_path / ".pulumi/locks/other")
    assert verdict(f"file://{tmp_path}", monkeypatch) == "ok"
    lock_in(tmp_path / OLDER)
    assert verdict(f"file://{tmp_path}", monkeypatch) == "bad"


def test_what_lies_beside_locks_is_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / OLDER / "folder").mkdir(parents=True)
    (tmp_path / OLDER / "lock.json.attrs").write_text("{}", "utf-8")
    assert verdict(f"file://{tmp_path}", monkeypatch) == "ok"
    (tmp_path / OLDER / "fileblob123").write_text("", "utf-8")
    assert verdict(f"file://{tmp_path}", monkeypatch) == "bad"


def test_a_folder_that_is_not_there_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "no folder"
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{folder}")
    missing = state_lock("test", "proj", None, root=NOWHERE)
    assert missing.verdict == "bad"
    command, _, way = missing.remedy.partition(",")
    assert split(command) == ["mkdir", "-p", str(folder)] and "pulumi login" in way
    assert verdict(f"file://{folder}?create_dir=1", monkeypatch) == "ok"
    folder.write_text("", "utf-8")
    assert state_lock("test", "proj", None, root=NOWHERE).remedy.startswith("move that file away")
    assert verdict(f"file://{folder}?create_dir=1", monkeypatch) == "bad"
    assert verdict(f"file://{tmp_path}?colour=red", monkeypatch) == "bad"


@pytest.mark.parametrize("url", ["file://~nobody-of-this-name", f"file:///{'a' * 300}", "file://" + "a/" * 3000])
def test_a_folder_that_cannot_be_read_ends_in_no_traceback(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", url)
    lock = state_lock("test", "proj", None, root=NOWHERE)
    assert (lock.verdict == "bad" and "/obody" in lock.text) or "cannot be read" in lock.text


@pytest.mark.parametrize(
    "url", ["garbage", "://x", "x:secret@host", "gs://[", "file:///%zz", "file:///%00", "file:///\t"]
)
def test_what_is_no_address_is_told_by_what_names_it(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
    (tmp_path / "credentials.json").write_text(json.dumps({"current": url}), "utf-8")
    of_login = state_lock("test", "proj", None, root=NOWHERE)
    assert of_login.text.startswith(f"current of {tmp_path}/credentials.json names no backend")
    monkeypatch.setenv("PULUMI_BACKEND_URL", url)
    lock = state_lock("test", "proj", None, root=NOWHERE)
    assert lock.verdict == of_login.verdict == "bad"
    assert "names no backend" in lock.text and url not in lock.text and "pulumi login" in lock.remedy


@pytest.mark.parametrize("text", ["", "- a", "backend: 3", "backend: {url: [a]}", "a: b: c", "\x00"])
def test_a_pulumi_yaml_that_names_no_backend_leaves_the_last_login(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
    (tmp_path / "credentials.json").write_text('{"current": "https://example.com"}', "utf-8")
    (tmp_path / "Pulumi.yaml").write_text(text, "utf-8")
    assert state_lock("test", "proj", None, root=tmp_path).verdict == "unknown"


@pytest.mark.parametrize("variable", ["PULUMI_HOME", "PULUMI_CREDENTIALS_PATH"])
def test_a_machine_without_a_pulumi_login_is_told(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    monkeypatch.setenv("PULUMI_HOME", "/nonexistent")
    monkeypatch.setenv(variable, str(tmp_path))
    for text in (None, "", "{}", '{"current": ""}', "[]"):
        if text is not None:
            (tmp_path / "credentials.json").write_text(text, "utf-8")
        lock = state_lock("test", "proj", None, root=NOWHERE)
        assert (lock.verdict, lock.remedy) == ("bad", "pulumi login, or PULUMI_BACKEND_URL")
    (tmp_path / "credentials.json").write_text('{"current": "https://example.com"}', "utf-8")
    assert state_lock("test", "proj", None, root=NOWHERE).verdict == "unknown"


@pytest.mark.parametrize("url", ["gs://states", "gs://states/team?kms=1", "s3://states", "https://example.com"])
def test_what_nobody_could_look_at_is_not_checked(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", url)
    lock = state_lock("test", "proj", None, root=NOWHERE)
    assert lock.verdict == "unknown"
    assert lock.text.startswith("not checked: ")


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("gs://states", ""),
        ("gs://states/team/a", "team/a/"),
        ("gs://states//team/a/#x", "team/a/"),
        ("gs://states/team%20a?prefix=of/", "of/team a/"),
        ("gs://states?prefix=of", "of"),
    ],
)
def test_a_lock_in_a_bucket_is_told(url: str, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", url)
    locks = f"{folder}.pulumi/locks/organization/proj/test/"
    asked: list[str] = []
    with google({BUCKET: {"items": [{"name": f"{locks}1.json"}]}}, asked) as apis:
        lock = state_lock("test", "proj", apis, root=NOWHERE)
    assert lock.verdict == "bad"
    assert f"1 in gs://states/{locks.rstrip('/')}" in lock.text
    rest = "delimiter=%2F&fields=items%28name%29"
    assert asked == [f"{BUCKET}?prefix={quote_plus(locks)}&{rest}"]
    with google({BUCKET: {}}, asked) as apis:
        assert state_lock("test", "proj", apis, root=NOWHERE).verdict == "ok"
    assert asked[2] == f"{BUCKET}?prefix={quote_plus(folder + OLDER)}%2F&{rest}"
    with google({}) as apis:
        refused = state_lock("test", "proj", apis, root=NOWHERE)
    assert refused.verdict == "unknown" and "roles/storage.objectViewer on gs://states" in refused.remedy
