"""The difference of each scenario as a reader sees it, kept as a golden file."""

import re
from pathlib import Path

import pytest

from l4serve.cli.shell.output import redacted, safe_text
from l4serve.planning.difference.difference_json import difference_json
from l4serve.planning.difference.stack_diff import StackDiff
from l4serve.report.terminal import terminal_text
from tests import factories
from tests.planning.difference.each_field import ENGINES, differences_of_fields, typed_fields
from tests.planning.difference.scenarios import SCENARIOS, difference

GOLDEN = Path(__file__).with_name("golden")
FIELDS = GOLDEN / "fields"


def told(diff: StackDiff) -> str:
    return safe_text(terminal_text(redacted(difference_json("the base", [diff])))) + "\n"


def held(file: Path, text: str, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert file.read_text("utf-8") == text


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_is_told_as_before(name: str, request: pytest.FixtureRequest) -> None:
    """`pytest --update-golden` writes the files anew; read their diff before committing it."""
    file = GOLDEN / f"{re.sub('[^a-z0-9]+', '-', name.lower())}.txt"
    held(file, told(difference(*SCENARIOS[name].sides())), request)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ENGINES)
def test_each_typed_field_of_an_engine_is_told_as_before(kind: str, request: pytest.FixtureRequest) -> None:
    sides = [factories.serving(each, cluster=factories.EXISTING) for each in typed_fields(kind)]
    held(FIELDS / f"{kind}.txt", told(difference(*sides)), request)


@pytest.fixture(scope="module")
def by_field() -> dict[str, str]:
    """What a reader sees of an edit of each other field, by a heading that tells edits of one path apart."""
    found: dict[str, str] = {}
    for path, diff in differences_of_fields():
        found[f"{path} ({sum(name.startswith(f'{path} (') for name in found) + 1})"] = told(diff)
    return found


@pytest.mark.slow
def test_each_other_field_is_told_as_before(by_field: dict[str, str], request: pytest.FixtureRequest) -> None:
    file = FIELDS / "stack.txt"
    if request.config.getoption("--update-golden"):
        file.write_text("".join(f"== {name}\n{text}" for name, text in by_field.items()), encoding="utf-8")
    kept = dict(section.split("\n", 1) for section in file.read_text("utf-8").split("== ")[1:])
    assert {name: by_field.get(name) for name in kept} == kept
    assert len(kept) >= 0.9 * len(by_field), "write the golden files anew: fields were added"


def test_there_is_a_scenario_for_each_golden_file() -> None:
    assert len(SCENARIOS) >= 30
    assert len(list(GOLDEN.glob("*.txt"))) == len(SCENARIOS)
