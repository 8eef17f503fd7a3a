"""The difference of each scenario as a reader sees it, kept as a golden file."""

import re
from pathlib import Path

import pytest

from l4serve.cli.output import redacted, safe_text
from l4serve.planning.difference.difference_json import difference_json
from l4serve.report.terminal import terminal_text
from tests.planning.difference.scenarios import SCENARIOS, difference

GOLDEN = Path(__file__).with_name("golden")


def told(name: str) -> str:
    document = difference_json("the base", [difference(*SCENARIOS[name].sides())])
    return safe_text(terminal_text(redacted(document))) + "\n"


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_is_told_as_before(name: str, request: pytest.FixtureRequest) -> None:
    """`pytest --update-golden` writes the files anew; read their diff before committing it."""
    file = GOLDEN / f"{re.sub('[^a-z0-9]+', '-', name.lower())}.txt"
    if request.config.getoption("--update-golden"):
        GOLDEN.mkdir(exist_ok=True)
        file.write_text(told(name), encoding="utf-8")
    assert file.read_text("utf-8") == told(name)


def test_there_is_a_scenario_for_each_golden_file() -> None:
    assert len(SCENARIOS) >= 30
    assert len(list(GOLDEN.iterdir())) == len(SCENARIOS)
