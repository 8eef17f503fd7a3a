"""A sandbox for the real Pulumi engine and its Kubernetes provider, and a served stack on it."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import ApiClient

from l4serve.planning.machines.shapes import find_shape
from l4serve.sandbox.lifecycle import running_sandbox
from l4serve.sandbox.nodes import FakeNode, accelerator_labels
from l4serve.sandbox.rehearsal import prepare
from l4serve.sandbox.state import SandboxState
from tests.pulumi_cli.engine import Engine, Outcome, new_engine
from tests.sandbox.sandbox_objects import l4_node

NODES = ("one", "two", "three")
TOKEN = "hf_first_token_of_the_tests"
SERVING: dict[str, Any] = {
    "namespace": "llm-engine",
    "huggingFace": {"tokenRevision": 1},
    "workloads": {
        "qwen": {
            "model": {"id": "Qwen/Qwen2.5-1.5B-Instruct", "gated": True},
            "engine": {"kind": "vllm", "version": "0.26.0", "maxModelLen": 8192},
        }
    },
}


@dataclass(frozen=True)
class ControlPlane:
    """A running sandbox with a client of it."""

    state: SandboxState
    client: ApiClient


@dataclass(frozen=True)
class Deployed:
    """A stack that is up, with what its first preview and its first update did."""

    engine: Engine
    client: ApiClient
    previewed: Outcome
    created: Outcome

    def serving(self, **changes: Any) -> dict[str, Any]:
        """The config of the stack; `changes` replace its top-level keys."""
        return serving_on(Path(self.engine.environment["KUBECONFIG"]), **changes)


def serving_on(kubeconfig: Path, **changes: Any) -> dict[str, Any]:
    """A small stack on the cluster of a kubeconfig."""
    return {"cluster": {"mode": "existing", "kubeconfig": str(kubeconfig)}, **SERVING, **changes}


def _has_provider(plugin: str) -> bool:
    home = Path(os.environ.get("PULUMI_HOME", Path.home() / ".pulumi"))
    return shutil.which(f"pulumi-{plugin}") is not None or any((home / "plugins").glob(f"{plugin}-v*"))


def _gpu_node(name: str) -> FakeNode:
    node = l4_node(name, "l4")
    shape = find_shape(node.machine_type)
    assert shape is not None
    return replace(node, labels={**node.labels, **accelerator_labels(shape)})


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    if not _has_provider("resource-kubernetes"):
        pytest.skip("the Pulumi CLI has no Kubernetes provider: pulumi plugin install resource kubernetes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("L4SERVE_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        with running_sandbox("pulumi") as state, state.client() as client:
            prepare(state, client, [_gpu_node(name) for name in NODES])
            yield ControlPlane(state, client)


@pytest.fixture(scope="module")
def deployed(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    engine = engine_on(control_plane, tmp_path_factory.mktemp("deployed"), "deployed")
    engine.configure(serving_on(control_plane.state.kubeconfig))
    engine.set_token(TOKEN)
    previewed = engine.preview()
    try:
        yield Deployed(engine, control_plane.client, previewed, engine.up())
    finally:
        engine.destroy()


def engine_on(plane: ControlPlane, folder: Path, stack: str) -> Engine:
    """A new stack whose environment points at the sandbox."""
    engine = new_engine(folder, stack)
    engine.environment["KUBECONFIG"] = str(plane.state.kubeconfig)
    return engine
