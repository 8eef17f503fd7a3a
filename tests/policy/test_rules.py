"""Each policy refuses what it must, each stack passes them all, and Pulumi's own protocol reports the same."""

import copy
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from cli.render import render_stack
from cli.stacks import load, project_root
from components.planning.kubeconfig import render_kubeconfig
from policy.model import CLUSTER, KUBERNETES_PROVIDER, NODE_POOL, SECRET, Resource, Settings
from policy.rules import ALL_NAMES, RESOURCE_RULES, STACK_RULES
from policy.stack_rules import ceilings, largest_cost
from policy.workload_rules import is_pinned

STACKS = tuple(sorted(path.name.split(".")[1] for path in project_root().glob("Pulumi.*.yaml")))
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
ACCOUNT = "nodes@p.iam.gserviceaccount.com"
DIGEST = "sha256:" + "0" * 64


def good_cluster() -> dict[str, Any]:
    return {
        "location": "us-central1",
        "deletionProtection": True,
        "privateClusterConfig": {"enablePrivateNodes": True, "enablePrivateEndpoint": False},
        "masterAuthorizedNetworksConfig": {"cidrBlocks": [{"cidrBlock": "203.0.113.0/29"}]},
        "controlPlaneEndpointsConfig": {"ipEndpointsConfig": {"enabled": True}},
        "enableShieldedNodes": True,
        "nodeConfig": {"serviceAccount": ACCOUNT, "oauthScopes": ["https://www.googleapis.com/auth/logging.write"]},
    }


def good_pool() -> dict[str, Any]:
    return {
        "location": "us-central1",
        "autoscaling": {"totalMaxNodeCount": 2},
        "networkConfig": {"enablePrivateNodes": True},
        "nodeConfig": {
            "machineType": "g2-standard-8",
            "serviceAccount": ACCOUNT,
            "oauthScopes": ["https://www.googleapis.com/auth/devstorage.read_only"],
            "guestAccelerators": [{"type": "nvidia-l4", "count": 1}],
            "taints": [{"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}],
            "shieldedInstanceConfig": {"enableSecureBoot": True},
        },
    }


def good_deployment() -> dict[str, Any]:
    amounts = {"cpu": "2", "memory": "25Gi", "ephemeral-storage": "30Gi", "nvidia.com/gpu": "1"}
    container = {
        "name": "server",
        "image": "docker.io/vllm/vllm-openai:v0.26.0",
        "args": ["--model=google/gemma-7b", "--max-num-batched-tokens=2048"],
        "env": [{"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": "hf", "key": "token"}}}],
        "resources": {"requests": dict(amounts), "limits": dict(amounts)},
    }
    return {"spec": {"replicas": 1, "template": {"spec": {"containers": [container]}}}}


GOOD = {CLUSTER: good_cluster, NODE_POOL: good_pool, DEPLOYMENT: good_deployment}
CONTAINER = "spec.template.spec.containers.0"
KUBECONFIG = "apiVersion: v1\nusers:\n- name: u\n  user:\n    token: abc\n"

