"""The lock of a state: in files, in a bucket, with a service, or where nobody could look."""

from pathlib import Path

import pytest

from l4serve.verification.doctor_lock import state_lock
from tests.verification.google_stand_in import google

BUCKET = "/storage/b/states/o"


def test_a_lock_that_a_killed_update_left_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    folder = tmp_path / ".pulumi" / "locks" / "organization" / "proj" / "test"
    assert state_lock("test", "proj", None).verdict == "ok"
    folder.mkdir(parents=True)
    (folder / "lock.json").write_text("{}", "utf-8")
    lock = state_lock("test", "proj", None)
    assert lock.verdict == "bad"
    assert "pulumi cancel -s test" in lock.remedy


def test_what_a_killed_update_cut_short_beside_a_state_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    beside = tmp_path / ".pulumi" / "stacks" / "proj" / "test.json.attrs"
    beside.parent.mkdir(parents=True)
    beside.write_text("{}", "utf-8")
    assert state_lock("test", "proj", None).verdict == "ok"
    beside.write_text("", "utf-8")
    cut = state_lock("test", "proj", None)
    assert (cut.verdict, cut.subject) == ("bad", "state")
    assert cut.remedy == f"rm {beside}; pulumi cancel -s test; pulumi up"


def test_a_machine_without_a_pulumi_login_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
    lock = state_lock("test", "proj", None)
    assert (lock.verdict, lock.remedy) == ("bad", "pulumi login, or PULUMI_BACKEND_URL")
    (tmp_path / "credentials.json").write_text('{"current": "https://example.com"}', "utf-8")
    assert state_lock("test", "proj", None).verdict == "unknown"


@pytest.mark.parametrize("url", ["gs://states", "gs://states/team?kms=1", "s3://states", "https://example.com"])
def test_what_nobody_could_look_at_is_not_checked(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", url)
    lock = state_lock("test", "proj", None)
    assert lock.verdict == "unknown"
    assert lock.text.startswith("not checked: ")


@pytest.mark.parametrize(("url", "folder"), [("gs://states", ""), ("gs://states/team/a", "team/a/")])
def test_a_lock_in_a_bucket_is_told(url: str, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", url)
    locks = f"{folder}.pulumi/locks/organization/proj/test/"
    asked: list[str] = []
    with google({BUCKET: {"items": [{"name": f"{locks}1.json"}]}}, asked) as apis:
        lock = state_lock("test", "proj", apis)
    assert lock.verdict == "bad"
    assert f"1 in gs://states/{locks.rstrip('/')}" in lock.text
    assert asked == [f"{BUCKET}?prefix={locks.replace('/', '%2F')}&fields=items%28name%29"]
    with google({BUCKET: {}}) as apis:
        assert state_lock("test", "proj", apis).verdict == "ok"
    with google({}) as apis:
        refused = state_lock("test", "proj", apis)
    assert refused.verdict == "unknown" and "roles/storage.objectViewer on gs://states" in refused.remedy
