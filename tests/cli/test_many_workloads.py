"""A stack of very many workloads is planned and told in bounded time: in lines, and without the speed of each."""

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from l4serve.cli.app import app
from l4serve.config.refusals.problems import ConfigError
from l4serve.config.stack_file import SERVING_KEY, parse_stack
from l4serve.engines.arguments import checking
from l4serve.planning.packing.placement import PodRequest
from l4serve.planning.stack import node_counts, planned_pods
from l4serve.planning.stack.room import pods_of
from l4serve.planning.stack.stack_planner import plan_stack
from l4serve.planning.workload.judgement.prospect import MOST_TOLD, UNTOLD
from l4serve.planning.workload.workload_plan import WorkloadPlan

COUNT = MOST_TOLD + 1
MOST_ENTRIES = 1000


def stack_file(folder: Path, count: int, **engine: Any) -> Path:
    chosen = {"kind": "vllm", "version": "0.26.0", "maxModelLen": 2048, **engine}
    serving = {
        "cluster": {"mode": "standard", "name": "llm", "location": "us-central1-a", "network": "default"},
        "nodePools": {"l4": {"machineType": "g2-standard-8", "maxNodes": 900}},
        "workloads": {f"w{number}": {"model": {"id": "google/gemma-7b"}, "engine": chosen} for number in range(count)},
    }
    file = folder / "Pulumi.many.yaml"
    file.write_text(yaml.safe_dump({"config": {"gcp:project": "my-project", "gke-llm-serving:serving": serving}}))
    return file


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "80", "NO_COLOR": "1"})


def test_each_workload_has_its_line(tmp_path: Path) -> None:
    told = run("plan", "-f", str(stack_file(tmp_path, COUNT))).stdout
    assert "w50, vllm 0.26.0, google/gemma-7b, 1 x 1 GPU on l4, fits" in told.splitlines()
    assert "first token" not in told


def test_json_says_why_no_speed_is_worked_out(tmp_path: Path) -> None:
    document = json.loads(run("plan", "--json", "-f", str(stack_file(tmp_path, COUNT))).stdout)
    user = document["workloads"]["w0"]["speed"]["oneUser"]
    assert user["notJudged"] == [UNTOLD]
    assert user["outputTokensPerSecond"] is None


def test_one_workload_fewer_gets_its_speed(tmp_path: Path) -> None:
    document = json.loads(run("plan", "--json", "-f", str(stack_file(tmp_path, MOST_TOLD))).stdout)
    assert document["workloads"]["w0"]["speed"]["oneUser"]["outputTokensPerSecond"] > 0


@pytest.mark.slow
@pytest.mark.parametrize(("length", "outcome"), [(2048, "runs"), (8192, "breaks")])
def test_check_has_tables_for_the_first_and_lines_for_the_rest(tmp_path: Path, length: int, outcome: str) -> None:
    told = run("check", "-f", str(stack_file(tmp_path, COUNT, maxModelLen=length, maxNumSeqs=256))).stdout.splitlines()
    assert f"w{MOST_TOLD}: vllm 0.26.0 {outcome}" in told
    assert sum(line.startswith("│ memory") for line in told) == MOST_TOLD


@pytest.mark.slow
def test_refusals_end_after_a_hundred(tmp_path: Path) -> None:
    refused = run("plan", "-f", str(stack_file(tmp_path, 120, maxModelLen=8192, maxNumSeqs=256)))
    assert refused.exit_code == 2
    assert refused.stderr.count("does not fit its GPU") == 100
    assert "more problems follow" in refused.stderr


def test_a_review_of_very_many_asks_for_one(tmp_path: Path) -> None:
    file = str(stack_file(tmp_path, COUNT))
    refused = run("advise", "-f", file)
    assert refused.exit_code == 2
    assert "--workload" in refused.stderr
    assert run("advise", "-f", file, "--workload", "w7").exit_code == 0


