"""The lock of a state: in files, in a bucket, with a service, or where nobody could look."""

from pathlib import Path

import pytest

from l4serve.verification.doctor_lock import state_lock
from tests.verification.google_stand_in import google

BUCKET = "/storage/b/states/o"
NOWHERE = Path("/nonexistent")
"""A project whose Pulumi.yaml names no backend."""


def test_a_lock_that_a_killed_update_left_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    folder = tmp_path / ".pulumi" / "locks" / "organization" / "proj" / "test"
    assert state_lock("test", "proj", None, root=NOWHERE).verdict == "ok"
    folder.mkdir(parents=True)
    (folder / "lock.json").write_text("{}", "utf-8")
    lock = state_lock("test", "proj", None, root=NOWHERE)
    assert lock.verdict == "bad"
    assert "pulumi cancel -s test" in lock.remedy


@pytest.mark.parametrize(
    "name", ["stacks/proj/test.json", "stacks/proj/test.json.gz", "stacks/proj/test.json.zst", "meta.yaml"]
)
def test_what_a_killed_update_cut_short_beside_a_state_is_told(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    beside = tmp_path / ".pulumi" / f"{name}.attrs"
    beside.parent.mkdir(parents=True)
    beside.write_text("{}", "utf-8")
    assert state_lock("test", "proj", None, root=NOWHERE).verdict == "ok"
    beside.write_text("", "utf-8")
    cut = state_lock("test", "proj", None, root=NOWHERE)
    assert (cut.verdict, cut.subject) == ("bad", "state")
    assert cut.remedy == f"rm {beside}; pulumi cancel -s test; pulumi up"


@pytest.mark.parametrize(
    ("url", "home"), [("file://{}?no_tmp_dir=true", ""), ("file://~/states", "states"), ("file://./here", "here")]
)
@pytest.mark.parametrize("of_project", [False, True], ids=["by the variable", "by Pulumi.yaml"])
def test_a_lock_is_found_however_the_folder_is_written(
    url: str, home: str, of_project: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    named = url.format(tmp_path)
    if of_project:
        (tmp_path / "Pulumi.yaml").write_text(f"name: proj\nbackend:\n  url: {named}\n", "utf-8")
    else:
        monkeypatch.setenv("PULUMI_BACKEND_URL", named)
    lock = tmp_path / home / ".pulumi" / "locks" / "organization" / "proj" / "test" / "lock.json"
    lock.parent.mkdir(parents=True)
    lock.write_text("{}", "utf-8")
    assert state_lock("test", "proj", None, root=tmp_path).verdict == "bad"


@pytest.mark.parametrize("url", ["file://~nobody-of-this-name", f"file:///{'a' * 300}", "file://" + "a/" * 3000])
def test_a_folder_that_cannot_be_read_ends_in_no_traceback(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", url)
    lock = state_lock("test", "proj", None, root=NOWHERE)
    assert (lock.verdict in ("ok", "unknown") and "obody" in lock.text) or "cannot be read" in lock.text


@pytest.mark.parametrize("text", ["", "- a", "backend: 3", "backend: {url: [a]}", "a: b: c", "\x00"])
def test_a_pulumi_yaml_that_names_no_backend_leaves_the_last_login(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
    (tmp_path / "credentials.json").write_text('{"current": "https://example.com"}', "utf-8")
    (tmp_path / "Pulumi.yaml").write_text(text, "utf-8")
    assert state_lock("test", "proj", None, root=tmp_path).verdict == "unknown"


def test_a_machine_without_a_pulumi_login_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
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


@pytest.mark.parametrize(("url", "folder"), [("gs://states", ""), ("gs://states/team/a", "team/a/")])
def test_a_lock_in_a_bucket_is_told(url: str, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", url)
    locks = f"{folder}.pulumi/locks/organization/proj/test/"
    asked: list[str] = []
    with google({BUCKET: {"items": [{"name": f"{locks}1.json"}]}}, asked) as apis:
        lock = state_lock("test", "proj", apis, root=NOWHERE)
    assert lock.verdict == "bad"
    assert f"1 in gs://states/{locks.rstrip('/')}" in lock.text
    assert asked == [f"{BUCKET}?prefix={locks.replace('/', '%2F')}&fields=items%28name%29"]
    with google({BUCKET: {}}) as apis:
        assert state_lock("test", "proj", apis, root=NOWHERE).verdict == "ok"
    with google({}) as apis:
        refused = state_lock("test", "proj", apis, root=NOWHERE)
    assert refused.verdict == "unknown" and "roles/storage.objectViewer on gs://states" in refused.remedy
