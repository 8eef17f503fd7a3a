"""Built programs that are no longer what was built are built anew, with a line that says so."""

from collections.abc import Callable
from pathlib import Path

import pytest

from l4serve.sandbox.build import ensure_binaries
from l4serve.sandbox.checksums import fault_of, record_checksums


def builder(_build: object, into: Path, _progress: object) -> None:
    for name in ("etcd", "kwok"):
        (into / name).write_bytes(b"\x7fELF" + name.encode() * 10)
        (into / name).chmod(0o755)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda file: file.write_bytes(b""),
    "garbage": lambda file: file.write_bytes(b"garbage"),
    "not executable": lambda file: file.chmod(0o644),
    "missing": lambda file: file.unlink(),
    "same size": lambda file: file.write_bytes(b"x" * file.stat().st_size),
}


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("L4SERVE_CACHE_DIR", str(tmp_path))
    return ensure_binaries(builder=builder)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("recorded", [True, False], ids=["recorded", "of-an-earlier-version"])
def test_a_damaged_program_is_built_anew(built: Path, damage: str, recorded: bool) -> None:
    if not recorded:
        if damage in ("missing", "same size"):
            record_checksums(built)
        else:
            built.with_name(f"{built.name}.checksums.json").unlink()
    DAMAGES[damage](built / "kwok")
    assert fault_of(built)
    said: list[str] = []
    assert ensure_binaries(lambda task, _done, _total: said.append(task), builder=builder) == built
    assert fault_of(built) is None
    assert (built / "kwok").read_bytes().startswith(b"\x7fELF")
    assert any("building anew" in line and "kwok" in line for line in said)
    assert [*built.parent.glob(".broken-*")] == []


def test_a_sound_folder_is_not_built_again(built: Path) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("built again")

    assert ensure_binaries(builder=fail) == built
    (built / "kwok").touch()
    assert ensure_binaries(builder=fail) == built
