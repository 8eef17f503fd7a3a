"""Stacks on Google Cloud under the real engine and Google's real provider, as far as a preview goes.

A preview asks no API of Google: the provider takes any access token and judges inputs by its own schemas. A proxy that
nobody serves holds it to that.
"""

import os
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from l4serve.cli.commands.render_command import Rendered
from l4serve.config.stack_file import named_secrets
from tests.factories import PROJECT
from tests.pulumi_cli.engine import Engine, Step, new_engine, path_of_engine

PROVIDER = "pulumi-resource-gcp"
LACKING = f"""{PROVIDER} is neither on PATH nor among the plugins of the Pulumi CLI.
    fix: pulumi plugin install resource gcp, or leave these tests out: pytest -m "not google_provider\""""
CREDENTIALS = ("GOOGLE_", "GCLOUD_", "CLOUDSDK_")
"""Begin the variables by which the provider finds a user's own project and login."""
KEPT_OFF = {
    "GOOGLE_OAUTH_ACCESS_TOKEN": "of nobody",
    "HTTPS_PROXY": "http://127.0.0.1:1",
    "NO_PROXY": "127.0.0.1,localhost",
    "KUBECONFIG": os.devnull,
}


def path_with_google(folder: Path) -> str:
    """A PATH with the engine and Google's provider; fails without: a skipped test would be taken for a passed one."""
    path = path_of_engine(folder)
    plugins = Path(os.environ.get("PULUMI_HOME", Path.home() / ".pulumi")) / "plugins"
    installed = shutil.which("pulumi") is not None and any(plugins.glob("resource-gcp-v*"))
    if shutil.which(PROVIDER, path=path) is None and not installed:
        pytest.fail(LACKING, pytrace=False)
    return path


def google_engine(folder: Path, stack: str, path: str, serving: Mapping[str, Any]) -> Engine:
    """A new stack of this serving object, with every secret that it names and no way to Google."""
    engine = new_engine(folder, stack, path)
    engine.environment = {
        **{name: value for name, value in engine.environment.items() if not name.startswith(CREDENTIALS)},
        **KEPT_OFF,
    }
    document = yaml.safe_load(engine.config_file.read_text("utf-8"))
    document.setdefault("config", {})["gcp:project"] = PROJECT
    engine.config_file.write_text(yaml.safe_dump(document), encoding="utf-8")
    engine.configure(dict(serving))
    engine.set_token("hf_only_for_previews")
    for name in named_secrets(serving):
        engine.call("config", "set", "--secret", f"gke-llm-serving:{name}", stdin="only for previews")
    return engine


def resources_of(rendered: Rendered) -> Counter[str]:
    """The custom resources that the program makes: Google's by kind and name, Kubernetes' by kind."""
    google = (f"{each['type'].rsplit(':', 1)[-1]} {each['name']}" for each in rendered.cloud)
    return Counter([*google, *(str(each["kind"]) for each in rendered.objects)])


def resources_in(steps: tuple[Step, ...]) -> Counter[str]:
    """The same of a preview."""
    google = (f"{step.kind} {step.name}" for step in steps if step.package == "gcp")
    return Counter([*google, *(step.kind for step in steps if step.package == "kubernetes")])
