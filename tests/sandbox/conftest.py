"""One real control plane for all tests that need one, ended whatever happens."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from kubernetes.client import ApiClient

from l4serve.sandbox.apply import Applier
from l4serve.sandbox.lifecycle import running_sandbox
from l4serve.sandbox.rehearsal import prepare
from l4serve.sandbox.state import SandboxState
from tests.sandbox.sandbox_objects import l4_node

OLD_POOL = ("old-0", "old-1")
NEW_POOL = ("new-0", "new-1")
SMALL_POOL = ("small-0", "small-1")


@dataclass(frozen=True)
class Cluster:
    """The control plane of the tests: pool `l4`, made twice as when it is replaced, and pool `small`."""

    state: SandboxState
    client: ApiClient
    applier: Applier


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """In the user's own state folder, where the next sandbox ends what a killed run left and nothing in use."""
    pools = {"l4": (*OLD_POOL, *NEW_POOL), "small": SMALL_POOL}
    nodes = [l4_node(name, pool) for pool, members in pools.items() for name in members]
    with running_sandbox("tests") as state, state.client() as client:
        yield Cluster(state, client, prepare(state, client, nodes))


@pytest.fixture
def state_dir(tmp_path, monkeypatch: pytest.MonkeyPatch):
    """A state folder of the test's own, so that a kept sandbox of the person running the tests is left alone."""
    folder = tmp_path / "state"
    monkeypatch.setenv("L4SERVE_STATE_DIR", str(folder))
    return folder / "sandbox"
