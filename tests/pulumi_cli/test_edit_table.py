"""The edit table held against the engine: one preview in which each workload has one edit of its own."""

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from l4serve.planning.stack.edits import Effect, effect_of
from l4serve.sandbox.planned_nodes import planned_nodes
from tests.factories import EXISTING, planned
from tests.planning.stack.edit_probes import BASE, PROBES, WORKLOAD
from tests.planning.stack.test_edits import _set
from tests.pulumi_cli.conftest import ControlPlane, engine_on, nodes_of
from tests.pulumi_cli.engine import Step

pytestmark = [pytest.mark.pulumi_cli, pytest.mark.sandbox, pytest.mark.timeout(900, func_only=True)]

ROWS = {
    f"w{number}": (path, value)
    for number, (path, value, before) in enumerate(PROBES)
    if path.startswith(f"{WORKLOAD}.") and not before
}
REPLACING = {"replace", "create-replacement", "delete-replaced", "create", "delete"}


def stack() -> dict[str, Any]:
    """A stack with one workload for each row of the table that the Kubernetes provider can show."""
    workloads = {name: copy.deepcopy(BASE["workloads"]["qwen"]) for name in ROWS}
    pools = {"l4": {**BASE["nodePools"]["l4"], "maxNodes": len(ROWS) + 2}}
    return {"cluster": dict(EXISTING), "nodePools": pools, "workloads": workloads, "namespace": "llm-edits"}


def edited(config: Mapping[str, Any]) -> dict[str, Any]:
    """Each workload after the edit of its row."""
    changed = copy.deepcopy(dict(config))
    for name, (path, value) in ROWS.items():
        _set(changed, path.replace(WORKLOAD, f"workloads.{name}"), value)
    return changed


def effect(steps: list[Step]) -> Effect:
    """The hardest effect of the steps on one workload's resources."""
    return max(map(_effect, steps), default=Effect.NOTHING)


def _effect(step: Step) -> Effect:
    if step.op in REPLACING and step.kind in ("Deployment", "Service"):
        return Effect.WORKLOAD_REPLACED
    restarts = step.kind == "Deployment" and any(field.startswith("spec.template") for field in step.fields)
    return Effect.POD_RESTART if restarts else Effect.IN_PLACE


@pytest.fixture(scope="module")
def shown(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[Step]]:
    """The steps of the preview of all edits, by workload."""
    config = stack()
    with nodes_of(control_plane, planned_nodes(planned(config, project=None))):
        engine = engine_on(control_plane, tmp_path_factory.mktemp("edits"), "edits")
        engine.configure(config)
        try:
            engine.up()
            engine.configure(edited(config))
            steps = engine.preview().steps
        finally:
            engine.destroy()
    renamed = {"old": next(name for name, (path, _) in ROWS.items() if path.endswith("renamedFrom"))}
    owners = [(renamed.get(step.name.partition("-")[0], step.name.partition("-")[0]), step) for step in steps]
    return {name: [step for owner, step in owners if owner == name] for name in ROWS}


@pytest.mark.parametrize("name", ROWS, ids=[path for path, _ in ROWS.values()])
def test_the_engine_does_what_the_table_says(name: str, shown: Mapping[str, list[Step]]) -> None:
    assert effect(shown[name]) is effect_of(ROWS[name][0], existing_cluster=True), shown[name]
