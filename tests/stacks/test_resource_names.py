"""The URNs of deployed resources stay: one that is gone has an alias on its successor, else an update replaces it."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from l4serve.cli import render_command as render
from l4serve.cli.recording import Registration, record_program
from l4serve.config.stack_file import read_stack_file

TESTS = Path(__file__).parents[1]
FILES = {
    "prod": TESTS.parent / "Pulumi.prod.yaml",
    **{name: TESTS / "data" / "stacks" / f"Pulumi.{name}.yaml" for name in ("autopilot", "found", "models")},
}
GOLDEN = TESTS / "data" / "resource_names.json"


@cache
def registered(stack: str) -> tuple[Registration, ...]:
    """What the program registers, taken on its way into the rendering."""
    kept: list[Registration] = []

    def recording(*arguments: Any, **options: Any) -> Any:
        monitor = record_program(*arguments, **options)
        kept.extend(monitor.registrations)
        return monitor

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(render, "record_program", recording)
        render.render_stack(read_stack_file(FILES[stack]))
    return tuple(kept)


def names(resource: Registration) -> set[str]:
    """The URN of a resource without stack and project, and those of its aliases."""
    own = resource.urn.split("::", 2)[2]
    aliases = resource.options.get("aliases", ())
    renamed = {f"{own.rpartition('::')[0]}::{a['spec']['name']}" for a in aliases if a.get("spec", {}).get("name")}
    return {own, *renamed, *(a["urn"].split("::", 2)[2] for a in aliases if "urn" in a)}


@pytest.mark.parametrize("stack", FILES)
def test_no_deployed_resource_loses_its_name(stack: str, request: pytest.FixtureRequest) -> None:
    """`pytest --update-golden` takes new resources in; a line that its diff removes needs an alias first."""
    found = set().union(*(names(resource) for resource in registered(stack)))
    golden = json.loads(GOLDEN.read_text(encoding="utf-8")) if GOLDEN.exists() else {}
    if request.config.getoption("--update-golden"):
        GOLDEN.write_text(json.dumps({**golden, stack: sorted(found)}, indent=1) + "\n", encoding="utf-8")
        return
    assert golden[stack], "no names are recorded; run pytest --update-golden"
    assert set(golden[stack]) - found == set()
