"""A Deployment that a killed update was making is in no state: the next update goes on with it, or ends it."""

import itertools
import time
from pathlib import Path

import pytest
from kubernetes.client import AppsV1Api

from l4serve.sandbox.planned_nodes import planned_nodes
from tests.factories import planned, workload
from tests.pulumi_cli.conftest import END_S, ControlPlane, await_true, nodes_of, stack_on
from tests.pulumi_cli.cut_off import adopt, import_adopted, kill_an_update, killed
from tests.pulumi_cli.engine import Engine
from tests.pulumi_cli.test_full_pool import A_AND_B, SPACE, await_pending, await_ready, pods, ready, stack

pytestmark = [pytest.mark.pulumi_cli, pytest.mark.timeout(900, func_only=True)]


def test_an_update_back_ends_what_a_killed_one_was_making(control_plane: ControlPlane, tmp_path: Path) -> None:
    """A Deployment awaited by a killed update is in no state: neither an update nor a destroy would end it."""
    before, one = stack(a=workload()), itertools.islice(planned_nodes(planned(stack(**A_AND_B), project=None)), 1)
    with stack_on(control_plane, one, tmp_path, "cut", before) as engine:
        engine.configure(stack(a=workload(), c=workload()))
        kill_an_update(engine, lambda: await_pending(control_plane))
        assert adopt(engine) == [f"{SPACE}/c"]
        engine.configure(before)
        engine.up()
        assert ready(control_plane) == {"a": 1}


