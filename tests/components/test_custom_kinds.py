"""Every custom object that is rendered fits the definition of its kind, and has no field beside it."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from l4serve.cli.commands.render_command import render_stack
from l4serve.config.stack_file import read_stack_file
from l4serve.sandbox.paths import CRDS
from tests import factories
from tests.stack_cases import ROOT, STACKS, made, rendered

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
EXAMPLES = sorted((ROOT / "examples").glob("Pulumi.*.yaml"))


@cache
def schemas() -> dict[tuple[str, str], Any]:
    """The schema of each kind by its apiVersion and name."""
    found = {}
    for path in CRDS.glob("*.yaml"):
        spec = yaml.load(path.read_bytes(), LOADER)["spec"]
        for version in spec["versions"]:
            schema = closed(version["schema"]["openAPIV3Schema"])
            schema["properties"] |= {"apiVersion": {}, "kind": {}, "metadata": {}}
            found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = schema
    return found


def closed(schema: Any) -> Any:
    """A schema that refuses fields which it does not name."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    # Parts of a choice name only what they choose by.
    inner = {key: value if key in ("oneOf", "anyOf", "not") else closed(value) for key, value in schema.items()}
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    preserving = schema.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(schema.get("properties"), dict) and "additionalProperties" not in schema and not preserving:
        inner["additionalProperties"] = False
    return inner


def faults(objects: Any) -> list[str]:
    known = schemas()
    return [
        f"{each['kind']}: {error.json_path}: {error.message[:200]}"
        for each in objects
        if (each["apiVersion"], each["kind"]) in known
        for error in Draft202012Validator(known[each["apiVersion"], each["kind"]]).iter_errors(each)
    ]


@pytest.mark.parametrize("stack", STACKS)
def test_the_objects_of_a_stack_fit_their_kinds(stack: str) -> None:
    assert faults(rendered(stack).objects) == []


@pytest.mark.slow
@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name.split(".")[1])
def test_the_objects_of_an_example_fit_their_kinds(file: Path) -> None:
    assert faults(render_stack(read_stack_file(file)).objects) == []


def exposed(**fields: Any) -> Any:
    two = {"a": factories.workload(service={"tls": {"secret": "t"}}), "b": factories.workload(expose={"path": "/chat"})}
    serving = factories.serving(
        two, expose={"to": "network", "address": "kept", **fields}, monitoring={"podMonitoring": True}
    )
    return made(serving).objects


@pytest.mark.parametrize("fields", [{}, {"certificate": {"secret": "tls"}}, {"host": "llm.example.com"}])
def test_doors_fit_their_kinds(fields: dict[str, Any]) -> None:
    objects = exposed(**fields)
    kinds = {each["kind"] for each in objects}
    assert {"Gateway", "HTTPRoute", "HealthCheckPolicy", "GCPBackendPolicy", "PodMonitoring"} <= kinds
    assert faults(objects) == []


def test_a_field_that_no_kind_has_is_told() -> None:
    (gateway,) = [each for each in exposed() if each["kind"] == "Gateway"]
    wrong = {**gateway, "spec": {**gateway["spec"], "certificates": []}}
    assert "certificates" in faults([wrong])[0]
