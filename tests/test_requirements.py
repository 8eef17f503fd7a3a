"""What `pulumi install` gives: the versions that the tests ran with, the project itself and the policy pack."""

import importlib.metadata
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s\\;]+)", re.MULTILINE)
NAME = re.compile(r"[A-Za-z0-9._-]+")


def pins(file: str) -> dict[str, str]:
    return dict(PIN.findall((ROOT / "requirements" / file).read_text(encoding="utf-8")))


def test_pulumi_installs_the_pins_and_the_project_with_its_command() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["-r requirements/pulumi.txt", "-e ."]


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


def test_no_hash_stands_there_which_pip_would_refuse_beside_the_project() -> None:
    assert "--hash" not in (ROOT / "requirements" / "pulumi.txt").read_text(encoding="utf-8")