def test_what_is_adopted_and_not_read_yet_is_updated_where_all_of_it_has_room(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    """No output of the stack tells of its size, and before a refresh the state holds only what it was asked for."""
    before = stack(nodes=3, a=workload())
    one = itertools.islice(planned_nodes(planned(before, project=None)), 1)
    with stack_on(control_plane, one, tmp_path, "unread", before) as engine:
        engine.configure(stack(nodes=3, a=workload(), c=workload()))
        kill_an_update(engine, lambda: await_pending(control_plane))
        assert import_adopted(engine) == [f"{SPACE}/c"]
        assert [(step.op, step.own_name) for step in engine.preview().steps if step.kind == "Deployment"] == [
            ("update", "c-deployment")
        ]
        edited = stack(nodes=3, a=workload(extraEnv={"EDITED": "yes"}))
        engine.configure(edited)
        assert [(step.op, step.own_name) for step in engine.preview().steps if step.kind == "Deployment"] == [
            ("update", "a-deployment"),
            ("delete", "c-deployment"),
        ]
        with nodes_of(control_plane, itertools.islice(planned_nodes(planned(before, project=None)), 1, 3)):
            engine.call("up", "--refresh", "--yes", "--skip-preview")
        assert [*ready(control_plane)] == ["a"]
        assert engine.preview().steps == ()


def test_an_update_that_leaves_what_a_killed_one_made_is_refused_until_that_is_adopted(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    """The pool has room for the killed update, and for the next one, but not for both; its third node comes later."""
    before = stack(nodes=3, **A_AND_B)
    two = itertools.islice(planned_nodes(planned(before, project=None)), 2)
    with stack_on(control_plane, two, tmp_path, "left", before) as engine:
        engine.configure(stack(nodes=3, b=workload(), c=workload()))
        kill_an_update(engine, lambda: await_pending(control_plane))
        after = stack(nodes=3, b=workload(), d=workload())
        engine.configure(after)
        for refusal in (engine.preview(refused=True), engine.up(refused=True)):
            assert f"a killed update made {SPACE}/c" in refusal.errors
            assert "pulumi stack export | l4serve doctor --adopt | pulumi stack import" in refusal.errors
        assert adopt(engine) == [f"{SPACE}/c"]
        assert "(1) this config without d, pulumi up; (2) this config, pulumi up" in engine.preview(refused=True).errors
        for step in (stack(nodes=3, b=workload()), after):
            engine.configure(step)
            engine.up()
        await_ready(control_plane, {"b": 1, "d": 1})


def test_smaller_pods_end_those_of_two_sizes_that_a_killed_update_left(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    """The output tells of the pods before it alone, beside which one more of the smaller ones would have room."""
    machine, apps = "g2-standard-48", AppsV1Api(control_plane.client)
    before = stack(machine, 1, a=workload(gpus=1, replicas=4))

    def loading(seconds: int) -> None:
        """How long a pod counts as loading: as long as nobody says otherwise, an update stays where it is."""
        apps.patch_namespaced_deployment("a", SPACE, {"spec": {"minReadySeconds": seconds}})

    def both_sizes() -> None:
        await_true(lambda: len({name.rpartition("-")[0] for name in pods(control_plane)}) == 2)

    with stack_on(control_plane, planned_nodes(planned(before, project=None)), tmp_path, "sizes", before) as engine:
        loading(seconds=900)
        engine.configure(stack(machine, 1, a=workload(gpus=2, replicas=2)))
        kill_an_update(engine, both_sizes)
        assert adopt(engine) == []
        engine.configure(stack(machine, 1, a=workload(gpus=1, replicas=3, engine={"maxModelLen": 2048})))
        update = engine.start("up", "--yes", "--skip-preview")
        try:
            await_true(lambda: apps.read_namespaced_deployment("a", SPACE).spec.replicas == 3)
            loading(seconds=0)
            assert update.wait(END_S) == 0
        finally:
            if update.poll() is None:
                killed(update)
        await_ready(control_plane, {"a": 3})


def test_an_update_back_takes_away_what_a_killed_one_only_added(control_plane: ControlPlane, tmp_path: Path) -> None:
    """A refresh reads what an object was asked for, and the state was never told of an environment variable.

    The new pod serves by then: an object that is not ready yet is updated by the next update in any case.
    """
    before, nodes = stack(a=workload()), tuple(planned_nodes(planned(stack(**A_AND_B), project=None)))
    with stack_on(control_plane, nodes[:1], tmp_path, "added", before) as engine:
        engine.configure(stack(a=workload(extraEnv={"EDITED": "yes"})))
        kill_an_update(engine, lambda: await_pending(control_plane))
        with nodes_of(control_plane, nodes[1:]):
            await_true(lambda: [*pods(control_plane).values()] == ["Running"])
            assert "EDITED" in variables(control_plane)
            assert adopt(engine) == []
            engine.configure(before)
            engine.up()
            assert "EDITED" not in variables(control_plane)
            assert engine.preview().steps == ()


def test_what_a_killed_update_added_is_told_and_taken_back_after_an_update_that_forgot_it(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    """Pulumi drops what was pending with the next update, for which nothing of what is asked for has changed."""
    before, nodes = stack(a=workload()), tuple(planned_nodes(planned(stack(**A_AND_B), project=None)))
    with stack_on(control_plane, nodes[:1], tmp_path, "forgotten", before) as engine:
        code, said = doctor(engine)
        assert (code, said.partition(":")[0]) == (0, "Nothing is pending, and the cluster has what the state says")
        engine.configure(stack(a=workload(extraEnv={"EDITED": "yes"})))
        kill_an_update(engine, lambda: await_pending(control_plane))
        with nodes_of(control_plane, nodes[1:]):
            await_true(lambda: [*pods(control_plane).values()] == ["Running"])
            engine.configure(before)
            for forgotten in (engine.up, engine.refresh, engine.up):
                forgotten()
                assert "EDITED" in variables(control_plane)
                code, said = doctor(engine)
                assert (code, said.partition("\n")[0]) == (1, f"{SPACE}/a")
            engine.refresh()
            engine.call("stack", "import", stdin=doctor(engine, "--reapply")[1])
            assert {step.op for step in engine.up().steps} == {"update"}
            assert "EDITED" not in variables(control_plane)
            assert engine.preview().steps == ()
            assert doctor(engine)[0] == 0


def doctor(engine: Engine, *options: str) -> tuple[int, str]:
    """Status of `l4serve doctor` on the exported state, and what it says.

    It tells of every provider on the machine that outlived its CLI, also of those that other tests killed: they end
    moments later.
    """
    deadline = time.monotonic() + END_S
    while True:
        done = engine.l4serve("doctor", *options, stdin=engine.call("stack", "export").stdout)
        if "outlived a Pulumi CLI" not in done.stdout + done.stderr:
            return done.returncode, done.stdout
        assert time.monotonic() < deadline, done.stdout


def variables(plane: ControlPlane) -> set[str]:
    """Names of the environment variables that the pods of `a` are to have."""
    (container,) = AppsV1Api(plane.client).read_namespaced_deployment("a", SPACE).spec.template.spec.containers
    return {each.name for each in container.env or ()}