# rule, type, path of the input, its value (DROP removes it), what the message must name
DROP = object()
BAD: tuple[tuple[str, str, str, Any, str], ...] = (
    ("no-public-control-plane", CLUSTER, "masterAuthorizedNetworksConfig", DROP, "every address on the internet"),
    (
        "no-public-control-plane",
        CLUSTER,
        "masterAuthorizedNetworksConfig.cidrBlocks.0.cidrBlock",
        "0.0.0.0/0",
        "0.0.0.0/0",
    ),
    ("no-public-control-plane", CLUSTER, "masterAuthorizedNetworksConfig.gcpPublicCidrsAccessEnabled", True, "Google"),
    ("no-default-node-service-account", NODE_POOL, "nodeConfig.serviceAccount", DROP, "default service account"),
    ("no-default-node-service-account", NODE_POOL, "nodeConfig.serviceAccount", "default", "default service account"),
    (
        "no-default-node-service-account",
        CLUSTER,
        "nodeConfig.serviceAccount",
        "1-compute@developer.gserviceaccount.com",
        "own",
    ),
    ("no-default-node-service-account", CLUSTER, "enableAutopilot", True, "autoProvisioningDefaults"),
    (
        "no-full-cloud-scope",
        NODE_POOL,
        "nodeConfig.oauthScopes",
        ["https://www.googleapis.com/auth/cloud-platform"],
        "scope",
    ),
    ("no-full-cloud-scope", CLUSTER, "nodeConfig.oauthScopes.0", "cloud-platform", "oauthScopes"),
    ("private-nodes", NODE_POOL, "networkConfig", DROP, "public addresses"),
    ("private-nodes", CLUSTER, "privateClusterConfig.enablePrivateNodes", False, "cluster.privateNodes: true"),
    ("secure-boot", NODE_POOL, "nodeConfig.shieldedInstanceConfig.enableSecureBoot", False, "secure boot is off"),
    ("secure-boot", CLUSTER, "enableShieldedNodes", False, "enableShieldedNodes"),
    ("gpu-pools-tainted", NODE_POOL, "nodeConfig.taints", [], "nvidia.com/gpu:NO_SCHEDULE"),
    ("gpu-pools-tainted", NODE_POOL, "nodeConfig.taints.0.effect", "PREFER_NO_SCHEDULE", "nvidia.com/gpu:NO_SCHEDULE"),
    ("requests-and-limits", DEPLOYMENT, f"{CONTAINER}.resources", DROP, "requests.cpu"),
    ("requests-and-limits", DEPLOYMENT, f"{CONTAINER}.resources.limits.memory", DROP, "limits.memory"),
    ("pinned-images", DEPLOYMENT, f"{CONTAINER}.image", "vllm/vllm-openai:latest", "vllm/vllm-openai:latest"),
    ("pinned-images", DEPLOYMENT, f"{CONTAINER}.image", "vllm/vllm-openai", "digest or an exact tag"),
    ("no-plain-secrets", DEPLOYMENT, f"{CONTAINER}.env.0", {"name": "HF_TOKEN", "value": "x"}, "HF_TOKEN"),
    ("no-plain-secrets", DEPLOYMENT, f"{CONTAINER}.args.0", "--api-key=hf_" + "a" * 30, "args[0]"),
    (
        "no-plain-secrets",
        DEPLOYMENT,
        "metadata.annotations.note",
        "-----BEGIN RSA PRIVATE KEY-----",
        "annotations.note",
    ),
)


def edited(kind: str, path: str, value: Any) -> Resource:
    props = GOOD[kind]()
    at: Any = props
    steps: list[Any] = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in steps[:-1]:
        at = at[step] if isinstance(step, int) else at.setdefault(step, {})
    if value is DROP:
        del at[steps[-1]]
    else:
        at[steps[-1]] = value
    return Resource(kind, "it", props, protect=True, stack="dev")


def violations(rule: str, resource: Resource) -> list[str]:
    return [message for r in RESOURCE_RULES if r.name == rule for message in r.violations(resource)]


@pytest.mark.parametrize("kind", GOOD)
def test_what_is_right_passes_every_rule(kind: str) -> None:
    resource = Resource(kind, "it", GOOD[kind]())
    assert [message for rule in RESOURCE_RULES for message in rule.violations(resource)] == []


@pytest.mark.parametrize(("rule", "kind", "path", "value", "names"), BAD, ids=lambda v: v if isinstance(v, str) else "")
def test_each_policy_refuses_one_wrong_input(rule: str, kind: str, path: str, value: Any, names: str) -> None:
    found = violations(rule, edited(kind, path, value))
    assert len(found) == 1, found
    assert names in found[0]


