"""What goes wrong around an update: what the user sees of it, and that a second update heals it."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from kubernetes.client import (
    CoreV1Api,
    PolicyV1Api,
    V1Eviction,
    V1ObjectMeta,
    V1ResourceQuota,
    V1ResourceQuotaSpec,
)
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from l4serve.sandbox.lifecycle import running_sandbox, take_down
from l4serve.sandbox.planned_nodes import planned_nodes
from l4serve.sandbox.rehearsal import prepare
from tests.factories import EXISTING, planned, serving, workload
from tests.pulumi_cli.conftest import (
    END_S,
    ControlPlane,
    await_true,
    ready_in,
    refusing_webhook,
    stack_on,
    warm_python,
)
from tests.pulumi_cli.engine import Engine, path_of_engine

pytestmark = [pytest.mark.pulumi_cli, pytest.mark.timeout(900, func_only=True)]

SPACE = "llm-trouble"


def stack(**workloads: dict[str, Any]) -> dict[str, Any]:
    pools = {"l4": {"machineType": "g2-standard-8", "maxNodes": 3}}
    return serving(workloads, cluster=EXISTING, pools=pools, namespace=SPACE)


ONE = stack(a=workload())
TWO = stack(a=workload(), b=workload())


def up(plane: ControlPlane, folder: Path, config: dict[str, Any]) -> AbstractContextManager[Engine]:
    """A stack that is up on three nodes, and destroyed after."""
    return stack_on(
        plane, planned_nodes(planned(stack(a=workload(replicas=3)), project=None)), folder, "trouble", config
    )


def ready(plane: ControlPlane) -> dict[str, int]:
    return ready_in(plane, SPACE)


def running_on(plane: ControlPlane) -> dict[str, str]:
    """Node of each running pod that is not on its way out. A Deployment's own count lags behind its pods."""
    pods = CoreV1Api(plane.client).list_namespaced_pod(SPACE, field_selector="status.phase=Running").items
    return {pod.metadata.name: pod.spec.node_name for pod in pods if pod.metadata.deletion_timestamp is None}


def test_a_webhook_that_refuses_is_named_and_the_next_update_heals(control_plane: ControlPlane, tmp_path: Path) -> None:
    with up(control_plane, tmp_path, ONE) as engine:
        engine.configure(TWO)
        with refusing_webhook(control_plane) as name:
            refused = engine.up(refused=True)
        assert f'failed calling webhook "{name}"' in refused.errors
        assert ready(control_plane) == {"a": 1}
        engine.up()
        await_true(lambda: ready(control_plane) == {"a": 1, "b": 1})


@contextmanager
def used_up_quota(plane: ControlPlane, counted: str) -> Iterator[str]:
    """A quota of one of what is counted, in the namespace of a stack that has that one."""
    core, name = CoreV1Api(plane.client), "small"
    quota = V1ResourceQuota(metadata=V1ObjectMeta(name=name), spec=V1ResourceQuotaSpec(hard={counted: "1"}))
    core.create_namespaced_resource_quota(SPACE, quota)
    await_true(lambda: core.read_namespaced_resource_quota(name, SPACE).status.used)
    try:
        yield name
    finally:
        core.delete_namespaced_resource_quota(name, SPACE)


def test_a_quota_that_refuses_is_named_and_the_next_update_heals(control_plane: ControlPlane, tmp_path: Path) -> None:
    with up(control_plane, tmp_path, ONE) as engine:
        engine.configure(TWO)
        with used_up_quota(control_plane, "count/deployments.apps") as name:
            refused = engine.up(refused=True)
        assert f"exceeded quota: {name}" in refused.errors
        assert "count/deployments.apps=1" in refused.errors
        engine.up()
        await_true(lambda: ready(control_plane) == {"a": 1, "b": 1})


def a_quota_of_gpus(plane: ControlPlane) -> AbstractContextManager[str]:
    return used_up_quota(plane, "requests.nvidia.com/gpu")


def a_webhook_for_pods(plane: ControlPlane) -> AbstractContextManager[str]:
    return refusing_webhook(plane, "", "pods")


@pytest.mark.parametrize(
    ("refusing", "words"),
    [(a_quota_of_gpus, "exceeded quota: {}"), (a_webhook_for_pods, 'failed calling webhook "{}"')],
)
def test_refused_pods_are_told_of_and_the_update_that_waits_for_them_goes_on(
    control_plane: ControlPlane,
    tmp_path: Path,
    refusing: Callable[[ControlPlane], AbstractContextManager[str]],
    words: str,
) -> None:
    with up(control_plane, tmp_path, ONE) as engine:
        engine.configure(TWO)
        with refusing(control_plane) as name:
            update = engine.start("up", "--yes", "--skip-preview")
            await_true(lambda: "b" in ready(control_plane))
            await_true(lambda: words.format(name) in refusal_of("b", engine))
            assert update.poll() is None
        assert update.wait(END_S) == 0
        assert ready(control_plane) == {"a": 1, "b": 1}
        assert engine.preview().steps == ()


