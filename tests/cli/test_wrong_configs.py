"""Each wrong config gives one readable error with its YAML path, exit code 2 and no traceback."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from l4serve.cli.app import app
from tests.config.wrong_configs import GOOD, REMOVE, WRONG, Wrong

KEY = "gke-llm-serving:serving"


def edited(edits: dict[str, Any]) -> dict[str, Any]:
    config = copy.deepcopy(GOOD)
    for dotted, value in edits.items():
        *parents, last = dotted.split(".")
        at = config
        for parent in parents:
            at = at.setdefault(parent, {})
        if value is REMOVE:
            del at[last]
        else:
            at[last] = copy.deepcopy(value)
    return config


def plan(tmp_path: Path, document: Any) -> Any:
    file = tmp_path / "Pulumi.test.yaml"
    text = document if isinstance(document, str) else yaml.safe_dump(document, sort_keys=False)
    file.write_text(text, encoding="utf-8")
    return CliRunner().invoke(app, ["plan", "-f", str(file), "--json"])


def test_the_good_config_is_good(tmp_path: Path) -> None:
    assert plan(tmp_path, {"config": {KEY: GOOD}}).exit_code == 0


def test_the_corpus_is_large_enough() -> None:
    assert len({wrong.id for wrong in WRONG}) == len(WRONG) >= 60


@pytest.mark.parametrize("wrong", WRONG, ids=[wrong.id for wrong in WRONG])
def test_refused_with_path_and_no_traceback(wrong: Wrong, tmp_path: Path) -> None:
    result = plan(tmp_path, {"config": {KEY: edited(wrong.edits)}})
    assert result.exit_code == 2, result.output
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, result.stderr
    assert errors[0].startswith(f"error: {wrong.path}: "), result.stderr
    assert wrong.text in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.output
    assert isinstance(result.exception, SystemExit)


WRONG_FILES = {
    "not-yaml": ("config: {a: [", "no valid YAML"),
    "twice": (f"config:\n  {KEY}: {{cluster: {{}}, cluster: {{}}}}\n", "given twice"),
    "empty": ("", "`config`"),
    "list": ("- a\n", "`config`"),
    "no-serving": ("config: {gcp:project: p}\n", KEY),
    "serving-list": (f"config:\n  {KEY}: []\n", KEY),
    "key-typo": (f"config:\n  {KEY}: {{}}\n  gke-llm-serving:hftoken: {{secure: x}}\n", "gke-llm-serving:hftoken"),
    "plain-token": (f"config:\n  {KEY}: {{}}\n  gke-llm-serving:hfToken: hf_plain_value\n", "plain text"),
}


@pytest.mark.parametrize("name", WRONG_FILES)
def test_unreadable_files_are_refused(name: str, tmp_path: Path) -> None:
    text, expected = WRONG_FILES[name]
    result = plan(tmp_path, text)
    assert result.exit_code == 2, result.output
    assert expected in result.stderr
    assert "hf_plain_value" not in result.output
    assert isinstance(result.exception, SystemExit)


def test_all_errors_come_at_once(tmp_path: Path) -> None:
    edits = {"cluster.mode": "x", "nodePools.l4.maxNodes": 0, "workloads.qwen.replicas": -1, "workload": {}}
    result = plan(tmp_path, {"config": {KEY: edited(edits)}})
    assert result.stderr.count("error: ") == 4


def test_numbers_may_arrive_as_strings(tmp_path: Path) -> None:
    edits = {"workloads.qwen.engine.maxModelLen": "4096", "nodePools.l4.maxNodes": "2", "nodePools.l4.spot": "true"}
    assert plan(tmp_path, {"config": {KEY: edited(edits)}}).exit_code == 0


@pytest.mark.parametrize(
    "path",
    ["huggingFace.existingSecret", "workloads.qwen.extraEnv.MY_TOKEN", "workloads.qwen.model.revision", "namespace"],
)
@pytest.mark.parametrize("command", ["plan", "render", "rehearse", "check"])
def test_a_token_in_the_wrong_place_is_refused_unseen(path: str, command: str, tmp_path: Path) -> None:
    token = "hf_" + "aB3" * 11
    file = tmp_path / "Pulumi.test.yaml"
    file.write_text(yaml.safe_dump({"config": {KEY: edited({path: f"x-{token}"})}}), encoding="utf-8")
    out = ["--out", str(tmp_path / "out")] if command == "render" else []
    result = CliRunner().invoke(app, [command, "-f", str(file), *out])
    assert result.exit_code == 2
    assert f"error: {path}: a Hugging Face token stands here" in result.stderr
    assert token not in result.output
    assert not (tmp_path / "out").exists()
