"""`l4serve render` of the ways to get a cluster and GPUs that no committed stack takes, and the policies on them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from l4serve.cli.app import app
from l4serve.cli.commands.render_command import render_stack
from l4serve.config.stack_file import read_stack_file
from policy.all_rules import RESOURCE_RULES
from policy.model import Resource, Settings
from policy.stack_rules import STACK_RULES

STACKS = Path(__file__).parents[2] / "data" / "stacks"
NAMES = sorted(path.name.split(".")[1] for path in STACKS.glob("Pulumi.*.yaml"))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_way_renders(name: str, tmp_path: Path) -> None:
    file, out = STACKS / f"Pulumi.{name}.yaml", tmp_path / "out"
    result = CliRunner().invoke(app, ["render", "-f", str(file), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert list(out.glob("*-deployment-*.yaml"))
    assert json.loads((out / "cloud.json").read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["autopilot", "models"])
def test_a_cluster_that_is_made_and_its_pools_pass_the_policies(name: str) -> None:
    rendered = render_stack(read_stack_file(STACKS / f"Pulumi.{name}.yaml"))
    settings = Settings(max_usd_per_hour=50, prices={"g2-standard-8": 0.9})
    made = [Resource(r["type"], r["name"], r["inputs"], stack=name) for r in rendered.cloud]
    broken = [f"{rule.name}: {r.name}: {said}" for rule in RESOURCE_RULES for r in made for said in rule.violations(r)]
    broken += [f"{rule.name}: {said}" for rule in STACK_RULES for said in rule.check(made, settings)]
    assert broken == []


@pytest.mark.slow
def test_the_token_comes_from_secret_manager_through_an_identity_of_its_own() -> None:
    rendered = render_stack(read_stack_file(STACKS / "Pulumi.models.yaml"))
    (access,) = (r for r in rendered.cloud if r["type"] == "gcp:secretmanager/secretIamMember:SecretIamMember")
    assert access["inputs"]["member"].endswith(
        "/workloadIdentityPools/my-project.svc.id.goog/subject/ns/llm-serving/sa/hf-secret-reader"
    )
    assert {o["kind"] for o in rendered.objects} >= {"SecretProviderClass", "SecretSync", "ComputeClass"}
