"""Better edits that a file's shared YAML keeps from a workload are told, with why."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from l4serve.cli.app import app
from l4serve.config.reading.yaml_edits import YamlEditError, with_values
from tests.advising.test_written_keys import project

HEAD = """config:
  gcp:project: my-project
  gke-llm-serving:serving:
    cluster: {mode: standard, name: c, location: us-central1-a}
    nodePools:
      l4: {machineType: g2-standard-8, minNodes: 0, maxNodes: 4}
    workloads:
"""
ANCHOR = """      a:
        model: {id: Qwen/Qwen2.5-7B-Instruct}
        engine: &eng {kind: vllm, version: 0.26.0, maxModelLen: 8192}
      b:
        model: {id: Qwen/Qwen2.5-7B-Instruct}
        engine: *eng
"""
MERGE = """      b: &b
        model: {id: Qwen/Qwen2.5-7B-Instruct}
        engine: {kind: vllm, version: 0.26.0, maxModelLen: 8192}
      a:
        <<: *b
"""


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (ANCHOR, "workloads.a.engine is written once for several places"),
        (MERGE, "workloads.a.engine comes from another place by a merge (<<): write it out for this one"),
    ],
    ids=["anchor", "merge"],
)
def test_what_a_shared_part_of_the_file_hides_is_told(body: str, why: str, tmp_path: Path, monkeypatch: Any) -> None:
    file = project(tmp_path)
    monkeypatch.chdir(tmp_path)
    file.write_text(HEAD + body, "utf-8")
    args = ["advise", "--write", "made", "--workload", "a", "--goal", "throughput"]
    done = CliRunner().invoke(app, args, env={"COLUMNS": "300", "NO_COLOR": "1"})
    assert done.exit_code == 0, done.output
    (line,) = (line for line in done.stdout.splitlines() if why in line)
    assert line.startswith("better, but refused: quantization fp8")
    assert file.read_text("utf-8") == HEAD + body
    assert "Pulumi.made.yaml stays as it is" in done.stderr
    asked = CliRunner().invoke(app, [*args, "--json"])
    assert any(why in entry["reason"] for entry in json.loads(asked.stdout)["rejected"])


@pytest.mark.parametrize("merged", ["*a", "[*a]", "[{c: 1}, *a]"])
def test_a_mapping_that_is_merged_in_is_not_written_over(merged: str) -> None:
    text = f"a: &a\n  engine: {{kind: x}}\n  replicas: 1\nb:\n  <<: {merged}\n"
    with pytest.raises(YamlEditError, match=r"b\.engine comes from another place by a merge"):
        with_values(text, {("b", "engine", "speed"): 1})
    assert with_values(text, {("b", "replicas"): 2}) == f"{text}  replicas: 2\n"
    assert with_values(text, {("b", "pool", "name"): "l4"}).endswith("  pool: {name: l4}\n")


@pytest.mark.parametrize(
    ("text", "path", "written"),
    [
        ("a: &a\n  x: 1\nb:\n  c: *a\n", ("b", "d"), "a: &a\n  x: 1\nb:\n  c: *a\n  d: 2\n"),
        ("a: &a\n  x: 1\nb: {c: *a}\n", ("b", "d"), "a: &a\n  x: 1\nb: {c: *a, d: 2}\n"),
        ("a: &a 1\nb:\n  c:\n    - *a # why\n", ("b", "d"), "a: &a 1\nb:\n  c:\n    - *a # why\n  d: 2\n"),
        ("a: &a {x: 1}\nb:\n  c:\n    e: *a\nf: 3\n", ("b", "d"), "a: &a {x: 1}\nb:\n  c:\n    e: *a\n  d: 2\nf: 3\n"),
    ],
)  # fmt: skip
def test_a_key_after_an_alias_stands_where_the_alias_is(text: str, path: tuple[str, ...], written: str) -> None:
    assert with_values(text, {path: 2}) == written
