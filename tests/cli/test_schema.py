"""The JSON Schema that editors use agrees with the loader, and the generated documents are those of the models."""

import json
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from l4serve.cli.app import app
from l4serve.cli.commands.schema_command import generated_files
from l4serve.config.schema.key_reference import example_of, objects
from l4serve.config.stack_file import SERVING_KEY, parse_stack
from tests.cli.test_wrong_configs import edited
from tests.config.contradicting_configs import CONTRADICTING
from tests.config.wrong_configs import WRONG
from tests.each_case import each
from tests.editor import definitions, editor, marked
from tests.stack_cases import ROOT, STACKS

W, E = "workloads.qwen", "workloads.qwen.engine"
OVER = {"recipe": "vllm-7b-kvcache"}


def faults(serving: Any) -> list[str]:
    return marked({"config": {SERVING_KEY: serving}})


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(editor().schema)
    text = json.dumps(editor().schema)
    assert not [word for word in ('"ge":', '"gt":', '"le":', '"lt":', '"patternProperties":') if word in text]


@pytest.mark.parametrize("stack", STACKS)
def test_committed_stacks_are_valid(stack: str) -> None:
    document = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text("utf-8"))
    assert marked(document) == []


@each(
    [
        {},
        {f"{W}.resources": {"requests": {"cpu": 2, "memory": "2Gi"}}},
        {f"{W}.extraEnv": {"OMP_NUM_THREADS": 4, "A": "b"}},
        {f"{W}.model.revision": 123},
        {f"{W}.allow": ["vllm-eager", {"rule": "vllm-eager", "reason": "measured"}], f"{E}.enforceEager": True},
        {f"{E}.kvCacheDtype": None},
        {W: OVER},
        {W: {**OVER, "engine": {"maxModelLen": 512, "kvCacheDtype": None}}},
        {W: {**OVER, "replicas": None, "extraEnv": None, "model": {"revision": "main"}}},
        {W: {"recipe": "tgi-7b-token", "engine": {"maxTotalTokens": 4096}}},
    ],
    str,
)
def test_what_the_loader_takes_is_valid(edits: dict[str, Any]) -> None:
    serving = edited(edits)
    parse_stack("test", {SERVING_KEY: serving}, base=ROOT)
    assert faults(serving) == []


SEEN = (
    *("top-level-typo", "cluster-typo", "pool-typo", "workload-typo", "engine-typo", "snake-case", "tgi-flag-on-vllm"),
    *("no-cluster", "no-mode", "no-name", "no-kind", "no-engine", "no-model-id", "workloads-list", "replicas-word"),
    *("replicas-negative", "gpus-nine", "length-zero", "utilisation-over-one", "port-high", "disk-tiny"),
    *("mode-unknown", "channel-unknown", "dtype-word", "recipe-unknown", "memory-word", "shm-word"),
    *("workload-upper-case", "workload-long", "pool-upper-case", "namespace-dots", "service-name", "env-name"),
    *("label-value", "secret-name", "image-spaces"),
)


@each([w for w in (*WRONG, *CONTRADICTING) if w.id in SEEN], lambda w: w.id)
def test_an_editor_sees_wrong_forms(wrong: Any) -> None:
    assert faults(edited(wrong.edits))


def test_the_forms_above_are_in_the_corpus() -> None:
    assert set(SEEN) <= {wrong.id for wrong in (*WRONG, *CONTRADICTING)}


@pytest.mark.parametrize(
    "over",
    [{"engine": {"maxModelLenn": 1}}, {"engine": {"maxModelLen": 0}}, {"model": {"ID": "a/b"}}, {"replica": 1}],
    ids=str,
)
def test_an_editor_sees_typos_over_a_recipe(over: dict[str, Any]) -> None:
    assert faults(edited({W: {**OVER, **over}}))


def test_generated_documents_are_fresh() -> None:
    stale = [str(path) for path, text in generated_files().items() if (ROOT / path).read_text("utf-8") != text]
    assert stale == [], "run: make docs"


def test_the_command_prints_it() -> None:
    result = CliRunner().invoke(app, ["schema"])
    assert json.loads(result.stdout) == editor().schema


def test_each_key_has_an_example_that_its_model_takes() -> None:
    """Add one in l4serve/config/schema/data/examples.yaml where the type of a new key implies none."""
    wrong, known = [], definitions()
    for part, definition in objects().items():
        for key in definition.get("properties", {}):
            example = example_of(part, key)
            form = {"$defs": known, **definition["properties"][key]}
            faults = [error.message for error in Draft202012Validator(form).iter_errors(example)]
            if example is None or faults:
                wrong.append((part, key, example, faults))
    assert wrong == []


@pytest.mark.parametrize(
    ("edits", "marked"),
    [
        ({f"{E}.maxModelLenn": 1}, "maxModelLenn"),
        ({f"{E}.maxModelLen": 0}, "maxModelLen"),
        ({"cluster.locaton": "us-central1"}, "locaton"),
        ({"cluster.mode": "standart"}, "mode"),
        ({W: {**OVER, "engine": {"maxModelLenn": 1}}}, "maxModelLenn"),
    ],
    ids=str,
)
def test_an_editor_marks_the_key_and_not_the_object(edits: dict[str, Any], marked: str) -> None:
    found = list(editor().iter_errors({"config": {SERVING_KEY: edited(edits)}}))
    assert any(marked in error.message or error.absolute_path[-1] == marked for error in found)
    assert not [e.message for e in found if "given schemas" in e.message and e.absolute_path[-1] != marked]
