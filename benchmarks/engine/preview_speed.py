"""Times `pulumi preview` of the program against a plain program with the same Kubernetes resources.

python -m benchmarks.engine.preview_speed --runs 7

Both run under the same engine on the same sandbox, in turn. Prints the medians in seconds and their ratio.
"""

import argparse
import os
import re
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from l4serve.cli.render_command import render_stack
from l4serve.sandbox.lifecycle import running_sandbox
from l4serve.sandbox.rehearsal import prepare
from tests.factories import ROOT, loaded
from tests.pulumi_cli.conftest import TOKEN, ControlPlane, engine_on
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


def timed_preview(engine: Engine) -> float:
    """Seconds that one preview takes."""
    began = time.monotonic()
    engine.preview()
    return time.monotonic() - began


def measure(plane: ControlPlane, folder: Path, runs: int) -> dict[str, list[float]]:
    """Seconds of each preview of both programs, taken in turn after one that warms up."""
    document = yaml.safe_load((ROOT / f"Pulumi.{STACK}.yaml").read_text("utf-8"))
    serving = document["config"]["gke-llm-serving:serving"]
    ours = engine_on(plane, _new(folder / "ours"), "ours")
    ours.configure(serving)
    ours.set_token(TOKEN)
    plain = engine_on(plane, _new(folder / "plain"), "plain")
    (plain.folder / "__main__.py").unlink()
    objects = render_stack(loaded(serving, project=None, name=STACK)).objects
    (plain.folder / "__main__.py").write_text(plain_program(objects), encoding="utf-8")
    engines = {"program": ours, "plain": plain}
    for engine in engines.values():
        timed_preview(engine)
    seconds: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(runs):
        for name, engine in engines.items():
            seconds[name].append(timed_preview(engine))
    return seconds


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        os.environ["L4SERVE_STATE_DIR"] = str(_new(folder / "state"))
        path = path_of_engine(_new(folder / "engine"))
        with running_sandbox("preview speed") as state, state.client() as client:
            plane = ControlPlane(state, client, prepare(state, client, ()), path)
            medians = {name: statistics.median(each) for name, each in measure(plane, folder, asked.runs).items()}
    print({**{name: round(each, 2) for name, each in medians.items()},
           "ratio": round(medians["program"] / medians["plain"], 3)})  # fmt: skip


if __name__ == "__main__":
    main()
