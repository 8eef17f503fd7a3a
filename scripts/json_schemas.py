"""The JSON Schema of what the commands print with `--json`, from what they print.

    python -m scripts.json_schemas [--write | --check]

Each command runs on several inputs. A key that every document has is required. A mapping whose keys are names, in any
of the places below, is described by the form of its values.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic.alias_generators import to_camel
from typer.testing import CliRunner

from l4serve.cli.app import app
from l4serve.config.schema.key_reference import known_keys
from l4serve.engines.releases.contract import contract_versions
from l4serve.planning.memory.fit import Fit
from scripts.json_samples import BENCH_REPORT, SAMPLES, STACK_FILES

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "docs" / "reference" / "json.schema.json"
EXAMPLES = ROOT / "examples"
EXAMPLES_OF_VLLM = [EXAMPLES / f"Pulumi.{name}.yaml" for name in ("embeddings", "lora", "scaled-with-fallback")]
RELEASES = tuple(f"{engine}-{version}" for engine in ("vllm", "tgi") for version in contract_versions(engine))
PAIRS = [pair for pair in pairwise(RELEASES) if pair[0].partition("-")[0] == pair[1].partition("-")[0]]
STACKS = ("dev", "staging", "prod", "guide", "local")
_ESTIMATE = ("estimate", "--model", "Qwen/Qwen2.5-7B-Instruct", "--input-tokens", "512", "--output-tokens", "256")
_OVERLOADED = (
    *("estimate", "--model", "google/gemma-7b", "--max-model-len", "2048", "--input-tokens", "100"),
    *("--output-tokens", "20", "--rate", "100", "--percentile", "95"),
)
"""A rate that the server does not keep up with, so that no percentile is known."""
_PRICELESS_REGION = "africa-south1"
"""A region of Google Cloud for whose machines there is no price."""
COMMANDS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "plan": (
        *(("plan", "-s", stack) for stack in STACKS),
        *(("plan", "-f", f"tests/data/stacks/Pulumi.{name}.yaml") for name in ("models", "autopilot")),
        *(("plan", "-f", str(file)) for file in sorted(EXAMPLES.glob("Pulumi.*.yaml"))),
        *(("plan", "-f", f"{{folder}}/{name}.yaml") for name in STACK_FILES),
    ),
    "fit": (
        ("fit", "--model", "google/gemma-7b", "--max-model-len", "8192"),
        ("fit", "--model", "Qwen/Qwen2.5-1.5B-Instruct"),
        ("fit", "--model", "google/gemma-7b", "--gpu", "nvidia-tesla-t4", "--dtype", "bfloat16"),
    ),
    "check": (
        ("check", "-s", "staging", "--engine-version", "vllm-0.33.0"),
        ("check", "-s", "guide"),
        *(("check", "-f", str(file), "--engine-version", "vllm-0.9.0") for file in EXAMPLES_OF_VLLM),
        ("check", "-f", "{folder}/unsized.yaml"),
    ),
    "shapes": (("shapes",), ("shapes", "-s", "dev", "-w", "qwen"), ("shapes", "--region", _PRICELESS_REGION)),
    "models": (("models",), ("models", "--fits", "g2-standard-8")),
    "recipes": (("recipes",),),
    "explain": tuple(("explain", key) for key in known_keys()),
    "contract-list": (("contract", "list"),),
    "contract-show": tuple(("contract", "show", release) for release in RELEASES),
    "contract-diff": tuple(
        ("contract", "diff", old, new)
        for old, new in (*PAIRS, ("vllm-0.8.0", "vllm-0.26.0"), ("tgi-2.0.0", "tgi-3.3.7"))
    ),
    "contract-rules": (("contract", "rules"),),
    "estimate": (
        (*_ESTIMATE, "--concurrency", "1"),
        (*_ESTIMATE, "--concurrency", "512"),
        (*_ESTIMATE, "--rate", "0.5", "--percentile", "95"),
        (*_ESTIMATE, "--concurrency", "1", "--quantization", "eetq"),
        _OVERLOADED,
        (*_ESTIMATE, "--concurrency", "1", "--gpu", "nvidia-h200-141gb"),
    ),
    "advise": (
        ("advise", "--model", "Qwen/Qwen2.5-1.5B-Instruct", "--goal", "cost", "--rps", "2"),
        ("advise", "--model", "Qwen/Qwen2.5-7B-Instruct", "--goal", "latency", "--quality", "8bit"),
        ("advise", "--model", "Qwen/Qwen2.5-7B-Instruct", "--goal", "cost", "--budget-usd-hour", "0.01"),
        ("advise", "--model", "Qwen/Qwen2.5-7B-Instruct", "--goal", "cost", "--gpu", "nvidia-a10g"),
        ("advise", "--model", "google/gemma-7b", "--goal", "cost", "--region", _PRICELESS_REGION),
        ("advise", "--model", "google/gemma-7b", "--goal", "cost", "--provisioning", "flex-start"),
    ),
    "advise-checklist": (("advise", "-s", "dev"), ("advise", "-s", "staging")),
    "bench-job": (("bench", "-s", "dev"), ("bench", "-s", "guide", "--workload", "vllm-7b-awq")),
    "bench": (
        ("bench", "-s", "dev", "--report", "{folder}/report.json"),
        ("bench", "-f", "{folder}/unsized.yaml", "--report", "{folder}/report.json"),
    ),
    "render": (("render", "-s", "dev", "--out", "{folder}/rendered"),),
}
NAMED = frozenset(
    {
        "nodePools",
        "computeClasses",
        "workloads",
        "placement",
        "edits",
        "env",
        "labels",
        "nodeSelector",
        "resourceLabels",
    }
    | {"requests", "limits", "flags", "metrics", "edit", "workload", "hourly", "counts", "spec", "dashboard"}
    | {"podLabels", "annotations", "extraEnv", "envSources", "autoscalingMetrics", "settings", "when"}
)
"""Keys whose values are mappings by name, or values of a user's own."""
ANY = frozenset({"default", "example"})
"""Keys whose values are anything that a stack may hold."""


