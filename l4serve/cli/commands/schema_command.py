"""l4serve schema: the JSON Schema of a stack file, and the config reference, both generated from the models."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from l4serve.cli.answers.reference_lists import lists
from l4serve.cli.answers.reference_pages import config_reference
from l4serve.cli.shell.messages import refuse_input
from l4serve.cli.shell.output import print_json, say
from l4serve.cli.subjects.stack_options import root_to_write
from l4serve.config.recipes import recipes
from l4serve.config.schema.json_schema import config_schema
from l4serve.config.schema.schema_unions import told_apart
from l4serve.config.stack_file import SERVING_KEY, TOKEN_KEY
from l4serve.report.shape import difference_schema

SCHEMA_FILE = Path("docs/stack.schema.json")
DIFFERENCE_FILE = Path("docs/diff.schema.json")
REFERENCE_FILE = Path("docs/config-reference.md")
LISTS = Path("docs/reference")


def stack_file_schema() -> Mapping[str, Any]:
    """JSON Schema (draft 2020-12) of `Pulumi.<stack>.yaml`, for editors."""
    serving = _widened(config_schema())
    definitions = serving.pop("$defs")
    workload = definitions["Workload"]
    workload["properties"]["recipe"] = {
        "anyOf": [{"type": "string", "enum": sorted(recipes())}, {"type": "null"}],
        "description": workload["properties"]["recipe"]["description"],
    }
    definitions["ModelOverRecipe"] = _optional(definitions["Model"])
    definitions["WorkloadOverRecipe"] = _over_recipe(workload, definitions)
    serving["properties"]["workloads"]["additionalProperties"] = {
        "if": {"required": ["recipe"]},
        "then": {"$ref": "#/$defs/WorkloadOverRecipe"},
        "else": {"$ref": "#/$defs/Workload"},
    }
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Stack of gke-llm-serving",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "properties": {
                    SERVING_KEY: serving,
                    TOKEN_KEY: {
                        "description": "Hugging Face token, as `pulumi config set --secret hfToken` writes it.",
                        "type": "object",
                        "properties": {"secure": {"type": "string"}},
                        "required": ["secure"],
                        "additionalProperties": False,
                    },
                    "gcp:project": {"type": "string", "description": "Google Cloud project that pays for the stack."},
                },
                "required": [SERVING_KEY],
            }
        },
        "required": ["config"],
        "$defs": definitions,
    }
    found: Mapping[str, Any] = told_apart(whole)
    return found


def _kindless_engine(engines: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """An engine whose kind a recipe gives: the keys of every engine, each in the form of one of them."""
    keys = dict.fromkeys(key for engine in engines for key in engine["properties"] if key != "kind")
    forms = {key: [e["properties"][key] for e in engines if key in e["properties"]] for key in keys}
    properties = {
        key: {"description": found[0]["description"], "anyOf": [*found, {"type": "null"}]}
        for key, found in forms.items()
    }
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _optional(definition: Mapping[str, Any]) -> dict[str, Any]:
    """An object of which any part may be left out or set to null."""
    parts = {name: {"anyOf": [part, {"type": "null"}]} for name, part in definition["properties"].items()}
    return {key: value for key, value in definition.items() if key != "required"} | {"properties": parts}


def _over_recipe(workload: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """A workload over a recipe, which gives the engine's kind and the model where they are left out."""
    chosen = workload["properties"]["engine"]
    kinds = [definitions[ref.rsplit("/", 1)[-1]] for ref in chosen["discriminator"]["mapping"].values()]
    engine = {
        "if": {"required": ["kind"]},
        "then": chosen,
        "else": _kindless_engine(kinds),
        "description": chosen["description"],
    }
    model = {"$ref": "#/$defs/ModelOverRecipe"}
    return _optional({**workload, "properties": {**workload["properties"], "engine": engine, "model": model}})


def _widened(schema: Any) -> Any:
    """The schema with numbers where the loader takes them for strings: wherever no form is asked for."""
    if isinstance(schema, list):
        return [_widened(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    widened = {key: _widened(value) for key, value in schema.items()}
    if schema.get("type") == "string" and not {"const", "enum", "pattern"} & schema.keys():
        widened["type"] = ["string", "number"]
    return widened


def schema_text() -> str:
    """The schema of a stack file as an editor reads it from a file."""
    return json.dumps(stack_file_schema(), indent=2) + "\n"


def generated_files() -> Mapping[Path, str]:
    """Every generated document by its path in the project."""
    return {
        SCHEMA_FILE: schema_text(),
        DIFFERENCE_FILE: json.dumps(difference_schema(), indent=2) + "\n",
        REFERENCE_FILE: config_reference(),
        **{LISTS / name: text for name, text in lists().items()},
    }


def schema(
    write: Annotated[bool, typer.Option("--write", help="Write the schema and the reference into docs/.")] = False,
) -> None:
    """Print the JSON Schema of a stack file, or write it and the config reference into the project."""
    if not write:
        print_json(stack_file_schema())
        return
    root = root_to_write("the schema")
    for path, text in generated_files().items():
        target = root / path
        try:
            target.parent.mkdir(exist_ok=True)
            target.write_text(text, encoding="utf-8")
        except OSError as error:
            raise refuse_input(f"{target} cannot be written: {error.strerror}; run this in a clone of yours") from None
        say(str(path))