@pytest.mark.parametrize("case", BAD, ids=lambda c: f"{c[0]}-{c[2]}")
def test_a_wrong_input_breaks_its_own_policy_alone(case: tuple[str, str, str, Any, str]) -> None:
    rule, kind, path, value, _ = case
    broken = {r.name for r in RESOURCE_RULES if list(r.violations(edited(kind, path, value)))}
    assert broken == {rule}


def test_every_rule_has_a_config_that_fails_it() -> None:
    stack_cases = {"cost-ceiling", "protect-on-prod"}
    token_cases = {"no-static-token"}
    assert {case[0] for case in BAD} | stack_cases | token_cases == set(ALL_NAMES)


def test_a_static_token_is_refused_and_exec_credentials_are_not() -> None:
    static = Resource(KUBERNETES_PROVIDER, "kubernetes", {"kubeconfig": KUBECONFIG})
    assert "static token" in violations("no-static-token", static)[0]
    own = Resource(KUBERNETES_PROVIDER, "kubernetes", {"kubeconfig": render_kubeconfig("one", "192.0.2.1", "Q0E=")})
    assert violations("no-static-token", own) == []
    lasting = Resource(SECRET, "token", {"type": "kubernetes.io/service-account-token"})
    assert "never ends" in violations("no-static-token", lasting)[0]


def test_a_secret_may_hold_a_credential() -> None:
    assert violations("no-plain-secrets", Resource(SECRET, "hf", {"stringData": {"k": "hf_" + "a" * 30}})) == []


@pytest.mark.parametrize(
    ("image", "pinned"),
    [
        (f"vllm/vllm-openai@{DIGEST}", True),
        ("docker.io/vllm/vllm-openai:v0.26.0", True),
        ("registry.local:5000/vllm:v0.26.0-cu129", True),
        ("registry.local:5000/vllm", False),
        ("vllm/vllm-openai:nightly", False),
        ("vllm/vllm-openai:v0.26", False),
        ("ghcr.io/huggingface/text-generation-inference:3", False),
        ("ghcr.io/huggingface/text-generation-inference:sha-1a2b3c4", True),
        ("vllm/vllm-openai@sha256:abc", False),
        ("us-docker.pkg.dev/deeplearning-platform-release/gcr.io/vllm-cu124.0-6.ubuntu2204.py310", True),
        ("us-docker.pkg.dev/someone-else/gcr.io/vllm-cu124.0-6.ubuntu2204.py310", False),
        ("", False),
    ],
)
def test_what_pins_an_image(image: str, pinned: bool) -> None:
    assert is_pinned(image) is pinned


# --- stacks ------------------------------------------------------------------------------------------------------


def rule_on_stack(name: str, resources: list[Resource], settings: Settings = Settings()) -> list[str]:  # noqa: B008
    return [message for rule in STACK_RULES if rule.name == name for message in rule.check(resources, settings)]


def on(stack: str, kind: str, props: dict[str, Any], *, protect: bool = True) -> Resource:
    return Resource(kind, f"{kind.rsplit(':', 1)[-1].lower()}", props, protect=protect, stack=stack)


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
    assert largest_cost([on("dev", NODE_POOL, pool)], Settings())[0] == pytest.approx(2 * 0.3406, abs=0.001)


def test_autopilot_costs_at_least_the_machines_of_its_pods() -> None:
    cluster = good_cluster() | {"enableAutopilot": True}
    deployment = good_deployment()
    deployment["spec"]["replicas"] = 3
    cost, _ = largest_cost([on("dev", CLUSTER, cluster), on("dev", DEPLOYMENT, deployment)], Settings())
    assert cost == pytest.approx(3 * 0.7068 + 0.10, abs=0.001)


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
    rendered = render_stack(load(stack, None))
    cloud = [
        Resource(r["type"], r["name"], r["inputs"], bool(r["options"].get("protect")), stack) for r in rendered.cloud
    ]
    return cloud + [Resource(_token(o), o["metadata"]["name"], o, stack=stack) for o in rendered.objects]


def _token(manifest: Mapping[str, Any]) -> str:
    version = manifest["apiVersion"]
    return f"kubernetes:{version if '/' in version else f'core/{version}'}:{manifest['kind']}"