def test_a_mapping_has_a_bounded_number_of_entries(tmp_path: Path) -> None:
    refused = run("plan", "-f", str(stack_file(tmp_path, MOST_ENTRIES + 1)))
    assert refused.exit_code == 2
    assert f"more than {MOST_ENTRIES} entries" in refused.stderr
    json_object = json.dumps({"workloads": {str(n): {} for n in range(MOST_ENTRIES + 1)}})
    with pytest.raises(ConfigError, match=f"more than {MOST_ENTRIES} entries"):
        parse_stack("x", {SERVING_KEY: json_object}, base=tmp_path)


@pytest.mark.parametrize("command", ["plan", "check"])
def test_a_stack_without_workloads_is_no_fault(tmp_path: Path, command: str) -> None:
    assert run(command, "-f", str(stack_file(tmp_path, 0))).exit_code == 0


def asked_pods(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The workloads whose pods a module asks for from now on, as often as it does."""
    asked: list[str] = []

    def told(plan: WorkloadPlan) -> PodRequest:
        asked.append(plan.name)
        return pods_of(plan)

    monkeypatch.setattr(module, "pods_of", told)
    return asked


def test_pods_are_asked_once_for_all_pools_of_a_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = asked_pods(node_counts, monkeypatch)
    serving = {
        "cluster": {"mode": "standard", "name": "llm", "location": "us-central1-a"},
        "nodePools": {f"p{number}": {"machineType": "g2-standard-8", "maxNodes": 9} for number in range(20)},
        "workloads": {
            f"w{number}": {
                "model": {"id": "google/gemma-7b"}, "nodePool": f"p{number}",
                "engine": {"kind": "vllm", "version": "0.26.0", "maxModelLen": 2048},
            }
            for number in range(20)
        },
    }  # fmt: skip
    plan_stack(parse_stack("x", {"gcp:project": "my-project", SERVING_KEY: serving}, base=tmp_path))
    assert 20 <= len(asked) <= 10 * 20


def test_a_difference_packs_each_of_its_plans_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = asked_pods(planned_pods, monkeypatch)
    sides = [tmp_path / "before", tmp_path / "after"]
    for side, length in zip(sides, (2048, 1024), strict=True):
        side.mkdir()
        stack_file(side, 20, maxModelLen=length)
    files = [str(side / "Pulumi.many.yaml") for side in sides]
    assert run("diff", "--json", "--from", files[0], "--to", files[1]).exit_code == 0
    assert len(asked) == 2 * 20


def test_a_search_asks_once_what_a_variable_may_have_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def told(word: str, *_: Any, **__: Any) -> str:
        asked.append(word)
        return ""

    monkeypatch.setattr(checking, "did_you_mean", told)
    file = stack_file(tmp_path, 1)
    document = yaml.safe_load(file.read_text())
    workload = document["config"][SERVING_KEY]["workloads"]["w0"]
    workload["extraEnv"] = {f"VLLM_OF_OURS_{number}": "x" for number in range(20)}
    file.write_text(yaml.safe_dump(document))
    assert run("advise", "-f", str(file), "--goal", "cost").exit_code == 0
    assert sorted(asked) == sorted(workload["extraEnv"])


@pytest.mark.parametrize("field", ["extraEnv", "env"])
def test_a_workload_has_a_bounded_number_of_variables(tmp_path: Path, field: str) -> None:
    workload = {
        "model": {"id": "google/gemma-7b"},
        "engine": {"kind": "vllm", "version": "0.26.0"},
        field: {f"A_{number}": "b" if field == "extraEnv" else {"secret": "s", "key": "k"} for number in range(201)},
    }
    serving = {"cluster": {"mode": "autopilot", "name": "llm", "location": "us-central1"}, "workloads": {"a": workload}}
    with pytest.raises(ConfigError, match=f"workloads.a.{field}: it has more than 200 entries"):
        parse_stack("x", {SERVING_KEY: serving}, base=tmp_path)
