"""Updates of a pool without a free GPU under the real engine: those that end do, and the one that cannot is refused."""

import json
import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import CoreV1Api

from l4serve.sandbox.planned_nodes import planned_nodes
from tests.factories import EXISTING, planned, serving, workload
from tests.pulumi_cli.conftest import ControlPlane, ready_in, refusing_webhook, stack_on
from tests.pulumi_cli.cut_off import killed, unlock
from tests.pulumi_cli.engine import Engine
from tests.sandbox.serving_pods import Serving, serving_pods

pytestmark = [pytest.mark.pulumi_cli, pytest.mark.timeout(900, func_only=True)]

SPACE = "llm-full"
DEADLOCK_S = 20.0
"""Far longer than a rollout of the sandbox takes: a fake pod runs within two seconds of its node."""


def stack(machine: str = "g2-standard-8", nodes: int = 2, **workloads: dict[str, Any]) -> dict[str, Any]:
    pools = {"l4": {"machineType": machine, "maxNodes": nodes}}
    return serving(workloads, cluster=EXISTING, pools=pools, namespace=SPACE)


A_AND_B: dict[str, Any] = {"a": workload(), "b": workload()}
B_AND_C: dict[str, Any] = {"b": workload(), "c": workload(engine={"maxModelLen": 2048})}


def up(plane: ControlPlane, folder: Path, config: dict[str, Any]) -> AbstractContextManager[Engine]:
    """A stack that is up on exactly the nodes of its plan, and destroyed after."""
    return stack_on(plane, planned_nodes(planned(config, project=None)), folder, "full", config)


def pods(plane: ControlPlane) -> dict[str, str]:
    """Phase of every pod that is not on its way out, by name."""
    found = CoreV1Api(plane.client).list_namespaced_pod(SPACE).items
    return {pod.metadata.name: pod.status.phase for pod in found if pod.metadata.deletion_timestamp is None}


def ready(plane: ControlPlane) -> dict[str, int]:
    return ready_in(plane, SPACE)


def await_ready(plane: ControlPlane, expected: Mapping[str, int]) -> None:
    """Until so many pods are ready: a Deployment counts them a moment later, and without a surge an update ends before.

    The controller makes the new ReplicaSet with no pods, since the old one still has its GPU, and the provider takes
    none of none for done where the Deployment's condition is still that of the update before.
    """
    deadline = time.monotonic() + 60
    while (found := ready(plane)) != expected:
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def counted(serving: Serving, names: Iterable[str]) -> dict[str, int]:
    """The pods of each Deployment, or of several together that stand as `a+b`."""
    found = Counter(pod.rsplit("-", 2)[0] for pod in serving)
    return {name: sum(found[each] for each in name.split("+")) for name in names}


@contextmanager
def least_serving(plane: ControlPlane, *names: str) -> Iterator[dict[str, int]]:
    """The fewest ready pods of each Deployment while the block ran."""
    least: dict[str, int] = {}
    with plane.state.client() as client, serving_pods(client, SPACE) as moments:
        yield least
    counts = [counted(serving, names) for serving in moments]
    least.update({name: min(each[name] for each in counts) for name in names})


def planned_least(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, int]:
    """The ready pods that the plan keeps of each workload of both stacks: what its rollout may take down is not one."""
    old = {each.name: each.scale.replicas for each in planned(before, project=None).workloads}
    new = {each.name: each.scale for each in planned(after, project=None).workloads}
    return {
        name: min(old[name], new[name].replicas) - new[name].rollout.max_unavailable for name in old.keys() & new.keys()
    }


def test_an_exchange_is_refused_and_its_two_steps_end(control_plane: ControlPlane, tmp_path: Path) -> None:
    with up(control_plane, tmp_path, stack(**A_AND_B)) as engine:
        engine.configure(stack(**B_AND_C))
        for refusal in (engine.preview(refused=True), engine.up(refused=True)):
            assert "(1) this config without c, pulumi up; (2) this config, pulumi up" in refusal.errors
            assert re.search(r"Pulumi\.full\.yaml:\d+: workloads\.c: ", refusal.errors), refusal.errors
            assert "an unhandled error occurred" not in refusal.output
        assert ready(control_plane) == {"a": 1, "b": 1}
        with least_serving(control_plane, "b") as least:
            for step in (stack(b=workload()), stack(**B_AND_C)):
                engine.configure(step)
                engine.up()
        assert least == {"b": 1}, "the one that stays serves all along"
        await_ready(control_plane, {"b": 1, "c": 1})


