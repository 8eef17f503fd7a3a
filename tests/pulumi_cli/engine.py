"""The Pulumi CLI on this project: a stack of its own in a file backend, and what each command did to its resources."""

import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from l4serve.sandbox.engine import path_with_engine
from tests.pulumi_cli.language_host import WARM
from tests.pulumi_cli.vault import PROVIDER as PROVIDER_OF_SECRETS

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ("components", "stacks", "__main__.py")
PREFIX = "gke-llm-serving"
COMMAND_S = 400
LANGUAGE_HOST = Path(__file__).with_name("language_host.py")
QUIET_START = Path(__file__).with_name("quiet_start.py")
WARM_PYTHON = Path(__file__).with_name("warm_python.py")
PROVIDER = "pulumi-resource-kubernetes"
FORGOTTEN = ("PULUMI_CONFIG", "PYTHONDONTWRITEBYTECODE")
"""Variables of the caller: a config of another project, and what has every command compile the program anew."""


@dataclass(frozen=True)
class Step:
    """One step of the engine on one resource."""

    op: str
    """Such as create, update, create-replacement, delete-replaced."""
    kind: str
    """Kubernetes kind or name of the component's type."""
    name: str
    fields: tuple[str, ...] = field(default=(), compare=False)
    """Inputs that differ, where the provider told."""
    package: str = field(default="", compare=False)
    """Whose resource it is: kubernetes, gcp, or l4serve for a component."""

    @property
    def own_name(self) -> str:
        """The name without the namespace that it may begin with."""
        return self.name.rpartition("/")[2]


@dataclass(frozen=True)
class Outcome:
    """What a command said and did. `steps` are in the engine's order, without resources that stay as they are."""

    output: str
    errors: str
    steps: tuple[Step, ...]
    warnings: str = ""


