"""What the commands print with --json has the form that docs/reference/json.schema.json states."""

import json
import re
from pathlib import Path

import pytest
from typer.main import get_command

from l4serve.cli.app import app
from scripts.json_samples import BENCH_REPORT, SAMPLES
from scripts.json_schemas import COMMANDS, FILE, documents, form_of
from tests.cli.subjects.test_completion import options
from tests.cli.terminal import ROOT, run
from tests.json_forms import faults

NAMES = (*COMMANDS, *SAMPLES)
QUICK = ("plan", "fit", "check", "contract-list")
FORMS = json.loads(FILE.read_text("utf-8"))["$defs"]
PAGE = (FILE.parent / "json.md").read_text("utf-8")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in (*QUICK, *SAMPLES) else pytest.mark.slow) for name in NAMES]
)
def test_the_form_of_a_document_is_fresh(name: str) -> None:
    assert FORMS[name] == form_of(documents(name)), "run: make docs"


def test_the_forms_are_those_of_the_commands() -> None:
    assert tuple(FORMS) == NAMES


def test_a_plan_outside_the_samples_has_it_too() -> None:
    result = run("plan", "-f", str(ROOT / "examples" / "Pulumi.lora.yaml"), "--json")
    document = json.loads(result.stdout)
    assert document["schemaVersion"] == 1
    assert faults("plan", document) == []


OTHERS = (
    ("explain", "explain cluster.mode"),
    ("explain", "explain workloads.engine.kvCacheDtype"),
    ("contract-show", "contract show vllm-0.8.0"),
    ("contract-show", "contract show tgi-2.3.1"),
    ("contract-diff", "contract diff tgi-2.0.0 tgi-3.3.7"),
    ("contract-diff", "contract diff vllm-0.8.5 vllm-0.22.0"),
    ("contract-diff", "contract diff tgi-2.3.1 tgi-3.2.0"),
    ("check", "check -f examples/Pulumi.embeddings.yaml --engine-version vllm-0.9.0"),
    *(
        ("check", f"check -f examples/Pulumi.{name}.yaml --engine-version vllm-0.10.0")
        for name in ("vision", "reasoning")
    ),
    ("fit", "fit --model google/gemma-7b --gpu nvidia-tesla-t4"),
    ("fit", "fit --model Qwen/Qwen2.5-7B-Instruct --engine tgi --quantization eetq"),
)

OUTSIDE = """\
config:
  gke-llm-serving:serving:
    cluster: {mode: standard, name: llm, location: us-central1-a}
    nodePools: {l4: {machineType: g2-standard-8, maxNodes: 3}}
    workloads: {own: {model: {id: acme/own-13b}, engine: {kind: vllm, version: 0.25.0, maxModelLen: 4096}}}
"""
"""A stack without a project, of a model that nobody knows."""
ESTIMATE = "estimate --model google/gemma-7b --max-model-len 2048 --input-tokens 200 --output-tokens 40"
UNPRICED = (
    ("plan", "plan -f {stack}"),
    ("plan", "plan -f {untold}"),
    ("estimate", " ".join((ESTIMATE, "--rate 90 --percentile 99"))),
    ("check", "check -f {stack} --engine-version vllm-0.33.0"),
    ("bench", "bench -f {stack} --report {report}"),
    ("shapes", "shapes --region africa-south1"),
    ("advise", "advise --model Qwen/Qwen2.5-1.5B-Instruct --goal cost --region africa-south1"),
    ("advise", "advise --model Qwen/Qwen2.5-1.5B-Instruct --goal cost --provisioning flex-start"),
    (
        "estimate",
        "estimate --model google/gemma-7b --input-tokens 9 --output-tokens 9 --concurrency 1 --gpu nvidia-h200-141gb",
    ),
)
"""Documents with nulls for what is not known: a size, a project, a price."""


@pytest.mark.parametrize(("name", "command"), UNPRICED, ids=[command[:60] for _, command in UNPRICED])
def test_what_is_not_known_is_null_by_the_form(name: str, command: str, tmp_path: Path) -> None:
    stack, report = tmp_path / "Pulumi.own.yaml", tmp_path / "report.json"
    stack.write_text(OUTSIDE, encoding="utf-8")
    untold = tmp_path / "Pulumi.untold.yaml"
    untold.write_text(OUTSIDE.replace(", maxModelLen: 4096", ""), encoding="utf-8")
    report.write_text(json.dumps(BENCH_REPORT), encoding="utf-8")
    result = run(*command.format(stack=stack, untold=untold, report=report).split(), "--json")
    assert result.exit_code in (0, 1), result.output
    assert faults(name, json.loads(result.stdout)) == []


@pytest.mark.parametrize(("name", "command"), OTHERS, ids=[command for _, command in OTHERS])
def test_a_document_of_each_kind_has_its_form(name: str, command: str) -> None:
    result = run(*(part.replace("examples/", f"{ROOT}/examples/") for part in command.split()), "--json")
    assert faults(name, json.loads(result.stdout)) == []


def test_the_items_of_the_lists_that_a_reader_looks_into_are_described() -> None:
    verdicts = FORMS["fit"]["properties"]["verdicts"]["items"]
    flags = FORMS["explain"]["properties"]["entries"]["items"]["properties"]["flags"]["items"]
    read = FORMS["check"]["properties"]["workloads"]["additionalProperties"]["properties"]["metricsRead"]["items"]
    assert verdicts and flags and read


def test_a_missing_key_is_a_fault() -> None:
    document = json.loads(run("plan", "-s", "dev", "--json").stdout)
    del document["cost"]
    assert any("'cost' is a required property" in fault for fault in faults("plan", document))


def test_every_form_is_on_the_page() -> None:
    assert [name for name in NAMES if f"| `{name}` |" not in PAGE] == []


def test_every_command_with_json_is_on_the_page() -> None:
    commands = {where.removesuffix(" --as_json") for where, _ in options(get_command(app)) if where.endswith("as_json")}
    assert len(commands) >= 17
    assert [name for name in commands if not re.search(rf"`l4serve {re.escape(name)}[ `]", PAGE)] == []


def test_the_form_of_values() -> None:
    form = form_of([{"a": 1, "b": None}, {"a": "x"}])
    assert form["required"] == ["a"]
    assert form["properties"]["a"]["type"] == ["number", "string"]
    assert form_of([{"env": {"A": "1"}}])["properties"]["env"] == {"type": "object", "additionalProperties": True}
