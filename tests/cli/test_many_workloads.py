"""A stack of very many workloads is planned and told in bounded time: in lines, and without the speed of each."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from l4serve.cli.app import app
from l4serve.config.problems import ConfigError
from l4serve.config.stack_file import SERVING_KEY, parse_stack
from l4serve.planning.workload.prospect import MOST_TOLD, UNTOLD

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
