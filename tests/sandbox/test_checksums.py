"""Built programs that are no longer what was built are built anew, with a line that says so."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from l4serve.sandbox import checksums
from l4serve.sandbox.build import ensure_binaries
from l4serve.sandbox.checksums import fault_of


def builder(_build: object, into: Path, _progress: object) -> None:
    for name in ("etcd", "kwok"):
        (into / name).write_bytes(b"\x7fELF" + name.encode() * 10)
        (into / name).chmod(0o755)


def overwritten_unseen(file: Path) -> None:
    """Other bytes, as many, and the file's own time set back."""
    before = file.stat()
    file.write_bytes(b"x" * before.st_size)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda file: file.write_bytes(b""),
    "garbage": lambda file: file.write_bytes(b"garbage"),
    "not executable": lambda file: file.chmod(0o644),
    "missing": lambda file: file.unlink(),
    "same size": lambda file: file.write_bytes(b"x" * file.stat().st_size),
    "same size and time": overwritten_unseen,
}


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("L4SERVE_CACHE_DIR", str(tmp_path))
    return ensure_binaries(builder=builder)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_program_is_built_anew(built: Path, damage: str) -> None:
    DAMAGES[damage](built / "kwok")
    assert "kwok" in built_anew(built)


def replaced_by_a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()
    (file / "x").touch()


def replaced_by_a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


RECORDS: dict[str, Callable[[Path], object]] = {
    "removed": Path.unlink,
    "emptied": lambda file: file.write_text("{}", encoding="utf-8"),
    "garbage": lambda file: file.write_bytes(b"\x00garbage"),
    "without a program": lambda file: file.write_text(json.dumps({"etcd": json.loads(file.read_text())["etcd"]})),
    "a folder": replaced_by_a_folder,
    "a pipe": replaced_by_a_pipe,
    "a name that no file has": lambda file: file.write_text(json.dumps({"a\0b": {}}), encoding="utf-8"),
    "nested without end": lambda file: file.write_text("[" * 100_000, encoding="utf-8"),
}


@pytest.mark.parametrize("record", RECORDS)
def test_programs_that_nothing_vouches_for_are_built_anew(built: Path, record: str) -> None:
    RECORDS[record](built.with_name(f"{built.name}.checksums.json"))
    (built / "kwok").write_bytes(b"\x7fELF cut off")
    built_anew(built)


def test_a_record_larger_than_any_is_not_read(built: Path) -> None:
    record = built.with_name(f"{built.name}.checksums.json")
    record.write_text(record.read_text("utf-8") + " " * 2**20, encoding="utf-8")
    assert fault_of(built) == "nobody wrote down what was built"


def test_a_file_in_the_place_of_the_folder_gives_way(built: Path) -> None:
    shutil.rmtree(built)
    built.write_text("no folder", encoding="utf-8")
    assert "it is a file" in built_anew(built)


def built_anew(folder: Path) -> str:
    """What is said while a faulty folder is built again, and well."""
    said: list[str] = []
    assert ensure_binaries(lambda task, _done, _total: said.append(task), builder=builder) == folder
    assert fault_of(folder) is None
    assert (folder / "kwok").read_bytes() == b"\x7fELF" + b"kwok" * 10
    assert [*folder.parent.glob(".broken-*")] == []
    (line,) = (line for line in said if "building anew" in line)
    return line


def test_a_sound_folder_is_not_built_again(built: Path) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("built again")

    assert ensure_binaries(builder=fail) == built
    (built / "kwok").touch()
    assert ensure_binaries(builder=fail) == built


def test_what_a_copy_brought_is_read_once(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (built / "kwok").touch()
    assert fault_of(built) is None
    monkeypatch.setattr(checksums, "_digest", lambda _file: pytest.fail("read again"))
    assert fault_of(built) is None