NOT_NEGATIVE = frozenset(to_camel(field.name) for field in fields(Fit) if field.type in ("int", "float"))
"""Figures of a verdict on memory, none of which is below 0."""


def documents(name: str) -> list[Any]:
    """What a command prints on its inputs; of one that needs a sandbox or a server, what it makes of their answers."""
    if name in SAMPLES:
        return [json.loads(json.dumps(document)) for document in SAMPLES[name]()]
    with TemporaryDirectory() as folder:
        return [printed(args, Path(folder)) for args in COMMANDS[name]]


def printed(args: Iterable[str], folder: Path) -> Any:
    """What a command prints with `--json`; `{folder}` in its arguments holds a report and a stack."""
    (folder / "report.json").write_text(json.dumps(BENCH_REPORT), encoding="utf-8")
    for name, text in STACK_FILES.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    given = [arg.replace("{folder}", str(folder)) for arg in args]
    result = CliRunner().invoke(app, [*given, "--json"])
    if result.exit_code not in (0, 1):
        raise SystemExit(f"l4serve {' '.join(given)} --json ended with {result.exit_code}: {result.output[:300]}")
    return json.loads(result.stdout)


def form_of(values: Iterable[Any], key: str = "") -> dict[str, Any]:
    """The schema that all values have; one that is null in every document may be anything in another."""
    if key in ANY:
        return {}
    values = list(values)
    types = sorted({_type(value) for value in values})
    if types == ["null"]:
        return {}
    schema: dict[str, Any] = {"type": types[0] if len(types) == 1 else types} if types else {}
    if key in NOT_NEGATIVE and "number" in types:
        schema["minimum"] = 0
    if objects := [value for value in values if isinstance(value, Mapping)]:
        if key in NAMED:
            schema["additionalProperties"] = True
            if all(isinstance(inner, Mapping) for value in objects for inner in value.values()) and any(objects):
                schema["additionalProperties"] = form_of(inner for value in objects for inner in value.values())
        else:
            keys = dict.fromkeys(name for value in objects for name in value)
            schema["properties"] = {name: form_of((v[name] for v in objects if name in v), name) for name in keys}
            schema["required"] = [name for name in keys if all(name in value for value in objects)]
    if lists := [value for value in values if isinstance(value, list)]:
        schema["items"] = form_of((item for value in lists for item in value), key)
    return schema


def _type(value: Any) -> str:
    names = {bool: "boolean", int: "number", float: "number", str: "string", type(None): "null", list: "array"}
    return names.get(type(value), "object")


def schema() -> dict[str, Any]:
    """The schema of every command's document, under `$defs`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What l4serve prints with --json, by command",
        "$defs": {name: form_of(documents(name)) for name in (*COMMANDS, *SAMPLES)},
    }


def main() -> int:
    """Prints the schema, writes it, or says whether the committed one is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args()
    text = json.dumps(schema(), indent=1) + "\n"
    if asked.write:
        FILE.write_text(text, encoding="utf-8")
    elif asked.check:
        return int(FILE.read_text("utf-8") != text)
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
