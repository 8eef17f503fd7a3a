"""l4serve shapes: the same numbers that planning uses, in a table and as JSON, and readable refusals."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from l4serve.cli.app import app
from l4serve.planning.machines.allocatable import allocatable, pod_capacity
from l4serve.planning.machines.shapes import all_shapes
from tests import factories


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["shapes", *arguments])


def data(*arguments: str) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    parsed: dict[str, Any] = json.loads(result.stdout)
    return parsed


def test_every_shape_is_listed_with_the_numbers_of_planning() -> None:
    listed = {row["machineType"]: row for row in data()["shapes"]}
    assert list(listed) == [shape.machine_type for shape in all_shapes("nvidia-l4")]
    for shape in all_shapes("nvidia-l4"):
        row = listed[shape.machine_type]
        node = allocatable(shape, boot_disk_gib=100)
        assert row["allocatable"]["cpuMillis"] == node.cpu_millis
        assert row["allocatable"]["memoryBytes"] == node.memory_bytes
        assert [pod["gpus"] for pod in row["podMayAsk"]] == [n for n in (1, 2, 4, 8) if n <= shape.gpus]
        for pod in row["podMayAsk"]:
            assert pod["memoryBytes"] == pod_capacity(shape, pod["gpus"], boot_disk_gib=100).memory_bytes
        assert row["fit"] is None


def test_prices_name_their_region_and_date() -> None:
    answer = data("--region", "europe-west4")
    assert answer["region"] == "europe-west4"
    for row in answer["shapes"]:
        assert row["spot"]["usdPerHour"] < row["onDemand"]["usdPerHour"]
        assert (row["spot"]["region"], bool(row["spot"]["date"])) == ("europe-west4", True)


def test_a_described_pod_shows_what_it_strands_and_the_cheapest_machine() -> None:
    rows = {r["machineType"]: r for r in data("--gpus", "1", "--memory", "60Gi")["shapes"]}
    assert rows["g2-standard-8"]["fit"] == {"podsPerNode": 0, "gpusStranded": 1}
    assert rows["g2-standard-24"]["fit"] == {"podsPerNode": 1, "gpusStranded": 1}
    assert [name for name, row in rows.items() if row["cheapest"]] == ["g2-standard-32"]


def test_a_workload_of_a_stack_is_placed_with_its_planned_requests() -> None:
    answer = data("-w", "qwen-14b", "-s", "prod")
    assert answer["pod"]["gpus"] == 2
    assert answer["region"] == "us-central1"
    (best,) = (row for row in answer["shapes"] if row["cheapest"])
    assert best["machineType"] == "g2-standard-24"
    assert best["fit"] == {"podsPerNode": 1, "gpusStranded": 0}


def test_prices_of_the_stack_are_used(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.own.yaml"
    file.write_text(
        """config:
  gcp:project: my-project
  gke-llm-serving:serving:
    cluster: {mode: standard, name: one, location: us-central1}
    nodePools: {l4: {machineType: g2-standard-8}}
    workloads: {w: {model: {id: Qwen/Qwen2.5-7B-Instruct}, engine: {kind: vllm, version: 0.26.0, maxModelLen: 4096}}}
    prices: {onDemand: {g2-standard-8: 0.123}}
""",
        encoding="utf-8",
    )
    rows = {r["machineType"]: r for r in data("-w", "w", "-f", str(file))["shapes"]}
    assert rows["g2-standard-8"]["onDemand"]["usdPerHour"] == 0.123
    assert rows["g2-standard-8"]["cheapest"]


def test_the_table_shows_machines_prices_and_source() -> None:
    result = CliRunner(env={"COLUMNS": "80"}).invoke(app, ["shapes", "--gpus", "2"])
    assert result.exit_code == 0
    for shown in ("g2-standard-24", "2.00 / 1.12", "us-central1", "no fit", "cheapest for 1 of them: g2-standard-24"):
        assert shown in result.output


def test_an_unknown_region_has_no_prices_and_says_which_do() -> None:
    result = run("--region", "africa-south1")
    assert result.exit_code == 0
    assert "No price is known for africa-south1" in result.output
    assert "us-central1" in result.output
    assert data("--region", "africa-south1")["shapes"][0]["onDemand"] is None
    assert "…" not in run("--region", "africa-south1", "--gpus", "1").output


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--accelerator", "nvidia-h900"], "nvidia-l4"),
        (["--memory", "25Gi"], "--gpus"),
        (["--gpus", "1", "--memory", "lots"], "not a Kubernetes quantity"),
        (["-s", "prod"], "--workload"),
        (["-w", "qwen-7b", "-s", "prod", "--gpus", "1"], "either"),
        (["-w", "nobody", "-s", "prod"], "qwen-7b"),
        (["-w", "qwen-7b"], "-s STACK"),
    ],
)
def test_bad_input_is_refused_in_one_readable_line(arguments: list[str], names: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert names in result.output
    assert "Traceback" not in result.output


def test_a_larger_disk_leaves_more_for_pods() -> None:
    small, large = (data("--disk", size)["shapes"][0]["allocatable"] for size in ("100", "500"))
    assert large["ephemeralStorageBytes"] > 5 * small["ephemeralStorageBytes"]


def test_a_stack_that_is_refused_names_file_and_line(tmp_path: Path) -> None:
    file = factories.write_stack(tmp_path, factories.serving({"q": factories.workload("Qwen/Qwen2.5-32B-Instruct")}))
    result = run("-f", str(file), "-w", "q")
    assert result.exit_code == 2
    assert re.match(rf"error: {re.escape(str(file))}:\d+: workloads\.q\.", result.stderr)
