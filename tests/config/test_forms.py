"""Every form that a key's text must have is told of in words."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from l4serve.cli.app import app
from l4serve.config.refusals.problems import ConfigError
from l4serve.config.schema.json_schema import config_schema
from l4serve.config.schema.key_reference import example_at, key_of
from l4serve.config.words.written_forms import called
from l4serve.planning.workload.judgement.fit_words import fit_remedy
from tests.factories import loaded, serving

OF_NAMES = {"propertyNames", "additionalProperties"}
WORDS = {"attentionBackend", "loadFormat", "toolCallParser", "reasoningParser", "rule", "quantize", "quantization"}
WORDS |= {"kvCacheDtype", "mambaCacheDtype", "mambaSsmCacheDtype"}
"""Keys whose value is a word of the engine, or of this project."""


def forms(schema: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield key, schema["pattern"]
        for name, inner in schema.items():
            yield from forms(inner, key if name in ("items", "anyOf", "properties") else name)
    elif isinstance(schema, list):
        for inner in schema:
            yield from forms(inner, key)


def test_every_form_is_told_of() -> None:
    found = {(key, pattern) for key, pattern in forms(config_schema()) if key not in OF_NAMES}
    assert len(found) > 50
    untold = {key for key, pattern in found if "is not a word" in called(pattern, key)}
    assert untold <= WORDS


def test_a_path_below_a_name_has_its_key_and_an_example() -> None:
    assert key_of("workloads.qwen.env.A.key") == "workloads.env.key"
    assert key_of("workloads.qwen.engine.maxModelLen") == "workloads.engine.maxModelLen"
    assert key_of("nodePools.l4.taints[0].key") == "nodePools.taints.key"
    assert example_at("prices.onDemand.x") == 0.61
    assert example_at("workloads.qwen.env.A") == {"secret": "search-backend", "key": "password"}
    assert example_at("workloads.qwen.servce") is None


def test_a_recipe_of_another_engine_is_told_once() -> None:
    """What the recipe would have brought is no second fault."""
    with pytest.raises(ConfigError) as refused:
        loaded(serving({"qwen": {"recipe": "vllm-7b-kvcache", "engine": {"kind": "tgi", "version": "3.3.7"}}}))
    assert [problem.path for problem in refused.value.problems] == ["workloads.qwen.recipe"]


def test_a_model_that_nothing_makes_fit_has_a_remedy_that_names_a_command() -> None:
    assert "l4serve models --fits MACHINE" in fit_remedy(())


def test_a_folder_is_no_stack_file_and_one_that_is_in_it_is_named(tmp_path: Path) -> None:
    run = CliRunner().invoke
    said = run(app, ["diff", "--from", str(tmp_path), "--to", str(tmp_path / "Pulumi.a.yaml")])
    assert said.exit_code == 2
    assert f"{tmp_path} is a folder, not a stack file" in said.stderr
    assert "fix: l4serve init writes a stack file" in said.stderr
    there = tmp_path / "Pulumi.guide.yaml"
    there.touch()
    said = run(app, ["diff", "--from", str(tmp_path), "--to", str(there)])
    assert f"fix: name a file in it: {there}" in said.stderr
    assert f"fix: name a file in it: -f {there}" in run(app, ["plan", "-f", str(tmp_path)]).stderr
    other = str(there.with_suffix(".yml"))
    assert f"fix: did you mean {there}?" in run(app, ["plan", "-f", other]).stderr