def refusal_of(workload: str, engine: Engine) -> str:
    """What `l4serve doctor` says of a Deployment; nothing where it finds nothing wrong with it."""
    done = engine.l4serve("doctor", "-s", engine.stack, "--json")
    told = {each["subject"]: each["text"] for each in json.loads(done.stdout)["findings"]}
    return told.get(f"Deployment {workload}", "")


def test_a_lost_spot_node_costs_no_update(control_plane: ControlPlane, tmp_path: Path) -> None:
    core = CoreV1Api(control_plane.client)
    with up(control_plane, tmp_path, ONE) as engine:
        ((pod, node),) = running_on(control_plane).items()
        lost = core.read_node(node)
        core.delete_node(node)
        core.delete_namespaced_pod(pod, SPACE, grace_period_seconds=0)
        await_true(lambda: set(running_on(control_plane)) - {pod})
        ((moved, other),) = running_on(control_plane).items()
        assert (moved, other) != (pod, node)
        assert other != node
        assert engine.up().steps == ()
        lost.metadata = V1ObjectMeta(name=node, labels=lost.metadata.labels, annotations=lost.metadata.annotations)
        core.create_node(lost)


def cordon(core: CoreV1Api, *, closed: bool) -> None:
    """Close or open every node, as a drain does with the node that it empties."""
    for node in core.list_node().items:
        core.patch_node(node.metadata.name, {"spec": {"unschedulable": closed}})


def test_a_disruption_budget_keeps_the_last_pod_until_there_is_another(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    core, policy = CoreV1Api(control_plane.client), PolicyV1Api(control_plane.client)

    def evict(name: str) -> None:
        core.create_namespaced_pod_eviction(name, SPACE, V1Eviction(metadata=V1ObjectMeta(name=name)))

    def may_evict() -> bool:
        return bool(policy.read_namespaced_pod_disruption_budget("a", SPACE).status.disruptions_allowed)

    with up(control_plane, tmp_path, stack(a=workload(replicas=2))) as engine:
        await_true(may_evict)
        first, second = running_on(control_plane)
        cordon(core, closed=True)  # else the next pod may run before the second eviction is asked for
        evict(first)
        with pytest.raises(ApiException) as blocked:
            evict(second)
        assert blocked.value.status == 429
        assert "disruption budget" in blocked.value.body
        assert engine.up().steps == ()
        cordon(core, closed=False)
        await_true(may_evict)
        evict(second)
        await_true(lambda: len(running_on(control_plane)) == 2 and second not in running_on(control_plane))


@pytest.fixture
def lasting_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane that no watchdog ends when one of its processes does."""
    folder = tmp_path_factory.mktemp("lasting")
    path = path_of_engine(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("L4SERVE_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        try:
            with running_sandbox("restarts", keep=True) as state, state.client() as client:
                applier = prepare(state, client, ())
            with warm_python(folder, state.kubeconfig) as warm, state.client() as client:
                yield ControlPlane(state, client, applier, path, warm)
        finally:
            take_down()


def restart(plane: ControlPlane, name: str, *, after_s: float) -> None:
    """Kill a process of the control plane and start it again as it was."""
    (identity,) = (each for each in plane.state.processes if each.name == name)
    process = psutil.Process(identity.pid)
    command, program, environment, folder = process.cmdline(), process.exe(), process.environ(), process.cwd()
    process.kill()
    psutil.wait_procs([process], timeout=10)
    time.sleep(after_s)
    with (plane.state.folder / f"{name}-again.log").open("wb") as log:
        subprocess.Popen(
            command, executable=program, env=environment, cwd=folder, stdout=log, stderr=log, start_new_session=True
        )


def await_api(plane: ControlPlane) -> None:
    """Until the API server answers again."""
    deadline = time.monotonic() + END_S
    while True:
        try:
            ready(plane)
        except (ApiException, HTTPError):
            assert time.monotonic() < deadline
            time.sleep(0.5)
        else:
            return


@pytest.mark.parametrize("name", ["kube-apiserver", "etcd"])
def test_an_update_over_a_restart_ends_or_the_next_one_heals(
    lasting_plane: ControlPlane, tmp_path: Path, name: str
) -> None:
    plane = lasting_plane
    with up(plane, tmp_path, ONE) as engine:
        engine.configure(TWO)
        update = engine.start("up", "--yes", "--skip-preview")
        await_true(lambda: "b" in ready(plane))  # else an early restart is over before the update begins
        restart(plane, name, after_s=2.0)
        await_api(plane)
        restart(plane, "kwok", after_s=0.0)  # a kubelet tells again what it could not; KWOK does not
        update.wait(END_S)
        outcome = engine.up()
        assert "Traceback" not in outcome.output
        await_true(lambda: ready(plane) == {"a": 1, "b": 1})
        assert engine.preview().steps == ()
