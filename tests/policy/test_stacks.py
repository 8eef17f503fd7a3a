"""Rules about whole stacks, and every stack of the project under all rules."""

from collections.abc import Mapping
from typing import Any

import pytest

from l4serve.cli.commands.render_command import render_stack
from l4serve.cli.project import project_root
from l4serve.cli.subjects.stack_options import load
from l4serve.config.stack_file import Stack, read_stack_file
from l4serve.planning.stack.stack_planner import plan_stack
from l4serve.planning.values.quantity import parse_bytes
from policy.all_rules import RESOURCE_RULES
from policy.gpu_pods import gpu_pods
from policy.model import CLUSTER, NODE_POOL, Resource, Settings
from policy.stack_rules import STACK_RULES, ceilings, largest_cost
from tests import factories
from tests.policy.cases import DEPLOYMENT, GOOD, good_cluster, good_deployment, good_pool, on

HPA = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
NONE = Settings()
STACKS = tuple(sorted(path.name.split(".")[1] for path in project_root().glob("Pulumi.*.yaml")))


def rule_on_stack(name: str, resources: list[Resource], settings: Settings = NONE) -> list[str]:
    return [message for rule in STACK_RULES if rule.name == name for message in rule.check(resources, settings)]


def test_the_ceiling_counts_every_pool_at_its_largest_and_the_cluster() -> None:
    pool = good_pool()
    cost, unknown = largest_cost([on("dev", CLUSTER, good_cluster()), on("dev", NODE_POOL, pool)], Settings())
    assert cost == pytest.approx(2 * 0.8536 + 0.10, abs=0.001)
    assert unknown == ()
    pool["autoscaling"]["totalMaxNodeCount"] = 100
    (message,) = rule_on_stack("cost-ceiling", [on("dev", NODE_POOL, pool)])
    assert "85.36" in message
    assert f"{ceilings()['dev']:.2f}" in message
    assert rule_on_stack("cost-ceiling", [on("dev", NODE_POOL, pool)], Settings(max_usd_per_hour=100)) == []


def test_a_price_that_nobody_knows_is_a_violation_until_it_is_stated() -> None:
    pool = good_pool()
    pool["location"] = "africa-south1-a"
    (message,) = rule_on_stack("cost-ceiling", [on("dev", NODE_POOL, pool)])
    assert "g2-standard-8 (on-demand) in africa-south1" in message
    assert rule_on_stack("cost-ceiling", [on("dev", NODE_POOL, pool)], Settings(prices={"g2-standard-8": 0.9})) == []


def test_spot_pools_cost_their_spot_price() -> None:
    pool = good_pool()
    pool["nodeConfig"]["spot"] = True
    assert largest_cost([on("dev", NODE_POOL, pool)], Settings())[0] == pytest.approx(2 * 0.4799, abs=0.001)


def test_autopilot_costs_at_least_the_machines_of_its_pods() -> None:
    cluster = good_cluster() | {"enableAutopilot": True}
    deployment = good_deployment()
    deployment["spec"]["replicas"] = 3
    cost, _ = largest_cost([on("dev", CLUSTER, cluster), on("dev", DEPLOYMENT, deployment)], Settings())
    assert cost == pytest.approx(3 * 0.8536 + 0.10, abs=0.001), "25Gi beside the daemonsets want 32 GiB of machine"


def test_the_largest_cost_of_an_autoscaled_autopilot_stack_is_the_plans() -> None:
    requests = {"cpu": "20", "memory": "70Gi"}
    workload = factories.workload(autoscaling={"maxReplicas": 10}, resources={"requests": requests})
    serving = factories.serving({"w": workload}, cluster=factories.AUTOPILOT)
    stack = factories.loaded(serving)
    resources = [on("dev", r["type"], r["inputs"]) for r in render_stack(stack).cloud]
    kinds = {"Deployment": DEPLOYMENT, "HorizontalPodAutoscaler": HPA}
    resources += [on("dev", kinds[o["kind"]], o) for o in render_stack(stack).objects if o["kind"] in kinds]
    cost, unknown = largest_cost(resources, Settings())
    plan = factories.planned(serving).cost
    assert unknown == ()
    assert cost == pytest.approx(plan.usd_at_most, abs=0.01)
    assert cost > 10


CLASSES = {"cc": {"priorities": [{"machineType": "g2-standard-8", "spot": True}, {"machineType": "g2-standard-8"}]}}


POOLS = {"l4": {"machineType": "g2-standard-8", "maxNodes": 9}}
POOLS |= {"spot": {**POOLS["l4"], "spot": True, "minNodes": 1}}


@pytest.mark.parametrize("pinned", [False, True])
def test_the_pools_of_a_compute_class_cost_what_the_plan_says(pinned: bool) -> None:
    classes = {"cc": {"priorities": [{"nodePool": "spot"}, {"nodePool": "l4"}]}}
    workloads = {"w": factories.workload(computeClass="cc", autoscaling={"minReplicas": 1, "maxReplicas": 2})}
    if pinned:
        workloads["own"] = factories.workload(nodePool="l4", replicas=1)
    serving = factories.serving(workloads, cluster=factories.STANDARD, pools=POOLS, computeClasses=classes)
    rendered = render_stack(factories.loaded(serving))
    resources = [on("dev", each["type"], each["inputs"]) for each in rendered.cloud]
    resources += [on("dev", _token(each), each) for each in rendered.objects]
    cost, _ = largest_cost(resources, Settings())
    plan = factories.planned(serving).cost
    assert cost == pytest.approx(plan.usd_at_most, abs=0.01) or (pinned and cost > plan.usd_at_most)