@dataclass
class Engine:
    """One stack of the unmodified program; `outputs` collects everything that the CLI ever printed."""

    folder: Path
    stack: str
    environment: dict[str, str]
    outputs: list[str] = field(default_factory=list)

    @property
    def config_file(self) -> Path:
        return self.folder / f"Pulumi.{self.stack}.yaml"

    @property
    def attributes_file(self) -> Path:
        """What Pulumi's library keeps beside the state."""
        return self.folder / "backend" / ".pulumi" / "stacks" / PREFIX / f"{self.stack}.json.attrs"

    def configure(self, serving: dict[str, Any]) -> None:
        """Put the serving object into the stack's file, beside what the CLI keeps there."""
        document = yaml.safe_load(self.config_file.read_text("utf-8"))
        document.setdefault("config", {})[f"{PREFIX}:serving"] = serving
        self.config_file.write_text(yaml.safe_dump(document), encoding="utf-8")

    def set_token(self, token: str) -> None:
        self.call("config", "set", "--secret", f"{PREFIX}:hfToken", stdin=token)

    def preview(self, *, refused: bool = False) -> Outcome:
        return self._run("preview", refused=refused)

    def up(self, *, refused: bool = False) -> Outcome:
        return self._run("up", "--yes", "--skip-preview", refused=refused)

    def refresh(self) -> Outcome:
        return self._run("refresh", "--yes", "--skip-preview")

    def destroy(self) -> Outcome:
        return self._run("destroy", "--yes", "--skip-preview")

    def _run(self, *arguments: str, refused: bool = False) -> Outcome:
        done = self.call(*arguments, "--json", refused=refused)
        steps, told = _read(done.stdout)
        return Outcome(done.stdout + done.stderr, "\n".join(told["error"]), steps, "\n".join(told["warning"]))

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Begin a command of the CLI on this stack and leave it running; what it prints is not kept."""
        return subprocess.Popen(
            ["pulumi", *arguments, "--stack", self.stack, "--non-interactive"],
            cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def call(
        self, *arguments: str, refused: bool = False, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the CLI on this stack and keep what it prints."""
        done = subprocess.run(
            ["pulumi", *arguments, "--stack", self.stack, "--non-interactive"],
            cwd=self.folder, env=self.environment, input=stdin, capture_output=True, text=True, timeout=COMMAND_S,
        )  # fmt: skip
        self.outputs.append(done.stdout + done.stderr)
        assert bool(done.returncode) is refused, done.stdout[-4000:] + done.stderr[-4000:]
        return done

    def l4serve(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command of the program's own CLI where this stack is, with what the engine would find there."""
        return subprocess.run(
            [sys.executable, "-c", "from l4serve.cli.start import main; main()", *arguments],
            cwd=self.folder, env={**self.environment, "PYTHONPATH": str(ROOT)},
            input=stdin, capture_output=True, text=True, timeout=60,
        )  # fmt: skip


def path_of_engine(folder: Path) -> str:
    """A PATH with the CLI, the Kubernetes provider and a language host, the user's own first; `folder` takes the host.

    Fails where a user's CLI lacks the provider: a skipped test would be taken for a passed one.
    """
    host = folder / "pulumi-language-python"
    # Ignored until the host can end without a trace: an interrupt may come while its interpreter starts.
    lines = (
        "#!/bin/sh",
        'trap "" INT',
        f'test -z "${WARM}" || exec {sys.executable} -S {WARM_PYTHON} call "${WARM}" "$@"',
        f'exec {sys.executable} {QUIET_START} {LANGUAGE_HOST} "$@"',
    )
    host.write_text("\n".join([*lines, ""]), encoding="utf-8")
    host.chmod(0o755)
    path = os.pathsep.join([path_with_engine(), str(folder)])
    plugins = Path(os.environ.get("PULUMI_HOME", Path.home() / ".pulumi")) / "plugins"
    if shutil.which(PROVIDER, path=path) is None and not any(plugins.glob("resource-kubernetes-v*")):
        pytest.fail("the Pulumi CLI has no Kubernetes provider: pulumi plugin install resource kubernetes")
    return path


def new_engine(folder: Path, stack: str, path: str, vault: Mapping[str, str] | None = None) -> Engine:
    """A stack with a file backend inside `folder`, on the program of this checkout; no config of the user counts.

    Its secrets are a passphrase's, or those of a vault that these variables name.
    """
    for name in PROGRAM:
        (folder / name).symlink_to(ROOT / name)
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text("utf-8"))
    project["runtime"]["options"] = {"toolchain": "pip", "virtualenv": sys.prefix}
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(project), encoding="utf-8")
    backend = folder / "backend"
    for each in (backend, folder / "tmp"):
        each.mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(FORGOTTEN)},
        "PATH": path,
        "PULUMI_BACKEND_URL": backend.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "only for this test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "NO_COLOR": "1",
        "GOGC": "400",  # Commands of seconds: Go need not look for garbage so often.
        "TMPDIR": str(folder / "tmp"),  # the Kubernetes provider leaves a copy of its kubeconfig there
        **(vault or {}),
    }
    if shutil.which("pulumi") is None:  # what is built has no home of its own
        environment["PULUMI_HOME"] = str(folder / "home")
    engine = Engine(folder, stack, environment)
    secrets = "passphrase" if vault is None else PROVIDER_OF_SECRETS
    subprocess.run(
        ["pulumi", "stack", "init", stack, "--non-interactive", "--secrets-provider", secrets],
        cwd=folder, env=environment, check=True, capture_output=True, timeout=COMMAND_S,
    )  # fmt: skip
    return engine


def _read(text: str) -> tuple[tuple[Step, ...], dict[str, list[str]]]:
    """Steps, and messages by severity, from a preview's one document or from the stream of events of an update."""
    steps: list[Step] = []
    told: dict[str, list[str]] = defaultdict(list)
    for document in _documents(text):
        found = document.get("steps") or []
        if "resourcePreEvent" in document:
            found = [document["resourcePreEvent"]["metadata"]]
        steps += [_step(each) for each in found if each["op"] not in ("same", "refresh")]
        diagnostics = document.get("diagnostics") or []
        if "diagnosticEvent" in document:
            diagnostics = [document["diagnosticEvent"]]
        for each in diagnostics:
            told[each["severity"]].append(each["message"])
    return tuple(steps), told


def _documents(text: str) -> list[dict[str, Any]]:
    try:
        return [json.loads(text)]
    except ValueError:
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def _step(raw: dict[str, Any]) -> Step:
    _, _, types, name = raw["urn"].split("::")
    package, *_, kind = types.rsplit("$", 1)[-1].split(":")
    return Step(raw["op"], kind, name, fields=tuple(raw.get("detailedDiff") or ()), package=package)
