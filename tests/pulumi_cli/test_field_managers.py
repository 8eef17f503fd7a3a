"""Who has applied an object: no edit ends in a conflict with a killed update, or with an autoscaler that is gone."""

from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import AppsV1Api

from l4serve.sandbox.planned_nodes import planned_nodes
from tests.factories import planned, workload
from tests.pulumi_cli.conftest import ControlPlane, end_space, engine_on, nodes_of, stack_on
from tests.pulumi_cli.cut_off import adopt, kill_an_update
from tests.pulumi_cli.engine import ROOT
from tests.pulumi_cli.test_full_pool import SPACE, await_pending, stack

pytestmark = [pytest.mark.pulumi_cli, pytest.mark.timeout(900, func_only=True)]

SCALED: dict[str, Any] = workload(autoscaling={"minReplicas": 2, "maxReplicas": 3})
OLDER = f"""
from stacks import ownership

class Everything:
    def __contains__(self, _):
        return True

owned = ownership._own
ownership._own = lambda owner, hooks, _, args: owned(owner, hooks, Everything(), args)
exec(open({str(ROOT / "__main__.py")!r}).read())
"""
"""The program as it was before it named who applies an object."""


def with_env(**env: str) -> dict[str, Any]:
    return workload(extraEnv=env)


def env_of(plane: ControlPlane, name: str) -> dict[str, str]:
    pod = AppsV1Api(plane.client).read_namespaced_deployment(name, SPACE).spec.template.spec
    return {each.name: each.value for each in pod.containers[0].env if each.name.startswith("EDIT")}


def replicas(plane: ControlPlane) -> int:
    found: int = AppsV1Api(plane.client).read_namespaced_deployment("a", SPACE).spec.replicas
    return found


def three(**workloads: dict[str, Any]) -> dict[str, Any]:
    return stack(nodes=3, **workloads)


@pytest.mark.parametrize("adopting", [False, True], ids=["taken over", "adopted"])
def test_what_a_killed_update_made_is_edited_without_a_conflict(
    adopting: bool, control_plane: ControlPlane, tmp_path: Path
) -> None:
    before = three(a=workload())
    node, *others = planned_nodes(planned(before, project=None))
    with stack_on(control_plane, [node], tmp_path, "managed", before) as engine:
        engine.configure(three(a=workload(), c=with_env(EDIT="1", EDIT_GONE="1")))
        kill_an_update(engine, lambda: await_pending(control_plane))
        if adopting:
            adopt(engine)
        with nodes_of(control_plane, others):
            for edit in "23":
                engine.configure(three(a=workload(), c=with_env(EDIT=edit)))
                engine.up()
                assert env_of(control_plane, "c") == {"EDIT": edit}


def test_a_stack_of_before_keeps_who_applied_its_objects(control_plane: ControlPlane, tmp_path: Path) -> None:
    before = three(a=SCALED)
    with nodes_of(control_plane, planned_nodes(planned(before, project=None))):
        engine = engine_on(control_plane, tmp_path, "older")
        engine.configure(before)
        program = engine.folder / "__main__.py"
        program.unlink()
        program.write_text(OLDER, encoding="utf-8")
        try:
            engine.up()
            program.unlink()
            program.symlink_to(ROOT / "__main__.py")
            assert engine.preview().steps == ()
            engine.configure(three(a={**SCALED, "extraEnv": {"EDIT": "1"}}))
            engine.up()
            assert env_of(control_plane, "a") == {"EDIT": "1"}
            assert replicas(control_plane) == 2
        finally:
            end_space(control_plane, SPACE)


def test_replicas_are_the_autoscalers_until_it_is_turned_off(control_plane: ControlPlane, tmp_path: Path) -> None:
    before, apps = three(a=SCALED), AppsV1Api(control_plane.client)
    with stack_on(control_plane, planned_nodes(planned(before, project=None)), tmp_path, "scaled", before) as engine:
        scale = {"spec": {"replicas": 3}}
        apps.patch_namespaced_deployment_scale("a", SPACE, scale, field_manager="kube-controller-manager")
        engine.configure(three(a={**SCALED, "extraEnv": {"EDIT": "1"}}))
        engine.up()
        assert (env_of(control_plane, "a"), replicas(control_plane)) == ({"EDIT": "1"}, 3)
        # Its pods stay: an edit of them is refused while the autoscaler, which goes last, holds the full pool.
        engine.configure(three(a=workload(replicas=2, extraEnv={"EDIT": "1"})))
        engine.up()
        assert replicas(control_plane) == 2
