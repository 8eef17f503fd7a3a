"""What `pulumi install` gives: the versions that the tests ran with, this checkout and the policy pack."""

import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest

from scripts import checkout_wheel

ROOT = Path(__file__).resolve().parents[1]
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s\\;]+)", re.MULTILINE)
NAME = re.compile(r"[A-Za-z0-9._-]+")


def pins(file: str) -> dict[str, str]:
    return dict(PIN.findall((ROOT / "requirements" / file).read_text(encoding="utf-8")))


def test_pulumi_installs_the_pins_and_the_checkout_by_its_hash() -> None:
    """As `make requirements` writes them."""
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    lines = [line.partition(" --hash=sha256:")[0] for line in text.splitlines() if not line.startswith("#")]
    assert lines == ["-r requirements/pulumi.txt", f"./{checkout_wheel.WHEEL.as_posix()}"]
    assert (ROOT / checkout_wheel.WHEEL).read_bytes() == checkout_wheel.wheel()
    assert checkout_wheel.requirements(text) == text


def test_an_environment_of_that_wheel_has_this_checkout_and_its_commands(tmp_path: Path) -> None:
    """pip holds the file against its hash, as it does for Pulumi."""
    (tmp_path / "l4serve").mkdir()
    (tmp_path / "l4serve/__init__.py").touch()
    (tmp_path / "requirements").symlink_to(ROOT / "requirements")
    venv.create(tmp_path / ".venv")
    made, (line,) = (
        tmp_path / ".venv/bin/python",
        (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()[2:],
    )
    (tmp_path / "wheel.txt").write_text(line, encoding="utf-8")
    install = ["-m", "pip", "--python", str(made), "install", "-q", "--no-index", "--disable-pip-version-check"]
    subprocess.run([sys.executable, *install, "-r", "wheel.txt"], cwd=tmp_path, check=True, capture_output=True)
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    asked = [str(made), "-c", "import l4serve; print(l4serve.__file__)"]
    found = subprocess.run(asked, cwd="/", env=alone, check=True, capture_output=True, text=True).stdout
    assert Path(found.strip()).samefile(tmp_path / "l4serve/__init__.py")
    assert (tmp_path / ".venv/bin/l4serve").exists()


@pytest.mark.parametrize("file", sorted(path.name for path in (ROOT / "requirements").glob("*.txt")))
def test_every_pin_has_a_hash(file: str) -> None:
    blocks = re.split(r"\n(?=\S)", (ROOT / "requirements" / file).read_text(encoding="utf-8"))
    pinned = [block for block in blocks if PIN.match(block)]
    assert pinned
    assert [block for block in pinned if "--hash=sha256:" not in block] == []


def test_the_pins_are_what_the_tests_run_with() -> None:
    tested = pins("dev.txt")
    assert {name: tested[name] for name in pins("pulumi.txt")} == pins("pulumi.txt")
    for name, version in pins("pulumi.txt").items():
        assert importlib.metadata.version(name) == version


def test_the_pins_cover_the_project_and_the_policy_pack() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["policy"]]
    names = [match.group() for each in wanted if (match := NAME.match(each))]
    assert set(names) <= set(pins("pulumi.txt"))
    assert "l4serve" in project["scripts"]
