"""A sandbox for the real Pulumi engine and its Kubernetes provider, and a served stack on it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import AdmissionregistrationV1Api, ApiClient, AppsV1Api, CoreV1Api
from kubernetes.client.exceptions import ApiException

from l4serve.planning.machines.shapes import find_shape
from l4serve.sandbox.apply import Applier
from l4serve.sandbox.lifecycle import running_sandbox
from l4serve.sandbox.nodes import FakeNode, accelerator_labels
from l4serve.sandbox.rehearsal import prepare
from l4serve.sandbox.rollout_watch import await_nodes
from l4serve.sandbox.state import SandboxState
from tests.pulumi_cli.engine import ROOT, WARM_PYTHON, Engine, Outcome, new_engine, path_of_engine
from tests.pulumi_cli.language_host import WARM
from tests.pulumi_cli.vault import vault
from tests.sandbox.sandbox_objects import l4_node

END_S = 120.0
"""Longer than an update of two small Deployments takes once nothing is in its way."""
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
    """A running sandbox with a client of it, and the PATH on which the engine is found."""

    state: SandboxState
    client: ApiClient
    applier: Applier
    path: str
    warm: str | None = None
    """Socket of a Python that has loaded what the program loads; None starts each program anew."""
    vault: Mapping[str, str] | None = None
    """Variables of a vault for the keys of stacks; None has each command derive its key from a passphrase."""


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


def _gpu_node(name: str) -> FakeNode:
    node = l4_node(name, "l4")
    shape = find_shape(node.machine_type)
    assert shape is not None
    return replace(node, labels={**node.labels, **accelerator_labels(shape)})


@contextmanager
def warm_python(folder: Path, kubeconfig: Path) -> Iterator[str]:
    """Socket of a Python that forks for every run of the program; its client of Kubernetes is one of this cluster."""
    path = folder / "socket"
    known = {**os.environ, "PYTHONPATH": str(ROOT), "KUBECONFIG": str(kubeconfig)}
    command = [sys.executable, str(WARM_PYTHON), "serve", str(path), str(os.getpid())]
    with subprocess.Popen(command, env=known) as process:
        try:
            await_true(path.exists)
            yield str(path)
        finally:
            process.kill()


@contextmanager
def plane_of(folder: Path, name: str) -> Iterator[ControlPlane]:
    """A running control plane whose engine is found and whose programs start warm; `folder` is empty."""
    path = path_of_engine(folder)
    with (
        running_sandbox(name) as state,
        warm_python(folder, state.kubeconfig) as warm,
        vault() as keys,
        state.client() as client,
    ):
        yield ControlPlane(state, client, prepare(state, client, ()), path, warm, keys)


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """In the user's own state folder, where the next sandbox ends what a killed run left and nothing in use."""
    with plane_of(tmp_path_factory.mktemp("engine"), "pulumi") as plane:
        yield plane


@contextmanager
def nodes_of(plane: ControlPlane, nodes: Iterable[FakeNode]) -> Iterator[None]:
    """The sandbox with these nodes and no others."""
    nodes = tuple(nodes)
    for node in nodes:
        plane.applier.create_node(node)
    try:
        await_nodes(plane.client, timeout_s=60.0)
        yield
    finally:
        for node in nodes:
            CoreV1Api(plane.client).delete_node(node.name)


@pytest.fixture(scope="module")
def deployed(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with nodes_of(control_plane, map(_gpu_node, NODES)):
        engine = engine_on(control_plane, tmp_path_factory.mktemp("deployed"), "deployed")
        engine.configure(serving_on(control_plane.state.kubeconfig))
        engine.set_token(TOKEN)
        previewed = engine.preview()
        try:
            yield Deployed(engine, control_plane.client, previewed, engine.up())
        finally:
            engine.destroy()


@contextmanager
def stack_on(
    plane: ControlPlane, nodes: Iterable[FakeNode], folder: Path, name: str, config: dict[str, Any]
) -> Iterator[Engine]:
    """A stack that is up on exactly these nodes; after, its namespace is deleted: a destroy would take far longer."""
    with nodes_of(plane, nodes):
        engine = engine_on(plane, folder, name)
        engine.configure(config)
        try:
            engine.up()
            yield engine
        finally:
            end_space(plane, config["namespace"])


def end_space(plane: ControlPlane, namespace: str) -> None:
    """Delete a namespace and wait until it is gone, so that the next test can make it anew."""
    core, deadline = CoreV1Api(plane.client), time.monotonic() + END_S
    # The namespace would wait for half of its pods' grace period before it looks again.
    AppsV1Api(plane.client).delete_collection_namespaced_deployment(namespace)
    AppsV1Api(plane.client).delete_collection_namespaced_replica_set(namespace)
    core.delete_collection_namespaced_pod(namespace, grace_period_seconds=0)
    while True:
        try:
            core.delete_namespace(namespace)
        except ApiException as error:
            if error.status == 404:
                return
            assert error.status == 409
        assert time.monotonic() < deadline
        time.sleep(0.2)


@contextmanager
def refusing_webhook(plane: ControlPlane, group: str = "apps", resources: str = "deployments") -> Iterator[str]:
    """A webhook that nobody serves and that every new Deployment has to pass, or what else is named."""
    name = "nobody.example.com"
    rule = {"apiGroups": [group], "apiVersions": ["v1"], "resources": [resources], "operations": ["*"]}
    body: Any = {
        "metadata": {"name": name},
        "webhooks": [
            {
                "name": name,
                "clientConfig": {"url": "https://127.0.0.1:1/"},
                "rules": [rule],
                "failurePolicy": "Fail",
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
                "timeoutSeconds": 2,
            }
        ],
    }  # fmt: skip
    api = AdmissionregistrationV1Api(plane.client)
    api.create_validating_webhook_configuration(body)
    time.sleep(2.0)  # the API server takes a configuration up within a second
    try:
        yield name
    finally:
        api.delete_validating_webhook_configuration(name)
        time.sleep(2.0)


def without_checkpoints(engine: Engine) -> None:
    """For hundreds of resources: their state, written after each step, takes longer than the steps."""
    engine.environment |= {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}


def ready_in(plane: ControlPlane, namespace: str) -> dict[str, int]:
    """Ready replicas of each Deployment of a namespace."""
    found = AppsV1Api(plane.client).list_namespaced_deployment(namespace).items
    return {each.metadata.name: each.status.ready_replicas or 0 for each in found}


def engine_on(plane: ControlPlane, folder: Path, stack: str, *, quick: bool = True) -> Engine:
    """A new stack whose environment points at the sandbox; all is as a user has it unless it is to be quick."""
    engine = new_engine(folder, stack, plane.path, plane.vault if quick else None)
    engine.environment["KUBECONFIG"] = str(plane.state.kubeconfig)
    if quick and plane.warm is not None:
        engine.environment[WARM] = plane.warm
    return engine


def await_true(holds: Callable[[], object]) -> None:
    """Until something that another process brings about holds."""
    deadline = time.monotonic() + END_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
