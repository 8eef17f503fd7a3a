"""l4serve render: the Kubernetes manifests and cloud resources that the unmodified program would create."""

import json
import re
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from l4serve.cli.program import own_program
from l4serve.cli.recording import Registration, record_program
from l4serve.cli.shell.messages import print_notes, readable_refusals, refuse_input
from l4serve.cli.shell.output import one_line, print_json, say
from l4serve.cli.subjects.stack_options import FileOption, JsonOption, StackOption, load
from l4serve.config.frozen import frozen
from l4serve.config.stack_file import PROJECT, SERVING_KEY, TOKEN_KEY, Stack, named_secrets
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.stack.stack_planner import plan_stack

KUBERNETES = "kubernetes:"
CLOUD_FILE = "cloud.json"
_MANIFEST_FILE = re.compile(r"\d{3,}-[a-z]+-[-a-z0-9.]+\.yaml")
_ORDER = (
    "Namespace",
    "CustomResourceDefinition",
    "ComputeClass",
    "PriorityClass",
    "ServiceAccount",
    "SecretProviderClass",
    "Secret",
    "PodDisruptionBudget",
    "Service",
    "Deployment",
)
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""The one of libyaml, where PyYAML has it, takes a tenth of the time."""


@frozen()
class Rendered:
    """What a stack's program creates: its plan, Kubernetes objects in apply order, and the other resources."""

    plan: StackPlan
    objects: tuple[Mapping[str, Any], ...]
    cloud: tuple[Mapping[str, Any], ...]
    """Resources of Google Cloud, as {"type", "name", "inputs", "options"}."""
    outputs: Mapping[str, Any]


def render_stack(stack: Stack) -> Rendered:
    """Runs the program for a stack. Raises ConfigError for a refused config; decrypts nothing.

    The Hugging Face token is a marker, also where the stack has none: what it is needed for shows all the same.
    """
    planned = plan_stack(stack)
    config = {SERVING_KEY: json.dumps(stack.serving), TOKEN_KEY: "placeholder-for-the-token"}
    keys = {f"{PROJECT}:{name}": "placeholder-for-a-key" for name in named_secrets(stack.serving)}
    config |= keys
    if stack.project:
        config["gcp:project"] = stack.project
    if planned.secret is None:
        del config[TOKEN_KEY]
    monitor = record_program(
        own_program(),
        project=PROJECT,
        stack=stack.name,
        base=stack.base,
        config=config,
        secrets=(TOKEN_KEY, *keys),
    )
    resources = tuple(r for r in monitor.registrations if r.custom and not r.type.startswith("pulumi:"))
    objects = (_manifest(r) for r in resources if r.type.startswith(KUBERNETES))
    return Rendered(
        plan=planned,
        objects=tuple(sorted(objects, key=_apply_rank)),
        cloud=tuple(_cloud(r) for r in sorted(resources, key=_cloud_rank) if not r.type.startswith(KUBERNETES)),
        outputs=monitor.exports,
    )


def _manifest(resource: Registration) -> Mapping[str, Any]:
    """A resource as the API server takes it: the inputs of the provider's types are the API's own."""
    annotations = resource.inputs.get("metadata", {}).get("annotations", {})
    kept = {key: value for key, value in annotations.items() if not key.startswith("pulumi.com/")}
    metadata = {key: value for key, value in resource.inputs["metadata"].items() if key != "annotations"}
    return {**resource.inputs, "metadata": metadata | ({"annotations": kept} if kept else {})}


def _cloud(resource: Registration) -> Mapping[str, Any]:
    return {
        "type": resource.type,
        "name": resource.name,
        "inputs": resource.inputs,
        "options": resource.options,
    }


def _cloud_rank(resource: Registration) -> tuple[str, str]:
    """An order that does not hang on which of the program's tasks came first."""
    return resource.type, resource.name


def _apply_rank(manifest: Mapping[str, Any]) -> tuple[int, str, str]:
    kind = str(manifest["kind"])
    return (_ORDER.index(kind) if kind in _ORDER else len(_ORDER), kind, str(manifest["metadata"]["name"]))


def write_rendered(rendered: Rendered, folder: Path) -> tuple[Path, ...]:
    """Writes one YAML file per Kubernetes object in apply order, and cloud.json; nothing before all is made.

    Replaces the files of an earlier rendering; raises FileExistsError where the folder holds anything else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    earlier = tuple(folder.iterdir())
    if not _is_rendering(earlier):
        raise FileExistsError(f"{folder} holds files that no rendering wrote")
    with tempfile.TemporaryDirectory(dir=folder, prefix=".l4serve-") as scratch:
        staged = [Path(scratch) / CLOUD_FILE]
        staged[0].write_text(json.dumps(rendered.cloud, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        for i, manifest in enumerate(rendered.objects):
            name = f"{i:03d}-{manifest['kind'].lower()}-{manifest['metadata']['name']}.yaml"
            staged.append(Path(scratch) / name)
            staged[-1].write_text(yaml.dump(_plain(manifest), Dumper=_DUMPER), encoding="utf-8")
        for file in earlier:
            file.unlink()
        return tuple(sorted(file.replace(folder / file.name) for file in staged))


def _is_rendering(files: Collection[Path]) -> bool:
    """Whether files are what an earlier rendering wrote, or none: only those are ours to delete."""
    if any(not file.is_file() or file.is_symlink() for file in files):
        return False
    names = {file.name for file in files} - {CLOUD_FILE}
    return not files or (len(names) < len(files) and all(_MANIFEST_FILE.fullmatch(name) for name in names))


def _plain(value: Any) -> Any:
    """A copy without shared parts, so that YAML writes no anchors."""
    return json.loads(json.dumps(value))


def render(
    out: Annotated[Path, typer.Option("--out", help="Folder to write the files into.")],
    stack: StackOption = None,
    file: FileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the Kubernetes manifests and the cloud resources that the program would create."""
    loaded = load(stack, file)
    with readable_refusals(loaded.file):
        rendered = render_stack(loaded)
    print_notes(rendered.plan)
    try:
        files = write_rendered(rendered, out)
    except (FileExistsError, NotADirectoryError) as error:
        said = str(error) if error.errno is None else "it is a file, or lies below one"
        raise refuse_input(f"--out {out}: {said}; name a new folder, or that of an earlier rendering") from None
    except OSError as error:
        raise refuse_input(f"--out {out}: {error.strerror or error}; name a folder that may be written") from None
    if as_json:
        print_json({"files": [str(f) for f in files]})
    else:
        say(f"{len(rendered.objects)} Kubernetes objects and {len(rendered.cloud)} cloud resources in {one_line(out)}")
