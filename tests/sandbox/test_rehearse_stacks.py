"""Every committed stack, rehearsed by the command that a person runs."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from l4serve.cli.app import app
from l4serve.config.stack_file import read_stack_file
from l4serve.sandbox.lifecycle import find_kept, take_down
from tests import factories
from tests.engines import engine_rows
from tests.json_forms import faults
from tests.planning import accelerator_rows

pytestmark = pytest.mark.timeout(300, func_only=True)

ROOT = Path(__file__).parents[2]
KEPT = "guide"
"""The stack whose sandbox stays for a while."""
STACKS = sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))


@pytest.fixture(autouse=True)
def project(monkeypatch: pytest.MonkeyPatch, state_dir: Path) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.sandbox
@pytest.mark.parametrize("stack", sorted({*STACKS} - {KEPT}))
def test_every_pod_of_a_committed_stack_runs(stack: str) -> None:
    result = CliRunner().invoke(app, ["rehearse", "-s", stack, "--json"])
    assert result.exit_code == 0, result.output
    rehearsal = json.loads(result.stdout)
    assert rehearsal["ok"]
    assert faults("rehearse", rehearsal) == []
    assert rehearsal["pods"]
    assert {pod["phase"] for pod in rehearsal["pods"]} == {"Running"}
    assert all(pod["machineType"].startswith("g2-standard-") for pod in rehearsal["pods"])


@pytest.mark.sandbox
@pytest.mark.parametrize(("name", "pods"), [("models", 5), ("autopilot", 2)])
def test_pods_run_on_every_provisioning_model_and_on_autopilot(name: str, pods: int) -> None:
    result = CliRunner().invoke(app, ["rehearse", "-f", f"tests/data/stacks/Pulumi.{name}.yaml", "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)["pods"]
    assert [pod["phase"] for pod in found] == ["Running"] * pods
    if name == "models":
        pools = {pod["pod"].rpartition("-")[0].rpartition("-")[0]: pod["node"].split("-")[0] for pod in found}
        assert pools.pop("in-order") in {"first", "second", "third"}
        assert pools == {
            "on-demand": "demand",
            "on-spot": "spot",
            "on-flex-start": "flex",
            "on-reservation": "reserved",
        }


MACHINES = {"g4": "g4-standard-48", "a2": "a2-ultragpu-1g", "a3": "a3-highgpu-1g", "t4": "n1-standard-8"}


@pytest.mark.sandbox
def test_pods_run_on_the_accelerators_after_the_l4(tmp_path: Path) -> None:
    """The stack files of each, as one stack."""
    pools: dict[str, Any] = {}
    workloads: dict[str, Any] = {}
    for name in MACHINES:
        serving = read_stack_file(ROOT / "tests" / "data" / "stacks" / f"Pulumi.{name}.yaml").serving
        pools |= serving["nodePools"]
        workloads |= {name: serving["workloads"]["qwen"]}
    stack = factories.write_stack(tmp_path, factories.serving(workloads, cluster=factories.STANDARD, pools=pools))
    result = CliRunner().invoke(app, ["rehearse", "-f", str(stack), "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)["pods"]
    assert {pod["pod"].split("-")[0]: pod["machineType"] for pod in found} == MACHINES
    assert {pod["phase"] for pod in found} == {"Running"}


@pytest.mark.sandbox
def test_pods_run_on_an_accelerator_that_rows_alone_added(tmp_path: Path) -> None:
    pools = {"x": {"machineType": accelerator_rows.MACHINE}}
    values = factories.serving(cluster=factories.STANDARD, pools=pools)
    with accelerator_rows.added_rows(accelerator_rows.ROWS):
        result = CliRunner().invoke(app, ["rehearse", "-f", str(factories.write_stack(tmp_path, values)), "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)["pods"]
    assert [(pod["phase"], pod["machineType"]) for pod in found] == [("Running", accelerator_rows.MACHINE)]


@pytest.mark.sandbox
def test_pods_run_with_an_engine_that_rows_alone_added(tmp_path: Path) -> None:
    with engine_rows.added_engine(tmp_path):
        stack = factories.write_stack(tmp_path, engine_rows.octo_stack(maxModelLen=8192))
        result = CliRunner().invoke(app, ["rehearse", "-f", str(stack), "--json"])
    assert result.exit_code == 0, result.output
    assert [pod["phase"] for pod in json.loads(result.stdout)["pods"]] == ["Running"]


@pytest.mark.sandbox
def test_the_guide_is_kept_until_it_is_taken_down() -> None:
    runner = CliRunner()
    try:
        result = runner.invoke(app, ["rehearse", "-s", KEPT, "--keep"])
        assert result.exit_code == 0, result.output
        kept = find_kept()
        assert kept is not None
        assert kept.is_running
        assert f"export KUBECONFIG={kept.kubeconfig}" in result.stdout
        assert "7 of 7 pods run" in result.stdout
        assert runner.invoke(app, ["sandbox", "down"]).stdout == "The sandbox is down.\n"
    finally:
        take_down()
    assert find_kept() is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-s", "absent"], "does not exist"),
        ([], "name one stack"),
        (["-s", "dev", "-f", "Pulumi.dev.yaml"], "name one stack"),
    ],
)
def test_a_stack_that_cannot_be_had_is_refused_before_anything_starts(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(app, ["rehearse", *arguments])
    assert result.exit_code == 2
    assert said in result.output
    assert "Traceback" not in result.output


def test_a_refused_config_exits_2_with_its_path(tmp_path: Path, state_dir: Path) -> None:
    file = tmp_path / "Pulumi.wrong.yaml"
    file.write_text((ROOT / "Pulumi.dev.yaml").read_text(encoding="utf-8").replace("maxModelLen", "maxModelLenn"))
    result = CliRunner().invoke(app, ["rehearse", "-f", str(file)])
    assert result.exit_code == 2
    assert "maxModelLenn" in result.output
    assert not state_dir.exists()
