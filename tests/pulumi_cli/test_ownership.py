"""What was on the cluster before the stack: an update refuses to take it over, and a destroy leaves it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import CoreV1Api

from l4serve.sandbox.planned_nodes import planned_nodes
from stacks.ownership import OWNER
from tests.factories import EXISTING, planned, serving, workload
from tests.pulumi_cli.conftest import ControlPlane, end_space, engine_on, nodes_of, ready_in
from tests.pulumi_cli.engine import Engine

pytestmark = [pytest.mark.pulumi_cli, pytest.mark.timeout(900, func_only=True)]

SPACE = "llm-somebodys"
STACK = "owned"
CONFIG = serving(
    {"a": workload()}, cluster=EXISTING, pools={"l4": {"machineType": "g2-standard-8", "maxNodes": 1}}, namespace=SPACE
)


@pytest.fixture
def engine(control_plane: ControlPlane, tmp_path: Path) -> Iterator[Engine]:
    with nodes_of(control_plane, planned_nodes(planned(CONFIG, project=None))):
        engine = engine_on(control_plane, tmp_path, STACK)
        engine.configure(CONFIG)
        try:
            yield engine
        finally:
            end_space(control_plane, SPACE)


def make_space(core: CoreV1Api, **labels: str) -> None:
    core.create_namespace({"metadata": {"name": SPACE, "labels": labels}})


@pytest.mark.parametrize("labels", [{}, {OWNER: "another"}], ids=["nobody's", "another stack's"])
def test_a_namespace_that_was_there_is_neither_taken_nor_deleted(
    labels: dict[str, str], engine: Engine, control_plane: ControlPlane
) -> None:
    core = CoreV1Api(control_plane.client)
    make_space(core, **labels)
    refused = engine.up(refused=True)
    assert f"Namespace {SPACE} is on the cluster already" in refused.errors
    assert "createNamespace: false" in refused.errors
    assert "Traceback" not in refused.output
    engine.configure({**CONFIG, "createNamespace": False})
    engine.up()
    assert ready_in(control_plane, SPACE) == {"a": 1}
    engine.destroy()
    assert ready_in(control_plane, SPACE) == {}
    assert core.read_namespace(SPACE).metadata.deletion_timestamp is None
    assert (core.read_namespace(SPACE).metadata.labels or {}).get(OWNER) == labels.get(OWNER)


def test_an_object_of_somebody_else_in_the_namespace_is_left_alone(engine: Engine, control_plane: ControlPlane) -> None:
    core = CoreV1Api(control_plane.client)
    make_space(core, **{OWNER: STACK})
    core.create_namespaced_service_account(SPACE, {"metadata": {"name": "a"}})
    refused = engine.up(refused=True)
    assert "ServiceAccount a is on the cluster already, and it carries no label of this stack" in refused.errors
    assert not core.read_namespaced_service_account("a", SPACE).metadata.labels


def test_what_a_lost_state_left_is_taken_over(engine: Engine, control_plane: ControlPlane) -> None:
    engine.up()
    empty: dict[str, Any] = json.loads(engine.call("stack", "export").stdout)
    empty["deployment"]["resources"] = []
    engine.call("stack", "import", stdin=json.dumps(empty))
    engine.up()
    assert ready_in(control_plane, SPACE) == {"a": 1}
    assert engine.preview().steps == ()
