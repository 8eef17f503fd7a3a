"""Updates, drains and losses of nodes on a real control plane: ready pods never fall below what the plan promises."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from kubernetes.client import ApiClient, ApiException, AppsV1Api, CoreV1Api, PolicyV1Api

from l4serve.cli.commands.render_command import render_stack
from l4serve.planning.workload.workload_plan import WorkloadPlan
from l4serve.sandbox.lifecycle import running_sandbox
from l4serve.sandbox.planned_nodes import planned_nodes
from l4serve.sandbox.rehearsal import prepare
from l4serve.sandbox.rollout_watch import await_rollout
from l4serve.sandbox.state import SandboxState
from tests import factories
from tests.sandbox.serving_pods import is_serving, serving_pods

pytestmark = pytest.mark.timeout(400, func_only=True)

NAMESPACE = "llm-serving"
MACHINE = {"machineType": "g2-standard-8"}
SERVING = factories.serving(
    {
        "chat": factories.workload(computeClass="l4", replicas=3, minOnDemand=1),
        "scaled": factories.workload(nodePool="wide", replicas=1),
        "pair": factories.workload(
            "Qwen/Qwen2.5-7B-Instruct", nodePool="pairs", gpus=2, replicas=2, engine={"tensorParallelSize": 2}
        ),
        "full": factories.workload(nodePool="narrow", replicas=2),
        "tight": factories.workload(computeClass="tight", replicas=2, minOnDemand=1),
    },
    pools={
        "spot": {**MACHINE, "spot": True, "maxNodes": 4},
        "demand": {**MACHINE, "maxNodes": 2},
        "wide": {**MACHINE, "maxNodes": 4},
        "pairs": {"machineType": "g2-standard-24", "maxNodes": 3},
        "narrow": {**MACHINE, "maxNodes": 2},
        "one-spot": {**MACHINE, "spot": True, "maxNodes": 1},
        "one-demand": {**MACHINE, "maxNodes": 1},
    },
    computeClasses={
        "l4": {"priorities": [{"nodePool": "spot"}, {"nodePool": "demand"}]},
        "tight": {"priorities": [{"nodePool": "one-spot"}, {"nodePool": "one-demand"}]},
    },
)


@dataclass(frozen=True)
class Rehearsed:
    """The stack as it runs in the sandbox."""

    state: SandboxState
    client: ApiClient
    plans: dict[str, WorkloadPlan]

    def pods(self, plan: WorkloadPlan) -> list[Any]:
        """What the workload's Service selects."""
        return CoreV1Api(self.client).list_namespaced_pod(NAMESPACE, label_selector=_selector(plan)).items

    def ready(self, plan: WorkloadPlan) -> int:
        """Pods that the Service would send requests to."""
        return sum(map(is_serving, self.pods(plan)))

    def settle(self, plan: WorkloadPlan, count: int | None = None, seconds: float = 90) -> None:
        """Waits until as many pods as planned are ready, and no other is left."""
        wanted = plan.scale.replicas if count is None else count
        until(lambda: self.ready(plan) == len(self.pods(plan)) == wanted, seconds)

    def patch(self, name: str, change: dict[str, Any]) -> None:
        """Changes a Deployment as an update of the stack would."""
        AppsV1Api(self.client).patch_namespaced_deployment(name, NAMESPACE, change)

    def updated(self, name: str) -> bool:
        """Whether a Deployment has rolled out, as Pulumi waits for it."""
        found = AppsV1Api(self.client).read_namespaced_deployment(name, NAMESPACE)
        status = found.status
        counts = {status.replicas, status.updated_replicas, status.available_replicas, found.spec.replicas}
        return status.observed_generation == found.metadata.generation and len(counts) == 1

    @contextmanager
    def watched(self, plan: WorkloadPlan) -> Iterator[list[int]]:
        """How many pods serve at each moment of the block; filled when it has ended."""
        ready: list[int] = []
        with self.state.client() as client, serving_pods(client, NAMESPACE, _selector(plan)) as moments:
            yield ready
        ready.extend(map(len, moments))


def _selector(plan: WorkloadPlan) -> str:
    return ",".join(f"{key}={value}" for key, value in plan.metadata.serving.items())


def until(holds: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to rest"
        time.sleep(0.2)


def image(value: str) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [{"name": "inference-server", "image": value}]}}}}


@pytest.fixture(scope="module")
def stack() -> Iterator[Rehearsed]:
    rendered = render_stack(factories.loaded(SERVING, name="rollouts"))
    with running_sandbox("rollouts") as state, state.client() as client:
        applier = prepare(state, client, planned_nodes(rendered.plan))
        assert applier.apply(rendered.objects) == ()
        placed = await_rollout(client, rendered.objects, timeout_s=120)
        assert [row for row in placed if not row.ready] == []
        yield Rehearsed(state, client, {each.name: each for each in rendered.plan.workloads})


@pytest.mark.parametrize(("name", "surge"), [("pair", 1), ("full", 0)])
def test_a_change_of_image_keeps_the_planned_pods_ready(stack: Rehearsed, name: str, surge: int) -> None:
    plan = stack.plans[name]
    rollout = plan.scale.rollout
    assert rollout.max_surge == surge
    with stack.watched(plan) as ready:
        stack.patch(plan.object_name, image(f"docker.io/vllm/vllm-openai:v0.26.1-{name}"))
        until(lambda: all("v0.26.1" in p.spec.containers[0].image for p in stack.pods(plan)), 120)
        stack.settle(plan)
    assert min(ready) >= plan.scale.replicas - rollout.max_unavailable
    if plan.layout.gpus == 2:
        assert {pod.spec.containers[0].resources.limits["nvidia.com/gpu"] for pod in stack.pods(plan)} == {"2"}


