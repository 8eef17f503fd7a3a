"""What a refusal says to write is taken, and what nothing would hear is refused."""

import io
import json
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from l4serve.cli.subjects.base_tree import GitError, names_of_commits
from l4serve.cli.subjects.hub_download import download_config
from l4serve.config.reading.files import MOST_JSON_BYTES
from l4serve.planning.models.hf_values import ModelConfigError
from l4serve.verification import cluster_access
from l4serve.verification.cluster_access import AccessError
from tests.cli.terminal import ROOT, run

STACK = """\
config:
  gcp:project: my-project
  gke-llm-serving:serving:
    cluster: {mode: standard, name: llm, location: us-central1-a}
    nodePools:
      l4: {machineType: g2-standard-12, maxNodes: 3POOL}
    workloads:
      q:
        model: {id: google/gemma-7b}
        engine: {kind: vllm, version: 0.26.0, maxModelLen: 4096ENGINE}
"""
IMAGE = ", secondaryBootDisk: {image: projects/my-project/global/images/engine, mode: MODE}"


def planned(tmp_path: Path, *, pool: str = "", engine: str = "", end: str = "") -> Any:
    file = tmp_path / "Pulumi.own.yaml"
    file.write_text(STACK.replace("POOL", pool).replace("ENGINE", engine) + end, encoding="utf-8")
    return run("plan", "-f", str(file), COLUMNS="300")


def test_a_series_as_contract_is_told_at_the_contract(tmp_path: Path) -> None:
    said = planned(tmp_path, engine=", contract: '0.26'").output
    assert ":10: workloads.q.engine.contract: there is no contract '0.26'" in said
    assert "fix: write it as 0.26.0" in said
    assert planned(tmp_path, engine=", contract: 0.26.0").exit_code == 0


def test_the_address_of_a_bucket_gives_its_name(tmp_path: Path) -> None:
    said = planned(tmp_path, end="        serviceAccount: {buckets: {gs://my-models/a: read}}\n").output
    assert "is not the name of a bucket" in said
    assert "fix: write it as my-models" in said
    assert planned(tmp_path, end="        serviceAccount: {buckets: {my-models: read}}\n").exit_code == 0


def test_a_word_for_nothing_gives_null_where_null_is_taken(tmp_path: Path) -> None:
    assert "fix: write null" in planned(tmp_path, pool=IMAGE.replace("MODE", "NONE")).output
    assert planned(tmp_path, pool=IMAGE.replace("MODE", "null")).exit_code == 0


def test_a_secrets_name_in_place_of_its_mapping_is_no_secret(tmp_path: Path) -> None:
    said = planned(tmp_path, end="    huggingFace: hf-token\n").output
    assert "fix: write it as {existingSecret: hf-token}" in said
    assert planned(tmp_path, end="    huggingFace: {existingSecret: hf-token}\n").exit_code == 0
    said = planned(tmp_path, end="    huggingFace: correct-horse-battery\n").output
    assert "a secret is written here" in said
    assert "horse" not in said


def test_a_key_with_an_unseen_character_is_named_on_its_line(tmp_path: Path) -> None:
    said = planned(tmp_path, end="        repli\u200bcas: 2\n").output
    assert ":11: workloads.q.repli\\u200bcas: a key holds the character U+200B" in said
    assert "fix: write it as replicas" in said


REFUSED = {
    "contract show tgi": ("'tgi' names no release", "write it as tgi-3.3.7"),
    "contract show tgi-abc": ("'abc' is not a version of tgi", "write it as 3.3.7"),
    "plan -s dev --json --markdown": ("--json and --markdown are two forms", "choose one of them"),
    "doctor --json STATE": ("--json is of a stack", "name -s STACK, or leave it out"),
    "doctor --offline STATE": ("--offline is of a stack", "name -s STACK, or leave it out"),
    "verify -s dev --serves embed": ("--serves goes with --base-url", "leave it out"),
    f"render -s dev --out {ROOT}/README.md": ("it is a file", "name a new folder, or that of an earlier rendering"),
    f"render -s dev --out {ROOT}/docs": ("no rendering wrote", "name a new folder, or that of an earlier rendering"),
}


@pytest.mark.parametrize("line", REFUSED)
def test_what_nothing_hears_or_mends_is_refused_with_its_remedy(line: str) -> None:
    wrong, mend = REFUSED[line]
    result = run(*line.split(), COLUMNS="300")
    assert result.exit_code == 2
    assert wrong in result.stderr
    assert f"fix: {mend}\n" in result.stderr


def test_a_stack_without_workloads_moves_nowhere(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.own.yaml"
    file.write_text(STACK.partition("    workloads")[0].replace("POOL", ""), encoding="utf-8")
    result = run("check", "-f", str(file), "--engine-version", "0.33.0")
    assert result.exit_code == 2
    assert "own has no workload to move to 0.33.0\n    fix: add one under workloads\n" in result.stderr


def test_quiet_and_verbose_may_stand_together() -> None:
    result = run("plan", "-qv", "-s", "dev")
    assert (result.exit_code, result.stderr) == (0, "")


def test_a_report_of_longer_prompts_is_of_another_workload(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    figures = {"completed": 100, "mean_ttft_ms": 100.0, "mean_tpot_ms": 20.0, "mean_e2el_ms": 5000.0}
    report.write_text(json.dumps({**figures, "total_input_tokens": 900000, "total_output_tokens": 25600}))
    result = run("bench", "-s", "dev", "--report", str(report), COLUMNS="300")
    assert result.exit_code == 2
    assert "fix: name by --workload, or by -s, what the report was measured on" in result.stderr


def test_a_huge_config_of_the_hub_says_what_to_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: io.BytesIO(b" " * (MOST_JSON_BYTES + 1)))
    with pytest.raises(ModelConfigError, match="larger than 1024 KiB; check the model id"):
        download_config("me/model")


def _never(command: Any, **_: Any) -> None:
    raise subprocess.TimeoutExpired(command, 1)


def test_a_slow_pulumi_says_what_to_look_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("l4serve.verification.cluster_access.shutil.which", lambda _: "/bin/pulumi")
    monkeypatch.setattr(subprocess, "run", _never)
    with pytest.raises(AccessError, match="fix: see what holds it up: pulumi stack output -s dev"):
        cluster_access._pulumi_output("dev", ROOT)


def test_a_slow_git_says_what_to_do_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", _never)
    with pytest.raises(GitError, match="fix: try again, or compare two files: --from A --to B"):
        names_of_commits(ROOT)
