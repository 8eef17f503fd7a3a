"""Times `pulumi preview` of the program against a plain program with the same Kubernetes resources.

python -m benchmarks.engine.preview_speed --runs 7

Both run under the same engine on the same sandbox, in turn. Prints the medians and their ratios: seconds on the clock,
which another load of the machine lengthens, and seconds of processor of the CLI, its plugins and the program.
"""

import argparse
import os
import re
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from l4serve.cli.commands.render_command import render_stack
from l4serve.sandbox.lifecycle import running_sandbox
from l4serve.sandbox.rehearsal import prepare
from tests.factories import ROOT, loaded
from tests.pulumi_cli.conftest import ControlPlane, engine_on
from tests.pulumi_cli.engine import Engine, path_of_engine

STACK = "local"
PLAIN_HEAD = """import pulumi
import pulumi_kubernetes as k8s

provider = k8s.Provider("kubernetes", enable_server_side_apply=True)
opts = pulumi.ResourceOptions(provider=provider)
"""


def plain_program(objects: Any) -> str:
    """The same objects, each by its own constructor, as one would write them down by hand."""
    lines = [PLAIN_HEAD]
    for number, each in enumerate(objects):
        group, _, version = each["apiVersion"].rpartition("/")
        module = f"k8s.{(group or 'core').split('.')[0]}.{version}"
        fields = {key: value for key, value in each.items() if key not in ("apiVersion", "kind")}
        values = ", ".join(f"{_snake(key)}={value!r}" for key, value in fields.items())
        lines.append(f'{module}.{each["kind"]}("object-{number}", {values}, opts=opts)')
    return "\n".join(lines) + "\n"


def _snake(key: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", key).lower()


class Taken(NamedTuple):
    """What one preview takes, in seconds."""

    clock: float
    processor: float


def timed_preview(engine: Engine) -> Taken:
    """What one preview takes; the processor's time counts every process that the CLI started and waited for."""
    began, used = time.monotonic(), _used_s()
    engine.preview()
    return Taken(time.monotonic() - began, _used_s() - used)


def _used_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(plane: ControlPlane, folder: Path, runs: int) -> dict[str, list[Taken]]:
    """What each preview of both programs takes, in turn after one that warms up."""
    document = yaml.safe_load((ROOT / f"Pulumi.{STACK}.yaml").read_text("utf-8"))
    serving = document["config"]["gke-llm-serving:serving"]
    ours = engine_on(plane, _new(folder / "ours"), "ours")
    ours.configure(serving)
    plain = engine_on(plane, _new(folder / "plain"), "plain")
    (plain.folder / "__main__.py").unlink()
    objects = render_stack(loaded(serving, project=None, name=STACK)).objects
    (plain.folder / "__main__.py").write_text(plain_program(objects), encoding="utf-8")
    engines = {"program": ours, "plain": plain}
    for engine in engines.values():
        timed_preview(engine)
    taken: dict[str, list[Taken]] = {name: [] for name in engines}
    for _ in range(runs):
        for name, engine in engines.items():
            taken[name].append(timed_preview(engine))
    return taken


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    asked = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each preview compiles what was edited since
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        os.environ["L4SERVE_STATE_DIR"] = str(_new(folder / "state"))
        path = path_of_engine(_new(folder / "engine"))
        with running_sandbox("preview speed") as state, state.client() as client:
            plane = ControlPlane(state, client, prepare(state, client, ()), path)
            taken = measure(plane, folder, asked.runs)
    for measured in Taken._fields:
        medians = {name: statistics.median(getattr(each, measured) for each in runs) for name, runs in taken.items()}
        ratio = medians["program"] / medians["plain"]
        print(measured, {name: round(each, 2) for name, each in medians.items()} | {"ratio": round(ratio, 3)})


if __name__ == "__main__":
    main()