@pytest.mark.parametrize("stack", STACKS)
def test_every_stack_passes_every_policy(stack: str) -> None:
    resources = rendered_resources(stack)
    assert any(resource.type == DEPLOYMENT for resource in resources)
    broken = [f"{rule.name}: {r.name}: {m}" for rule in RESOURCE_RULES for r in resources for m in rule.violations(r)]
    broken += [f"{rule.name}: {m}" for rule in STACK_RULES for m in rule.check(resources, Settings())]
    assert broken == []


# --- Pulumi's protocol -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def analyzer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[analyzer_pb2_grpc.AnalyzerStub]:
    """The pack as Pulumi starts it: a program that prints the port it serves on."""
    start = f"import runpy; runpy.run_path({str(project_root() / 'policy')!r}, run_name='__main__')"
    folder = tmp_path_factory.mktemp("elsewhere")
    process = subprocess.Popen([sys.executable, "-c", start], stdout=subprocess.PIPE, cwd=folder, text=True)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield analyzer_pb2_grpc.AnalyzerStub(channel)  # type: ignore[no-untyped-call]
    finally:
        process.terminate()
        process.wait(timeout=10)


def _request(resource: Resource) -> dict[str, Any]:
    properties = json_format.ParseDict(resource.props, struct_pb2.Struct())
    urn = f"urn:pulumi:{resource.stack}::gke-llm-serving::{resource.type}::{resource.name}"
    options = analyzer_pb2.AnalyzerResourceOptions(protect=resource.protect)
    return {"type": resource.type, "properties": properties, "urn": urn, "name": resource.name, "options": options}


def test_the_pack_announces_every_policy_as_mandatory(analyzer: Any) -> None:
    from google.protobuf import empty_pb2

    info = analyzer.GetAnalyzerInfo(empty_pb2.Empty(), timeout=30)
    assert info.name == "l4serve"
    assert [policy.name for policy in info.policies] == list(ALL_NAMES)
    assert {policy.enforcementLevel for policy in info.policies} == {analyzer_pb2.MANDATORY}


@pytest.mark.parametrize("case", BAD[:: len(BAD) // 6], ids=lambda c: c[0])
def test_the_protocol_reports_a_violation(analyzer: Any, case: tuple[str, str, str, Any, str]) -> None:
    rule, kind, path, value, names = case
    request = analyzer_pb2.AnalyzeRequest(**_request(edited(kind, path, value)))
    found = analyzer.Analyze(request, timeout=30).diagnostics
    assert [d.policyName for d in found] == [rule]
    assert names in found[0].message


def test_the_protocol_reports_the_stack_rules(analyzer: Any) -> None:
    pool = good_pool()
    pool["autoscaling"]["totalMaxNodeCount"] = 500
    resources = [on("prod", NODE_POOL, pool, protect=False)]
    request = analyzer_pb2.AnalyzeStackRequest(
        resources=[analyzer_pb2.AnalyzerResource(**_request(resource)) for resource in resources]
    )
    found = {d.policyName for d in analyzer.AnalyzeStack(request, timeout=30).diagnostics}
    assert found == {"cost-ceiling", "protect-on-prod"}


def test_an_input_that_is_unknown_in_a_preview_is_no_violation(analyzer: Any) -> None:
    pool = copy.deepcopy(good_pool())
    pool["nodeConfig"]["serviceAccount"] = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    request = analyzer_pb2.AnalyzeRequest(**_request(Resource(NODE_POOL, "l4", pool, True, "dev")))
    found = analyzer.Analyze(request, timeout=30).diagnostics
    assert {d.enforcementLevel for d in found} <= {analyzer_pb2.ADVISORY}


def test_importing_the_rules_loads_no_cloud_sdk() -> None:
    check = "import sys, policy.rules; assert not {'pulumi', 'pulumi_gcp', 'pulumi_policy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True, cwd=Path(project_root()))
