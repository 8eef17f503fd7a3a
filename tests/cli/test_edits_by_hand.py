"""Mistakes in a stack that was edited by hand: each is told with file, line, path and a remedy that can be followed."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from l4serve.cli.app import app
from tests.each_case import each

TABLE = yaml.safe_load((Path(__file__).parents[1] / "config" / "edits_by_hand.yaml").read_text("utf-8"))
STACK, EDITS = TABLE["stack"], TABLE["edits"]
REFUSAL = re.compile(r"error: (?P<file>\S+):(?P<line>\d+): (?P<told>.*)\n    fix: (?P<fix>.*)")
VALUE = re.compile(r"(?:write it as|did you mean|give .*such as|write for example) (?P<value>[\w./:%-]+)\??$")

OF_A_KEY = re.compile(r"no such key|variable name|label key|pool name|workload name")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("edited") / "Pulumi.test.yaml"


def refused(file: Path, text: str) -> Any:
    file.write_text(text, "utf-8")
    result = CliRunner().invoke(app, ["plan", "-f", str(file)])
    assert result.exit_code in (0, 2), result.output
    return REFUSAL.match(result.stderr) if result.exit_code == 2 else None


def test_the_stack_before_the_edits_plans(file: Path) -> None:
    assert refused(file, STACK) is None
    assert len(EDITS) > 100


@pytest.mark.slow
def test_each_mistake_is_told_of_where_it_stands(file: Path) -> None:
    @each(EDITS, str)
    def check(edit: Any) -> None:
        before, after, line, path, fix = edit
        assert before in STACK
        found = refused(file, STACK.replace(before, after, 1))
        assert found, "nothing is refused, or without a file, a line and a remedy"
        assert (found["file"], int(found["line"])) == (str(file), line)
        assert found["told"].startswith(f"{path}: ")
        assert found["fix"].startswith(fix)

    check()


@pytest.mark.slow
def test_a_value_that_is_proposed_is_accepted_where_it_is_written(file: Path) -> None:
    """The last word of the edit gives way to it; what is refused then is something else."""
    followed = 0
    for before, after, _line, path, _fix in EDITS:
        text = STACK.replace(before, after, 1)
        found = refused(file, text)
        meant, wrong = VALUE.match(found["fix"]), re.search(r": '?([^:'{},\[\]\n]+?)'?[}\]\n]*$", after)
        if meant is None or wrong is None or text.count(wrong[1]) != 1 or OF_A_KEY.search(found["told"]):
            continue
        again = refused(file, text.replace(wrong[1], meant["value"], 1))
        assert again is None or not again["told"].startswith(f"{path}: "), (after, found["fix"])
        followed += 1
    assert followed > 30