@pytest.mark.parametrize(
    ("before", "after", "serving"),
    [
        (A_AND_B, B_AND_C, {"a": 1, "b": 1, "c": 0}),
        ({"b": workload(), "c": workload()}, {"c": B_AND_C["c"]}, {"b": 1, "c": 1}),
    ],
    ids=["exchange", "edit beside a removal"],
)
def test_what_is_refused_would_wait_for_ever(
    before: dict[str, Any], after: dict[str, Any], serving: dict[str, int], control_plane: ControlPlane, tmp_path: Path
) -> None:
    with up(control_plane, tmp_path, stack(**before)) as engine:
        forget_pods(engine)
        engine.configure(stack(**after))
        update = engine.start("up", "--yes", "--skip-preview")
        try:
            await_pending(control_plane)
            with pytest.raises(subprocess.TimeoutExpired):
                update.wait(DEADLOCK_S)
            assert ready(control_plane) == serving
        finally:
            left = killed(update)
        assert left == []
        unlock(engine)


def test_an_edit_beside_a_removal_is_refused_and_its_two_steps_end(control_plane: ControlPlane, tmp_path: Path) -> None:
    """The plan without `c` has room for a pod beside that of `a`, but `c` is deleted last."""
    edited = workload(engine={"maxModelLen": 2048})
    with up(control_plane, tmp_path, stack(a=workload(), c=workload())) as engine:
        engine.configure(stack(a=edited))
        for refusal in (engine.preview(refused=True), engine.up(refused=True)):
            assert "not enough for c and the pod that an update of a starts beside the old ones" in refusal.errors
            assert "(1) this config with the pods that stay as deployed, pulumi up" in refusal.errors
            assert re.search(r"Pulumi\.full\.yaml:\d+: workloads\.a: ", refusal.errors), refusal.errors
            assert "Traceback" not in refusal.output
        assert ready(control_plane) == {"a": 1, "c": 1}
        with least_serving(control_plane, "a") as least:
            for step in (stack(a=workload()), stack(a=edited)):
                engine.configure(step)
                engine.up()
                assert engine.preview().steps == ()
        assert least == {"a": 1}, "the one that stays serves all along"
        await_ready(control_plane, {"a": 1})


@pytest.mark.parametrize("count", [1, 2], ids=["as many", "more, and Kubernetes first adds as many of the old size"])
def test_smaller_pods_that_find_no_room_beside_the_old_ones_end(
    count: int, control_plane: ControlPlane, tmp_path: Path
) -> None:
    """The plan of the smaller pods has room for one more, which the old pods still have."""
    before = stack("g2-standard-24", count, a=workload(gpus=2))
    after = stack("g2-standard-24", count, a=workload(gpus=1, replicas=count))
    with up(control_plane, tmp_path, before) as engine:
        engine.configure(after)
        told = "an update takes a away while the new pod loads" in engine.preview().warnings
        assert told is (count == 1), "of more pods than one a note says nothing"
        engine.up()
        await_ready(control_plane, {"a": count})
        assert [step.kind for step in engine.preview().steps] == ["Deployment"], "that of the strategy, once more"
        before_pods = pods(control_plane)
        engine.up()
        assert pods(control_plane) == before_pods
        assert engine.preview().steps == ()


def forget_pods(engine: Engine) -> None:
    """The stack as if its pods took nothing, by its outputs and by its Deployments, so that no update is refused."""
    state = json.loads(engine.call("stack", "export").stdout)
    for resource in state["deployment"]["resources"]:
        if resource["type"] == "pulumi:pulumi:Stack":
            for pod in resource["outputs"]["pods"].values():
                pod["replicas"] = 0
        elif resource["type"] == "kubernetes:apps/v1:Deployment":
            for side in ("inputs", "outputs"):
                resource[side]["spec"]["replicas"] = 0
    engine.call("stack", "import", stdin=json.dumps(state))


def await_pending(plane: ControlPlane) -> None:
    deadline = time.monotonic() + 60
    while "Pending" not in pods(plane).values():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_an_exchange_after_an_update_that_failed_is_refused(control_plane: ControlPlane, tmp_path: Path) -> None:
    """The failed update has ended nothing: what it was to end holds its GPUs still."""
    with up(control_plane, tmp_path, stack(**A_AND_B)) as engine:
        engine.configure(stack(b=workload(engine={"maxModelLen": 2048})))
        with refusing_webhook(control_plane):
            engine.up(refused=True)
        engine.configure(stack(b=workload(), c=workload()))
        assert "not enough for a and c at the same time" in engine.preview(refused=True).errors


