"""What the commands print with --json has the form that docs/reference/json.schema.json states."""

import json
import re

import pytest
from typer.main import get_command

from l4serve.cli.app import app
from scripts.json_samples import SAMPLES
from scripts.json_schemas import COMMANDS, FILE, documents, form_of
from tests.cli.terminal import ROOT, run
from tests.cli.test_completion import options
from tests.json_forms import faults

NAMES = (*COMMANDS, *SAMPLES)
QUICK = ("plan", "fit", "check", "explain", "contract-list")
FORMS = json.loads(FILE.read_text("utf-8"))["$defs"]
PAGE = (FILE.parent / "json.md").read_text("utf-8")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in (*QUICK, *SAMPLES) else pytest.mark.slow) for name in NAMES]
)
def test_the_form_of_a_document_is_fresh(name: str) -> None:
    assert FORMS[name] == form_of(documents(name)), "run: make docs"


def test_the_forms_are_those_of_the_commands() -> None:
    assert tuple(FORMS) == NAMES


def test_a_plan_outside_the_samples_has_it_too() -> None:
    result = run("plan", "-f", str(ROOT / "examples" / "Pulumi.lora.yaml"), "--json")
    document = json.loads(result.stdout)
    assert document["schemaVersion"] == 1
    assert faults("plan", document) == []


def test_a_missing_key_is_a_fault() -> None:
    document = json.loads(run("plan", "-s", "dev", "--json").stdout)
    del document["cost"]
    assert any("'cost' is a required property" in fault for fault in faults("plan", document))


def test_every_form_is_on_the_page() -> None:
    assert [name for name in NAMES if f"| `{name}` |" not in PAGE] == []


def test_every_command_with_json_is_on_the_page() -> None:
    commands = {where.removesuffix(" --as_json") for where, _ in options(get_command(app)) if where.endswith("as_json")}
    assert len(commands) >= 17
    assert [name for name in commands if not re.search(rf"`l4serve {re.escape(name)}[ `]", PAGE)] == []


def test_the_form_of_values() -> None:
    form = form_of([{"a": 1, "b": None}, {"a": "x"}])
    assert form["required"] == ["a"]
    assert form["properties"]["a"]["type"] == ["number", "string"]
    assert form_of([{"env": {"A": "1"}}])["properties"]["env"] == {"type": "object", "additionalProperties": True}
