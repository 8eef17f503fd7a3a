"""The measured observations are what the probe's records say, and nothing else."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from benchmarks.gpu import to_observations
from benchmarks.gpu.pod_process import carried_out
from l4serve.cli.commands.render_command import render_stack
from l4serve.config.stack_file import read_stack_file

ROOT = Path(__file__).parents[2]
RECORDS = ROOT / "benchmarks/gpu/records.jsonl"
OBSERVATIONS = ROOT / "l4serve/planning/memory/data/measured_vllm_0_26_0.jsonl"


def converted(path: Path) -> tuple[str, str]:
    said, written = io.StringIO(), io.StringIO()
    with redirect_stdout(written), redirect_stderr(said):
        assert to_observations.main([str(path)]) == 0
    return written.getvalue(), said.getvalue()


def test_observations_follow_from_records() -> None:
    written, said = converted(RECORDS)
    assert written == OBSERVATIONS.read_text()
    assert "p09-qwen3-30b-a3b-gptq: GPTQ without weights files" in said
    assert "y-warm: warm compilation cache" in said


def test_every_observation_adds_up_to_its_budget() -> None:
    rows = [json.loads(line) for line in OBSERVATIONS.read_text().splitlines()]
    assert len(rows) >= 30
    for row in rows:
        if "kv_cache_memory_bytes" in row:
            continue
        taken = ("weights_gib", "peak_activation_gib", "non_torch_gib", "cuda_graph_subtracted_gib", "kv_cache_gib")
        budget = row["total_gpu_gib"] * row["gpu_memory_utilization"]
        assert abs(sum(row.get(part, 0.0) for part in taken) - budget) < 0.001, row["id"]


def test_refusals_keep_their_words_and_starts_their_tokens() -> None:
    for line in OBSERVATIONS.read_text().splitlines():
        row = json.loads(line)
        if row["outcome"] == "fit":
            assert row.get("kv_tokens") or row["gpu_blocks"]
        elif row["outcome"] != "oom_under_load":
            assert any(words in row["quote"] for words in to_observations.MEMORY_REFUSALS)


def test_a_start_that_failed_otherwise_is_left_out(tmp_path: Path) -> None:
    record = json.loads(RECORDS.read_text().splitlines()[0]) | {"error": "RuntimeError: no driver"}
    path = tmp_path / "records.jsonl"
    path.write_text(json.dumps(record) + "\n")
    written, said = converted(path)
    assert written == ""
    assert "RuntimeError: no driver" in said


FINDINGS = json.loads((ROOT / "benchmarks/gpu/pod_findings.json").read_text())
PODS = FINDINGS["pods"]


@pytest.mark.parametrize("name", PODS)
def test_a_rendered_pod_served_guarded_and_drained(name: str) -> None:
    found = PODS[name]
    assert found["readOnlyRoot"]
    assert not found["user"].startswith("0:")
    assert (found["withoutKey"], found["withKey"]) == (401, 200)
    assert found["tokenServedWhenReady"]
    deletion = found["deletion"]
    assert deletion["whole"] == deletion["streams"] == deletion["unfinishedAtSigterm"] == 20
    assert deletion["secondsToEnd"] < deletion["graceSeconds"]


def test_the_pods_that_were_started_are_those_that_the_program_renders() -> None:
    """Where a start's manifest differs from today's, it shows nothing of it: start the pod again."""
    objects = render_stack(read_stack_file(ROOT / "benchmarks/gpu/pods.yaml")).objects
    specs = {o["metadata"]["name"]: o["spec"]["template"]["spec"] for o in objects if o["kind"] == "Deployment"}
    images = {spec["containers"][0]["image"].partition("@")[0] for spec in specs.values()}
    assert {image.rpartition(":v")[2] for image in images} == {FINDINGS["engineVersion"]}
    assert {name: carried_out(spec) for name, spec in specs.items()} == {n: p["manifest"] for n, p in PODS.items()}


def test_what_a_start_shows_of_a_pod_is_more_than_its_argv() -> None:
    container = PODS["encrypted"]["manifest"]["container"]
    assert container["readinessProbe"]["httpGet"]["scheme"] == "HTTPS"
    assert {variable["name"] for variable in container["env"]} == {"HOME", "USER", "VLLM_API_KEY"}
    assert PODS["encrypted"]["manifest"]["pod"]["securityContext"]["runAsNonRoot"]