def test_an_update_that_failed_leaves_what_it_was_to_shrink_and_not_what_it_never_made(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    with up(control_plane, tmp_path, stack(nodes=3, a=workload(replicas=2), b=workload())) as engine:
        smaller = stack(nodes=3, a=workload(), b=workload(), d=workload())
        engine.configure(smaller)
        with refusing_webhook(control_plane):
            engine.up(refused=True)
        engine.configure(stack(nodes=3, b=workload(), c=workload()))
        assert "not enough for a and c at the same time" in engine.preview(refused=True).errors
        engine.configure(smaller)
        engine.up()
        left = json.loads(engine.call("stack", "output", "pods", "--json").stdout)
        assert {name: pod["replicas"] for name, pod in left.items()} == {f"{SPACE}/{name}": 1 for name in "abd"}


def test_another_namespace_is_refused_in_a_full_pool(control_plane: ControlPlane, tmp_path: Path) -> None:
    with up(control_plane, tmp_path, stack(**A_AND_B)) as engine:
        engine.configure({**stack(**A_AND_B), "namespace": "llm-fuller"})
        refused = engine.preview(refused=True)
        assert "not enough for a in namespace llm-full, b in namespace llm-full and a, b" in refused.errors


def test_a_rename_touches_no_pod(control_plane: ControlPlane, tmp_path: Path) -> None:
    with up(control_plane, tmp_path, stack(**A_AND_B)) as engine:
        before = pods(control_plane)
        engine.configure(stack(b=workload(), c=workload(renamedFrom="a")))
        with least_serving(control_plane, "a", "b") as least:
            assert [step for step in engine.up().steps if step.kind != "Stack"] == []
        assert least == {"a": 1, "b": 1}
        assert pods(control_plane) == before
        assert set(json.loads(engine.call("stack", "output", "workloads", "--json").stdout)) == {"b", "c"}


def test_a_scale_down_beside_a_scale_up_ends(control_plane: ControlPlane, tmp_path: Path) -> None:
    with up(control_plane, tmp_path, stack(nodes=3, a=workload(replicas=2), b=workload())) as engine:
        engine.configure(stack(nodes=3, a=workload(), b=workload(replicas=2)))
        with least_serving(control_plane, "a", "b") as least:
            engine.up()
        assert least == {"a": 1, "b": 1}
        await_ready(control_plane, {"a": 1, "b": 2})


@pytest.mark.parametrize(("nodes", "kept"), [(1, 0), (2, 1)], ids=["full", "with room"])
def test_an_image_change_over_two_gpus_keeps_the_planned_pods(
    nodes: int, kept: int, control_plane: ControlPlane, tmp_path: Path
) -> None:
    before = stack("g2-standard-24", nodes, a=workload(gpus=2))
    after = stack("g2-standard-24", nodes, a=workload(gpus=2, engine={"version": "0.19.1"}))
    assert planned_least(before, after) == {"a": kept}
    with up(control_plane, tmp_path, before) as engine:
        engine.configure(after)
        with least_serving(control_plane, "a") as least:
            outcome = engine.up()
        assert [(step.op, step.kind) for step in outcome.steps] == [("update", "Deployment")]
        assert least == {"a": kept}
        await_ready(control_plane, {"a": 1})


def test_an_update_takes_one_pod_at_a_time_of_those_on_and_off_spot(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    def on_both(length: int) -> dict[str, Any]:
        chat = workload(computeClass="both", replicas=2, minOnDemand=1, engine={"maxModelLen": length})
        one = {"machineType": "g2-standard-8", "maxNodes": 1}
        order = {"both": {"priorities": [{"nodePool": "spot"}, {"nodePool": "demand"}]}}
        pools = {"spot": {**one, "spot": True}, "demand": one}
        return serving({"a": chat}, cluster=EXISTING, pools=pools, namespace=SPACE, computeClasses=order)

    before, after = on_both(4096), on_both(2048)
    assert planned_least(before, after) == {"a": 1}
    with up(control_plane, tmp_path, before) as engine:
        engine.configure(after)
        with least_serving(control_plane, "a+a-on-demand") as least:
            outcome = engine.up()
        assert [(step.op, step.kind) for step in outcome.steps] == [("update", "Deployment")] * 2
        assert least == {"a+a-on-demand": 1}
        await_ready(control_plane, {"a": 1, "a-on-demand": 1})
