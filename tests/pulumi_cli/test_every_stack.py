"""Each committed stack's Kubernetes half under the real engine, on its planned nodes, from preview to destroy."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.client import AppsV1Api, CoreV1Api
from kubernetes.client.exceptions import ApiException

from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.values.note import LEVELS
from l4serve.sandbox.planned_nodes import planned_nodes
from tests.factories import EXISTING, ROOT, loaded, planned
from tests.pulumi_cli.conftest import TOKEN, ControlPlane, engine_on, nodes_of
from tests.pulumi_cli.engine import Outcome
from tests.stack_cases import STACKS

pytestmark = [pytest.mark.pulumi_cli, pytest.mark.timeout(900, func_only=True)]


def twin_of(stack: str) -> dict[str, Any]:
    """The stack's serving object on an existing cluster, in a namespace of its own."""
    document = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text("utf-8"))
    serving: dict[str, Any] = document["config"]["gke-llm-serving:serving"]
    pools = {
        name: {key: value for key, value in pool.items() if key != "protect"}
        for name, pool in serving["nodePools"].items()
    }
    return {**serving, "cluster": dict(EXISTING), "nodePools": pools, "namespace": f"llm-{stack}"}


def edited(serving: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Name of the first workload, and the config with one more environment variable in it."""
    name = next(iter(serving["workloads"]))
    workload = {**serving["workloads"][name], "extraEnv": {"EDITED": "yes"}}
    return name, {**serving, "workloads": {**serving["workloads"], name: workload}}


def notes_in(outcome: Outcome) -> list[str]:
    """Every line of a warning that tells a note."""
    return [line for line in outcome.warnings.splitlines() if line.strip().startswith(LEVELS)]


def notes_of(plan: StackPlan) -> list[str]:
    """Notes by level, each text once with all the places that it is about."""
    told: dict[tuple[str, str], list[str]] = {}
    for note in sorted(plan.notes, key=lambda note: LEVELS.index(note.level)):
        told.setdefault((note.level, note.text), []).append(note.path)
    return [f"  {level}: {', '.join(dict.fromkeys(paths))}: {text}" for (level, text), paths in told.items()]


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_lives_from_preview_to_destroy(stack: str, control_plane: ControlPlane, tmp_path: Path) -> None:
    serving = twin_of(stack)
    apps, core, space = AppsV1Api(control_plane.client), CoreV1Api(control_plane.client), serving["namespace"]
    plan = planned(serving, project=None, has_token=True)
    with nodes_of(control_plane, planned_nodes(plan)):
        engine = engine_on(control_plane, tmp_path, stack)
        engine.configure(serving)
        engine.set_token(TOKEN)
        try:
            previewed, created = engine.preview(), engine.up()
            assert notes_in(previewed) == notes_of(plan), "each once, those of one level together"
            assert notes_in(created) == []
            assert sorted(previewed.steps, key=repr) == sorted(created.steps, key=repr)
            assert {step.op for step in created.steps} == {"create"}
            replicas = {name: workload.replicas for name, workload in loaded(serving).config.workloads.items()}
            deployments = apps.list_namespaced_deployment(space).items
            assert {each.metadata.name: each.status.ready_replicas for each in deployments} == replicas
            assert engine.preview().steps == ()
            assert engine.refresh().steps == ()
            name, serving = edited(serving)
            engine.configure(serving)
            # What a refresh had changed would be a step beside the edit's.
            assert [(step.op, step.kind, step.name) for step in engine.up().steps] == [
                ("update", "Deployment", f"{space}/{name}-deployment")
            ]
        finally:
            engine.destroy()
        with pytest.raises(ApiException) as gone:
            core.read_namespace(space)
        assert gone.value.status == 404
        assert json.loads(engine.call("stack", "export").stdout)["deployment"].get("resources") is None
