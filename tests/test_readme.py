"""The examples of the README and of the documentation are what the commands print."""

import re
import shlex

import pytest
import yaml
from typer.testing import CliRunner

from l4serve.cli.app import app
from tests.each_case import each
from tests.stack_cases import ROOT

README, TOUR = ROOT / "README.md", ROOT / "docs" / "tour.md"
EXAMPLE = re.compile(r"```console\n\$ l4serve ([^\n]+)\n(.*?)```\n", re.S)
PAGES = (README, *sorted((ROOT / "docs").rglob("*.md")))
EXAMPLES = {command: text for page in PAGES for command, text in EXAMPLE.findall(page.read_text("utf-8"))}
RUNNING = {"rehearse", "verify"}
"""Commands whose tables have names or times that differ from run to run."""
STEADY = [command for command in EXAMPLES if command.split()[0] not in RUNNING]


def printed(command: str) -> str:
    result = CliRunner().invoke(app, shlex.split(command), env={"COLUMNS": "80", "NO_COLOR": "1"})
    assert result.exit_code in (0, 1), result.output
    return "\n".join(line.rstrip() for line in result.stdout.strip("\n").splitlines()) + "\n"


def test_every_table_has_an_example() -> None:
    commands = {command.split()[0] for command in EXAMPLES}
    assert commands == {"plan", "fit", "estimate", "rehearse", "check", "contract", "shapes", "verify"}


def test_the_stack_shown_is_the_one_committed() -> None:
    (shown,) = re.findall(r"what `Pulumi.dev.yaml` says:\n\n```yaml\n(.*?)```", README.read_text("utf-8"), re.S)
    assert yaml.safe_load(shown) == yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text("utf-8"))


@pytest.mark.parametrize("command", STEADY)
def test_an_example_is_what_the_command_prints(command: str, request: pytest.FixtureRequest) -> None:
    """`pytest --update-golden` writes the examples anew; read their diff before committing it."""
    actual = printed(command)
    if request.config.getoption("--update-golden"):
        for page in PAGES:
            text = page.read_text("utf-8")
            page.write_text(text.replace(f"$ l4serve {command}\n{EXAMPLES[command]}", f"$ l4serve {command}\n{actual}"))
    else:
        assert EXAMPLES[command] == actual


@each(EXAMPLES, str)
def test_examples_are_at_most_eighty_columns_wide(command: str) -> None:
    lines = EXAMPLES[command].splitlines()
    assert [line for line in lines if len(line) > 80 and "https://" not in line] == []


def test_a_command_that_two_pages_show_prints_the_same_on_both() -> None:
    found = [(command, text) for page in PAGES for command, text in EXAMPLE.findall(page.read_text("utf-8"))]
    assert len(set(found)) == len(EXAMPLES)


def test_the_readme_is_short() -> None:
    lines = README.read_text("utf-8").splitlines()
    assert len(lines) <= 120


def test_nothing_tells_users_to_install_a_name_that_is_not_published() -> None:
    files = [*PAGES, *(ROOT / "l4serve").rglob("*.py")]
    assert [str(file) for file in files if "install 'gke-llm-serving" in file.read_text("utf-8")] == []


def test_the_notes_of_the_plan_that_is_shown_are_told() -> None:
    result = CliRunner().invoke(app, ["plan", "-s", "dev"], env={"COLUMNS": "80", "NO_COLOR": "1"})
    said = " ".join(result.stderr.split())
    assert said.startswith("note, ")
    for page in ("README.md", "docs/tour.md"):
        assert f"`{said}`" in (ROOT / page).read_text("utf-8")
