"""Each stack on Google Cloud, in a preview with Google's real provider, which holds every input to its schemas."""

import shutil
from pathlib import Path

import pytest
import yaml

from l4serve.cli.commands.render_command import render_stack
from l4serve.config.stack_file import TOKEN_KEY, Stack, parse_stack
from tests.factories import AUTOPILOT, SECRET_MARK, loaded, serving, workload
from tests.pulumi_cli.engine import Step
from tests.pulumi_cli.google_previews import google_engine, path_with_google, resources_in, resources_of
from tests.sandbox.test_every_option import every_option
from tests.stack_cases import ROOT

pytestmark = [
    pytest.mark.pulumi_cli,
    pytest.mark.google_provider,
    pytest.mark.timeout(900, func_only=True),
]


def of_file(file: Path) -> Stack:
    """A committed stack with a token."""
    config = yaml.safe_load(file.read_text("utf-8"))["config"]
    return parse_stack(file.name.split(".")[1], {**config, TOKEN_KEY: SECRET_MARK}, base=file.parent)


EVERY_KIND = {
    *("Account", "Address", "AlertPolicy", "BucketIAMMember", "Cluster", "Dashboard", "Disk", "IAMMember", "Image"),
    *("Network", "NodePool", "Router", "RouterNat", "RouterNatAddress", "SecretIamMember", "Service", "Subnetwork"),
}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    return path_with_google(tmp_path_factory.mktemp("google"))


def every_kind() -> Stack:
    monitoring = {"alerts": {"via": "policies"}, "dashboard": True}
    return loaded({**every_option(), "monitoring": monitoring}, has_token=True, name="every-kind")


def autopilot() -> Stack:
    """Nodes that nobody plans, and a token that Secret Manager hands out."""
    token = {"secretManager": {"secret": "hf-token"}}
    made = serving({"qwen": workload()}, cluster={**AUTOPILOT, "secretManager": True}, huggingFace=token)
    return loaded(made, has_token=True, name="autopilot")


FILES = sorted([*ROOT.glob("Pulumi.*.yaml"), *(ROOT / "examples").glob("Pulumi.*.yaml")])
COMMITTED = [stack for stack in map(of_file, FILES) if stack.config.cluster.mode != "existing"]
MADE = {stack.name: stack for stack in (*COMMITTED, every_kind(), autopilot())}


def previewed(folder: Path, path: str, stack: Stack) -> tuple[Step, ...]:
    if (stack.base / "models").is_dir():
        shutil.copytree(stack.base / "models", folder / "models")
    return google_engine(folder, stack.name, path, stack.serving).preview().steps


@pytest.mark.parametrize("name", MADE)
def test_a_preview_makes_what_the_plan_makes(name: str, path: str, tmp_path: Path) -> None:
    steps = previewed(tmp_path, path, MADE[name])
    assert {step.op for step in steps} == {"create"}
    assert resources_in(steps) == resources_of(render_stack(MADE[name]))


def test_every_kind_of_cloud_resource_is_among_them(path: str, tmp_path: Path) -> None:
    steps = previewed(tmp_path, path, MADE["every-kind"])
    assert {step.kind for step in steps if step.package == "gcp"} == EVERY_KIND
