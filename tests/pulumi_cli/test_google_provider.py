"""Each stack on Google Cloud, in a preview with Google's real provider, which holds every input to its schemas."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from l4serve.cli.render_command import render_stack
from tests.factories import AUTOPILOT, loaded, serving, workload
from tests.pulumi_cli.engine import Step
from tests.pulumi_cli.google_previews import google_engine, path_with_google, resources_in, resources_of
from tests.sandbox.test_every_option import every_option
from tests.stack_cases import ROOT, STACKS

pytestmark = [
    pytest.mark.pulumi_cli,
    pytest.mark.google_provider,
    pytest.mark.timeout(900, func_only=True),
]


def serving_of(stack: str) -> dict[str, Any]:
    document = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text("utf-8"))
    return document["config"]["gke-llm-serving:serving"]


CLOUD = [stack for stack in STACKS if serving_of(stack)["cluster"]["mode"] != "existing"]
EVERY_KIND = {
    *("Account", "Address", "AlertPolicy", "BucketIAMMember", "Cluster", "Dashboard", "Disk", "IAMMember", "Image"),
    *("Network", "NodePool", "Router", "RouterNat", "RouterNatAddress", "SecretIamMember", "Service", "Subnetwork"),
}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    return path_with_google(tmp_path_factory.mktemp("google"))


def every_kind() -> dict[str, Any]:
    return {**every_option(), "monitoring": {"alerts": {"via": "policies"}, "dashboard": True}}


def autopilot() -> dict[str, Any]:
    """Nodes that nobody plans, and a token that Secret Manager hands out."""
    workloads = {"qwen": workload()}
    token = {"secretManager": {"secret": "hf-token"}}
    return serving(workloads, cluster={**AUTOPILOT, "secretManager": True}, huggingFace=token)


MADE = {**{stack: serving_of(stack) for stack in CLOUD}, "every-kind": every_kind(), "autopilot": autopilot()}


def previewed(folder: Path, path: str, name: str) -> tuple[Step, ...]:
    return google_engine(folder, name, path, MADE[name]).preview().steps


@pytest.mark.parametrize("stack", MADE)
def test_a_preview_makes_what_the_plan_makes(stack: str, path: str, tmp_path: Path) -> None:
    steps = previewed(tmp_path, path, stack)
    assert {step.op for step in steps} == {"create"}
    assert resources_in(steps) == resources_of(render_stack(loaded(MADE[stack], has_token=True, name=stack)))


def test_every_kind_of_cloud_resource_is_among_them(path: str, tmp_path: Path) -> None:
    steps = previewed(tmp_path, path, "every-kind")
    assert {step.kind for step in steps if step.package == "gcp"} == EVERY_KIND