@pytest.mark.parametrize("name", ["chat", "tight"])
def test_an_update_in_the_programs_order_takes_one_pod_of_both_deployments(stack: Rehearsed, name: str) -> None:
    plan = stack.plans[name]
    stack.settle(plan)
    with stack.watched(plan) as ready:
        for turn in range(2):
            for deployment in (f"{name}-on-demand", name):
                stack.patch(deployment, image(f"docker.io/vllm/vllm-openai:v0.26.{turn + 2}"))
                until(partial(stack.updated, deployment), 60)
    assert min(ready) >= plan.scale.replicas - plan.scale.rollout.max_unavailable
    stack.settle(plan)


def test_a_kept_pod_gets_its_node_back_from_one_that_may_lie_elsewhere(stack: Rehearsed) -> None:
    plan, core = stack.plans["tight"], CoreV1Api(stack.client)
    stack.settle(plan)
    (spot,) = (node.metadata.name for node in core.list_node().items if _of_pool(node, "one-spot"))
    stack.patch("tight-on-demand", {"spec": {"replicas": 0}})
    stack.settle(plan, 1)
    cordon(core, {spot}, True)
    for pod in stack.pods(plan):
        core.delete_namespaced_pod(pod.metadata.name, NAMESPACE, grace_period_seconds=0)
    until(lambda: [pod.spec.node_name not in (None, spot) for pod in stack.pods(plan)] == [True], 60)
    cordon(core, {spot}, False)
    stack.patch("tight-on-demand", {"spec": {"replicas": 1}})
    stack.settle(plan)


def _of_pool(node: Any, name: str) -> bool:
    return any(value == name for value in node.metadata.labels.values())


def test_a_drain_waits_for_the_disruption_budget(stack: Rehearsed) -> None:
    plan, core = stack.plans["pair"], CoreV1Api(stack.client)
    allowed = plan.scale.rollout.pods_disruptable
    assert allowed == 1
    stack.settle(plan)
    budgets = PolicyV1Api(stack.client)
    until(lambda: _allowed(budgets.read_namespaced_pod_disruption_budget(plan.object_name, NAMESPACE)) == allowed, 60)
    going = stack.pods(plan)
    drained = {pod.spec.node_name for pod in going}
    assert len(drained) == 2
    every = {node.metadata.name for node in core.list_node().items}
    with stack.watched(plan) as ready:
        # No node takes the successor, so that the budget is spent for as long as the second pod is asked for.
        cordon(core, every, True)
        first, second = (pod.metadata.name for pod in going)
        until(lambda: evicted(core, first), 60)
        assert not evicted(core, second), "the budget keeps the second pod while the first has no ready successor"
        cordon(core, every - drained, False)
        until(lambda: evicted(core, second), 60)
        cordon(core, drained, False)
        stack.settle(plan)
    assert min(ready) >= plan.scale.replicas - allowed


def cordon(core: CoreV1Api, nodes: Iterable[str], closed: bool) -> None:
    """Closes nodes to new pods, or opens them."""
    for name in nodes:
        core.patch_node(name, {"spec": {"unschedulable": closed}})


def _allowed(budget: Any) -> int:
    """Evictions that the budget's controller would grant; it follows the pods a moment later."""
    return int(budget.status.disruptions_allowed) if budget.status else 0


def evicted(core: CoreV1Api, name: str) -> bool:
    """Asks once for an eviction, as a drain does: whether it was granted, or the pod is gone."""
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": NAMESPACE}}
    try:
        core.create_namespaced_pod_eviction(name, NAMESPACE, body)
    except ApiException as error:
        assert error.status in (404, 429), error
        return error.status == 404
    return True


def test_the_loss_of_every_spot_node_leaves_the_pods_that_are_kept_off_spot(stack: Rehearsed) -> None:
    plan, core = stack.plans["chat"], CoreV1Api(stack.client)
    stack.settle(plan)
    nodes = {node.metadata.name: node.metadata.labels for node in core.list_node().items}
    spot = {name for name, labels in nodes.items() if labels.get("cloud.google.com/gke-spot") == "true"}
    lost = [pod for pod in stack.pods(plan) if pod.spec.node_name in spot]
    assert len(stack.pods(plan)) - len(lost) >= plan.scale.on_demand == 1
    with stack.watched(plan) as ready:
        cordon(core, spot, True)
        for pod in lost:
            core.delete_namespaced_pod(pod.metadata.name, NAMESPACE, grace_period_seconds=0)
        until(lambda: stack.ready(plan) >= 2, 60)
        cordon(core, spot, False)
        stack.settle(plan)
    assert min(ready) >= plan.scale.on_demand
    assert any(pod.spec.node_name not in spot for pod in stack.pods(plan))


def test_scaling_from_one_to_the_most_and_back_never_takes_the_last_pod(stack: Rehearsed) -> None:
    plan = stack.plans["scaled"]
    stack.settle(plan)
    with stack.watched(plan) as ready:
        for count in (4, 1):
            stack.patch(plan.object_name, {"spec": {"replicas": count}})
            stack.settle(plan, count)
    assert (min(ready), max(ready)) == (1, 4)
