"""The URNs of deployed resources stay: one that is gone has an alias on its successor, else an update replaces it."""

import json
from pathlib import Path

import pytest

from l4serve.config.stack_file import read_stack_file
from tests.stacks.registered import names, rendered

TESTS = Path(__file__).parents[1]
FILES = {
    "prod": TESTS.parent / "Pulumi.prod.yaml",
    **{name: TESTS / "data" / "stacks" / f"Pulumi.{name}.yaml" for name in ("autopilot", "found", "models")},
}
GOLDEN = TESTS / "data" / "resource_names.json"


@pytest.mark.parametrize("stack", FILES)
def test_no_deployed_resource_loses_its_name(stack: str, request: pytest.FixtureRequest) -> None:
    """`pytest --update-golden` takes new resources in; a line that its diff removes needs an alias first."""
    _, registered = rendered(read_stack_file(FILES[stack]))
    parents = {resource.urn: resource for resource in registered}
    found = set().union(*(names(resource, parents) for resource in registered))
    golden = json.loads(GOLDEN.read_text(encoding="utf-8")) if GOLDEN.exists() else {}
    if request.config.getoption("--update-golden"):
        GOLDEN.write_text(json.dumps({**golden, stack: sorted(found)}, indent=1) + "\n", encoding="utf-8")
        return
    assert golden[stack], "no names are recorded; run pytest --update-golden"
    assert set(golden[stack]) - found == set()
