"""What the commands print with --json has the form that docs/reference/json.schema.json states."""

import json

import pytest
from jsonschema import Draft202012Validator

from scripts.json_schemas import COMMANDS, FILE, form_of
from tests.cli.terminal import ROOT, run

SCHEMA = json.loads(FILE.read_text("utf-8"))


def faults(name: str, document: object) -> list[str]:
    form = {"$schema": SCHEMA["$schema"], **SCHEMA["$defs"][name]}
    return [
        f"{list(error.absolute_path)}: {error.message[:200]}"
        for error in Draft202012Validator(form).iter_errors(document)
    ]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_document_has_its_form(name: str) -> None:
    result = run(*COMMANDS[name][0], "--json")
    assert result.exit_code in (0, 1), result.output
    assert faults(name, json.loads(result.stdout)) == []


def test_a_plan_outside_the_samples_has_it_too() -> None:
    result = run("plan", "-f", str(ROOT / "examples" / "Pulumi.lora.yaml"), "--json")
    document = json.loads(result.stdout)
    assert document["schemaVersion"] == 1
    assert faults("plan", document) == []


def test_a_missing_key_is_a_fault() -> None:
    document = json.loads(run("plan", "-s", "dev", "--json").stdout)
    del document["cost"]
    assert any("'cost' is a required property" in fault for fault in faults("plan", document))


def test_every_command_is_on_the_page() -> None:
    page = (FILE.parent / "json.md").read_text("utf-8")
    assert [name for name in COMMANDS if f"| `{name}` |" not in page] == []


def test_the_form_of_values() -> None:
    form = form_of([{"a": 1, "b": None}, {"a": "x"}])
    assert form["required"] == ["a"]
    assert form["properties"]["a"]["type"] == ["number", "string"]
    assert form_of([{"env": {"A": "1"}}])["properties"]["env"] == {"type": "object", "additionalProperties": True}
