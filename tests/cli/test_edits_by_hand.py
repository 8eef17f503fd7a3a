"""Mistakes in a stack that was edited by hand: each is told with file, line, path and a remedy that can be followed."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from l4serve.cli.app import app
from tests.each_case import each

CONFIG = Path(__file__).parents[1] / "config"
TABLES = {
    name: yaml.safe_load((CONFIG / f"{name}.yaml").read_text("utf-8"))
    for name in ("edits_by_hand", "edits_of_newer_keys")
}
EDITS = [(TABLES[name]["stack"], *edit) for name in TABLES for edit in TABLES[name]["edits"]]
REFUSAL = re.compile(r"error: (?P<file>\S+):(?P<line>\d+): (?P<told>.*)\n    fix: (?P<fix>.*)")
VALUE = re.compile(r"(?:write it as|did you mean|give .*such as|write for example) (?P<value>[\w./:%-]+)\??$")

OF_A_KEY = re.compile(r"no such key|variable name|label key|pool name|workload name")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("edited") / "Pulumi.test.yaml"


def refused(file: Path, text: str) -> list[Any]:
    """Every refusal that has a file, a line and a remedy."""
    file.write_text(text, "utf-8")
    result = CliRunner().invoke(app, ["plan", "-f", str(file)])
    assert result.exit_code in (0, 2), result.output
    return list(REFUSAL.finditer(result.stderr)) if result.exit_code == 2 else []


def at(path: str, refusals: list[Any]) -> Any:
    """The refusal at a path; of a file that is no YAML it begins with what is wrong."""
    return next((found for found in refusals if f"{found['told']}: ".startswith(f"{path}: ")), None)


@pytest.mark.parametrize("name", TABLES)
def test_the_stack_before_the_edits_plans(name: str, file: Path) -> None:
    assert refused(file, TABLES[name]["stack"]) == []
    assert len(TABLES[name]["edits"]) > 100


@pytest.mark.slow
def test_each_mistake_is_told_of_where_it_stands(file: Path) -> None:
    @each(EDITS, lambda edit: repr(edit[1:]))
    def check(edit: Any) -> None:
        stack, before, after, line, path, fix = edit
        assert before in stack
        refusals = refused(file, stack.replace(before, after, 1))
        found = at(path, refusals)
        assert found, f"not refused at {path}: {[each['told'] for each in refusals]}"
        assert (found["file"], int(found["line"])) == (str(file), line)
        assert found["fix"].startswith(fix)

    check()


@pytest.mark.slow
def test_a_value_that_is_proposed_is_accepted_where_it_is_written(file: Path) -> None:
    """The last word of the edit gives way to it; what is refused then is something else."""
    followed = 0
    for stack, before, after, _line, path, _fix in EDITS:
        text = stack.replace(before, after, 1)
        found = at(path, refused(file, text))
        meant, wrong = VALUE.match(found["fix"]), re.search(r": '?([^:'{},\[\]\n]+?)'?[}\]\n]*$", after)
        if (
            meant is None
            or wrong is None
            or wrong[1] not in found["told"]
            or text.count(wrong[1]) != 1
            or OF_A_KEY.search(found["told"])
        ):
            continue
        again = refused(file, text.replace(wrong[1], meant["value"], 1))
        assert at(path, again) is None, (after, found["fix"])
        followed += 1
    assert followed > 50