@pytest.mark.parametrize("cluster", [factories.AUTOPILOT, factories.STANDARD], ids=["autopilot", "standard"])
def test_what_a_compute_class_makes_costs_what_the_plan_says(cluster: dict[str, Any]) -> None:
    workload = factories.workload(computeClass="cc", replicas=2)
    serving = factories.serving({"w": workload}, cluster=cluster, pools={}, computeClasses=CLASSES)
    rendered = render_stack(factories.loaded(serving))
    resources = [on("dev", each["type"], each["inputs"]) for each in rendered.cloud]
    resources += [on("dev", _token(each), each) for each in rendered.objects]
    cost, unknown = largest_cost(resources, Settings())
    assert unknown == ()
    assert cost == pytest.approx(factories.planned(serving).cost.usd_at_most, abs=0.01)


def test_the_sidecar_of_a_bucket_counts_towards_the_machine() -> None:
    source = {"kind": "bucket", "uri": "gs://models/qwen", "cache": "memory"}
    workload = factories.workload("Qwen/Qwen2.5-7B-Instruct", engine={"maxModelLen": 4096})
    workload["model"]["source"] = source
    stack = factories.loaded(factories.serving({"w": workload}, cluster=factories.AUTOPILOT))
    (deployment,) = [each for each in render_stack(stack).objects if each["kind"] == "Deployment"]
    ((_, asked, _),) = gpu_pods([on("dev", DEPLOYMENT, deployment)])
    plan = plan_stack(stack).workloads[0]
    assert plan.storage.sidecar is not None
    own = parse_bytes(plan.resources.as_kubernetes()["requests"]["memory"])
    assert asked.memory_bytes == own + plan.storage.sidecar.memory_bytes > own + 10 * 2**30
    assert asked.ephemeral_bytes > plan.storage.sidecar.ephemeral_bytes > 0


def test_attached_cards_and_other_accelerators_cost_what_their_machines_do() -> None:
    pool = good_pool()
    pool["nodeConfig"] |= {
        "machineType": "n1-standard-8",
        "guestAccelerators": [{"type": "nvidia-tesla-t4", "count": 1}],
    }
    usd, unknown = largest_cost([on("dev", NODE_POOL, pool)], Settings())
    assert usd == pytest.approx(2 * 0.73, abs=0.001)
    assert unknown == ()
    deployment = good_deployment()
    deployment["spec"]["template"]["spec"]["nodeSelector"] = {"cloud.google.com/gke-accelerator": "nvidia-a100-80gb"}
    autopilot = on("dev", CLUSTER, good_cluster() | {"enableAutopilot": True})
    cost, _ = largest_cost([autopilot, on("dev", DEPLOYMENT, deployment)], Settings())
    assert cost == pytest.approx(5.0688 + 0.10, abs=0.001)


@pytest.mark.parametrize("kind", [CLUSTER, NODE_POOL])
def test_production_must_be_protected_and_others_need_not(kind: str) -> None:
    bare = on("prod", kind, GOOD[kind](), protect=False)
    (message,) = rule_on_stack("protect-on-prod", [bare])
    assert "protect: true" in message
    assert rule_on_stack("protect-on-prod", [on("prod", kind, GOOD[kind]())]) == []
    assert rule_on_stack("protect-on-prod", [on("dev", kind, GOOD[kind](), protect=False)]) == []


def test_a_production_cluster_needs_deletion_protection() -> None:
    cluster = good_cluster() | {"deletionProtection": False}
    assert "deletionProtection" in rule_on_stack("protect-on-prod", [on("prod", CLUSTER, cluster)])[0]


def rendered_resources(stack: str) -> list[Resource]:
    return resources_of(load(stack, None))


def resources_of(loaded: Stack) -> list[Resource]:
    rendered, stack = render_stack(loaded), loaded.name
    cloud = [
        Resource(r["type"], r["name"], r["inputs"], bool(r["options"].get("protect")), stack) for r in rendered.cloud
    ]
    return cloud + [Resource(_token(o), o["metadata"]["name"], o, stack=stack) for o in rendered.objects]


def _token(manifest: Mapping[str, Any]) -> str:
    version = manifest["apiVersion"]
    return f"kubernetes:{version if '/' in version else f'core/{version}'}:{manifest['kind']}"


@pytest.mark.slow
@pytest.mark.parametrize("stack", STACKS)
def test_every_stack_passes_every_policy(stack: str) -> None:
    resources = rendered_resources(stack)
    assert any(resource.type == DEPLOYMENT for resource in resources)
    broken = [f"{rule.name}: {r.name}: {m}" for rule in RESOURCE_RULES for r in resources for m in rule.violations(r)]
    broken += [f"{rule.name}: {m}" for rule in STACK_RULES for m in rule.check(resources, Settings())]
    assert broken == []


MADE = {
    "autopilot": factories.serving(cluster=factories.AUTOPILOT),
    "regional": factories.serving(cluster=factories.STANDARD),
    "flex-start": factories.serving(pools={"l4": {**factories.POOL, "flexStart": {}}}),
}
EXAMPLES = sorted((project_root() / "examples").glob("Pulumi.*.yaml"))


@pytest.mark.slow
@pytest.mark.parametrize("case", [*MADE, *(path.stem for path in EXAMPLES)])
def test_every_example_passes_every_policy_on_resources(case: str) -> None:
    """Also those that answer checkov, on Autopilot and flex-start too; what a company lets them cost is its own."""
    path = project_root() / "examples" / f"{case}.yaml"
    resources = resources_of(factories.loaded(MADE[case]) if case in MADE else read_stack_file(path))
    assert [f"{rule.name}: {m}" for rule in RESOURCE_RULES for r in resources for m in rule.violations(r)] == []
