"""Each policy refuses what it must, and nothing else."""

import re
import subprocess
import sys
from typing import Any

import pytest
import yaml

from l4serve.cli.project import project_root
from l4serve.planning.gke.kubeconfig import render_kubeconfig
from policy.all_rules import ALL_NAMES, RESOURCE_RULES
from policy.model import KUBERNETES_PROVIDER, NODE_POOL, SECRET, Resource
from policy.workload_rules import is_pinned
from tests.each_case import each
from tests.policy.cases import BAD, DIGEST, GOOD, KUBECONFIG, edited


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


@each(BAD, lambda c: f"{c[0]}-{c[2]}")
def test_a_wrong_input_breaks_its_own_policy_alone(case: tuple[str, str, str, Any, str]) -> None:
    rule, kind, path, value, _ = case
    broken = {r.name for r in RESOURCE_RULES if list(r.violations(edited(kind, path, value)))}
    assert broken == {rule}


def test_every_rule_has_a_config_that_fails_it() -> None:
    stack_cases = {"cost-ceiling", "protect-on-prod", "public-endpoints-have-keys"}
    token_cases = {"no-static-token"}
    assert {case[0] for case in BAD} | stack_cases | token_cases == set(ALL_NAMES)


def test_a_flex_start_pool_needs_no_repair() -> None:
    pool = edited(NODE_POOL, "management.autoRepair", False)
    config = {**pool.props["nodeConfig"], "flexStart": True}
    assert violations("repaired-nodes", Resource(NODE_POOL, "it", {**pool.props, "nodeConfig": config})) == []


CHECKOV = yaml.safe_load((project_root() / "policy" / "data" / "checkov.yaml").read_text("utf-8"))["checks"]


def test_every_check_of_checkov_has_a_rule_or_a_reason() -> None:
    """24 checks of clusters and node pools, and two graphs, as of the commit that the data names."""
    assert len(CHECKOV) == 26
    for check, row in CHECKOV.items():
        assert ("rule" in row) != ("left" in row), check
        assert row.get("rule", ALL_NAMES[0]) in ALL_NAMES, check


def test_the_decision_shows_what_answers_checkov_and_every_rule() -> None:
    page = (project_root() / "docs" / "decisions" / "policies.md").read_text("utf-8")
    for check, row in CHECKOV.items():
        answer = f"`{row['rule']}`" if "rule" in row else f"left out: {row['left']}"
        assert f"| {check} | {row['asks']} | {answer} |" in page
    assert set(re.findall(r"^\| ([a-z-]+) \| ", page, re.MULTILINE)) - {"policy", "check"} == set(ALL_NAMES)


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


@pytest.mark.slow
def test_importing_the_rules_loads_no_cloud_sdk() -> None:
    check = "import sys, policy.all_rules; assert not {'pulumi', 'pulumi_gcp', 'pulumi_policy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True, cwd=project_root())
