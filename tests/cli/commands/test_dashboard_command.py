"""`l4serve dashboard` prints what the program would make, and renders with it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from l4serve.cli.app import app
from l4serve.cli.commands.render_command import render_stack
from l4serve.config.stack_file import read_stack_file
from tests.stack_cases import STACKS

STACK = """
config:
  gcp:project: my-project
  gke-llm-serving:serving:
    cluster: {mode: standard, name: llm, location: us-central1-a}
    nodePools: {l4: {machineType: g2-standard-8, maxNodes: 3}}
    monitoring: {dashboard: true}
    workloads:
      qwen:
        model: {id: Qwen/Qwen2.5-1.5B-Instruct}
        engine: {kind: vllm, version: 0.26.0, maxModelLen: 8192}
        autoscaling: {maxReplicas: 3}
"""


@pytest.mark.parametrize("stack", STACKS)
def test_every_stack_has_a_dashboard_to_print(stack: str) -> None:
    result = CliRunner().invoke(app, ["dashboard", "-s", stack])
    assert result.exit_code == 0, result.output
    assert len(json.loads(result.stdout)["mosaicLayout"]["tiles"]) >= 4


@pytest.mark.slow
def test_the_program_makes_what_is_printed(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.watched.yaml"
    file.write_text(STACK, encoding="utf-8")
    printed = CliRunner().invoke(app, ["dashboard", "-f", str(file)])
    rendered = render_stack(read_stack_file(file))
    (made,) = [r for r in rendered.cloud if r["type"] == "gcp:monitoring/dashboard:Dashboard"]
    assert json.loads(made["inputs"]["dashboardJson"]) == json.loads(printed.stdout)
    kinds = [manifest["kind"] for manifest in rendered.objects]
    assert kinds.index("Deployment") < kinds.index("HorizontalPodAutoscaler")
    assert "PodMonitoring" in kinds
    assert "custom-metrics-stackdriver-adapter" in printed.stderr
