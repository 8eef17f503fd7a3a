"""The plan as people and as machines read it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from l4serve.cli.app import app
from tests import factories
from tests.config.wrong_configs import GOOD
from tests.stack_cases import STACKS, planned

EACH = pytest.mark.parametrize("stack", STACKS)
LONG = "w" + "-x" * 19 + "y"


def run(*arguments: str, columns: int = 80) -> Any:
    result = CliRunner().invoke(app, ["plan", *arguments], env={"COLUMNS": str(columns), "NO_COLOR": "1"})
    assert result.exit_code == 0, result.output
    return result


@EACH
def test_eighty_columns_cut_nothing(stack: str) -> None:
    lines = run("-s", stack, "--edits").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    for workload in planned(stack).workloads:
        fit = workload.judgement.fit
        assert fit is not None
        assert any(f" weights {fit.weights_gib:.1f} GiB" in line for line in lines)
    rows = [line for line in lines if line.startswith(("│", "┃"))]
    assert all(line.rstrip().endswith(("│", "┃")) for line in rows)


def test_long_names_stay_whole(tmp_path: Path) -> None:
    serving = GOOD | {
        "nodePools": {"p" * 32: GOOD["nodePools"]["l4"]},
        "workloads": {LONG: GOOD["workloads"]["qwen"] | {"nodePool": "p" * 32}},
    }
    file = tmp_path / "Pulumi.test.yaml"
    file.write_text(yaml.safe_dump({"config": {"gke-llm-serving:serving": serving}}), encoding="utf-8")
    lines = run("-f", str(file)).stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert {LONG, "p" * 32} <= {word for line in lines for word in line.split()}


@EACH
def test_json_has_what_machines_read(stack: str) -> None:
    result = run("-s", stack, "--json")
    document = json.loads(result.stdout)
    assert {"workloads", "nodePools", "cluster"} <= document.keys()
    keys = {"argv", "env", "image", "resources", "gpus", "nodePool", "replicas", "modelId"}
    for workload in planned(stack).workloads:
        entry = document["workloads"][workload.name]
        assert keys <= entry.keys()
        assert entry["argv"] == list(workload.engine.argv)
        assert entry["gpus"] == workload.layout.gpus
        assert entry["modelId"] == workload.model.id
    assert "\x1b" not in result.stdout


def test_a_compute_class_is_named_where_its_pods_go() -> None:
    rows = run("-f", "tests/data/stacks/Pulumi.models.yaml").stdout.splitlines()
    assert any(row.strip("│ ").startswith("class l4") for row in rows)


def test_the_cost_says_what_its_figures_leave_out() -> None:
    said = " ".join(run("-f", "tests/data/stacks/Pulumi.autopilot.yaml").stdout.split())
    assert "workloads.by-accelerator (g2-standard-24, on-demand): a lower bound: Autopilot adds a premium" in said
    said = " ".join(run("-f", "tests/data/stacks/Pulumi.models.yaml").stdout.split())
    assert "nodePools.first (g2-standard-8, on-demand): reserved machines are billed whether nodes run or not" in said


def test_the_least_says_that_no_pod_runs(tmp_path: Path) -> None:
    def told(least: int) -> bool:
        chat = factories.workload(autoscaling={"minReplicas": 2, "maxReplicas": 3})
        pools = {"l4": {**factories.POOL, "minNodes": least}}
        file = factories.write_stack(tmp_path, factories.serving({"chat": chat}, pools=pools))
        return "the least is the cost while no pod runs" in " ".join(run("-f", str(file)).stdout.split())

    assert told(0)
    assert not told(2), "the pool keeps what the pods take"


def test_edits_say_when_some_values_do_more() -> None:
    lines = run("-f", "tests/data/stacks/Pulumi.models.yaml", "--edits").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)
    assert "another number of GPUs per node replaces the pool" in " ".join(" ".join(lines).split())


def test_two_plans_in_markdown_are_two_blocks() -> None:
    """As a CI job writes them into one summary: a fence that the next one touches closes nothing."""
    lines = (run("-s", "dev", "--markdown").stdout * 2).splitlines()
    assert [line for line in lines if line.startswith("```")] == ["```text", "```"] * 2


def test_what_speeds_take_for_granted_stands_below_them() -> None:
    said = " ".join(run("-f", "examples/Pulumi.lora.yaml").stdout.split())
    assert "base: requests are taken to name an adapter each" in said
    assert "an adapter each" not in run("-s", "dev").stdout


@pytest.mark.parametrize(("places", "medians"), [(256, False), (512, True)])
def test_the_lengths_of_a_crowd_are_shown_as_medians(tmp_path: Path, places: int, medians: bool) -> None:
    engine = {"kind": "vllm", "version": "0.26.0", "maxModelLen": 8192, "maxNumSeqs": places}
    serving = {
        "cluster": {"mode": "existing"},
        "nodePools": {"h100": {"machineType": "a3-highgpu-1g", "maxNodes": 1}},
        "workloads": {"qwen": {"model": {"id": "Qwen/Qwen3-4B"}, "engine": engine}},
    }
    file = tmp_path / "Pulumi.crowd.yaml"
    file.write_text(yaml.safe_dump({"config": {"gke-llm-serving:serving": serving}}))
    row = next(line for line in run("-f", str(file), columns=120).stdout.splitlines() if "256 out" in line)
    assert str(places) in row
    assert ("512 in, 256 out (medians)" in row) == medians


def test_a_stack_without_workloads_says_so_in_place_of_empty_tables(tmp_path: Path) -> None:
    serving = {"cluster": {"mode": "standard", "name": "llm", "location": "us-central1-a"}}
    file = tmp_path / "Pulumi.bare.yaml"
    file.write_text(yaml.safe_dump({"config": {"gcp:project": "my-project", "gke-llm-serving:serving": serving}}))
    told = run("-f", str(file)).stdout
    assert "no workloads: the stack serves no model" in told
    assert "tokens/s" not in told and "memory per GPU" not in told


@pytest.mark.parametrize(("model", "said"), [("llama3", True), ("gpt-4", True), ("my-org/my-model", False)])
def test_a_model_without_an_owner_is_told_how_the_hub_names_models(tmp_path: Path, model: str, said: bool) -> None:
    workload = GOOD["workloads"]["qwen"] | {"model": {"id": model}}
    file = tmp_path / "Pulumi.owner.yaml"
    serving = GOOD | {"workloads": {"qwen": workload}}
    file.write_text(yaml.safe_dump({"config": {"gcp:project": "my-project", "gke-llm-serving:serving": serving}}))
    notes = " ".join(run("-f", str(file)).stderr.split())
    assert "so its memory is not judged; " in notes
    assert ("most ids of the Hub are owner/name" in notes) == said
