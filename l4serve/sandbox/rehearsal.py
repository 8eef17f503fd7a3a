"""A rehearsal: the rendered objects of a stack on a real control plane with the nodes of its plan."""

import time
from collections.abc import Sequence
from pathlib import Path

from kubernetes.client import ApiClient

from l4serve.config.frozen import frozen
from l4serve.planning.machines.daemonsets import Overhead
from l4serve.sandbox.apply import Applier, ApplyFailure
from l4serve.sandbox.autoscaler import Autoscaler, ScaleUp
from l4serve.sandbox.daemons import daemon_set
from l4serve.sandbox.lifecycle import running_sandbox
from l4serve.sandbox.nodes import FakeNode
from l4serve.sandbox.pod_locations import PodPlacement
from l4serve.sandbox.pods import KubeObject
from l4serve.sandbox.progress import Progress, silent
from l4serve.sandbox.rollout_watch import await_daemons, await_nodes, await_rollout
from l4serve.sandbox.stand_ins import missing_claims, missing_namespaces
from l4serve.sandbox.state import SandboxState

_NODES_TIMEOUT_S = 60.0


@frozen(kw_only=True)
class Rehearsal:
    """What came of it."""

    label: str
    """What was rehearsed, such as a stack's name."""
    version: str
    """Kubernetes version of the control plane."""
    nodes: tuple[FakeNode, ...]
    """The planned ones, and those that were added for pods."""
    placements: tuple[PodPlacement, ...]
    failures: tuple[ApplyFailure, ...]
    """Objects that the API server refused."""
    seconds: float
    kubeconfig: Path | None
    """Of the sandbox that was kept; None where it ended."""

    @property
    def ok(self) -> bool:
        """Whether every object was taken and every pod runs."""
        return not self.failures and all(placement.ready for placement in self.placements)


def rehearse_objects(
    objects: Sequence[KubeObject],
    nodes: Sequence[FakeNode],
    *,
    label: str,
    timeout_s: float,
    autoscaler: Autoscaler,
    keep: bool = False,
    progress: Progress = silent,
) -> Rehearsal:
    """Apply the objects to a fresh sandbox with these nodes and say where every pod landed.

    `autoscaler` adds further nodes, and says what GKE's daemonsets take of each. Raises SandboxError where the
    sandbox itself fails.
    """
    began = time.monotonic()
    with running_sandbox(label, keep=keep, progress=progress) as sandbox, sandbox.client() as client:
        applier = prepare(sandbox, client, nodes, overhead=autoscaler.overhead, progress=progress)
        scale_up = ScaleUp(autoscaler, applier.create_node)
        failures = applier.apply([*missing_namespaces(objects), *missing_claims(objects), *objects], progress)
        placements = await_rollout(client, objects, timeout_s=timeout_s, scale_up=scale_up, progress=progress)
        return Rehearsal(
            label=label,
            version=sandbox.version,
            nodes=(*nodes, *scale_up.nodes),
            placements=placements,
            failures=failures,
            seconds=time.monotonic() - began,
            kubeconfig=sandbox.kubeconfig if keep else None,
        )


def prepare(
    sandbox: SandboxState,
    client: ApiClient,
    nodes: Sequence[FakeNode],
    *,
    overhead: Overhead | None = None,
    progress: Progress = silent,
) -> Applier:
    """Make a fresh sandbox look like the planned cluster: GKE's kinds, nodes and daemonsets."""
    applier = Applier(client, sandbox.folder / "discovery.json")
    progress("serving GKE's kinds", 0, None)
    applier.apply_definitions()
    for done, node in enumerate(nodes):
        progress("making the nodes", done, len(nodes))
        applier.create_node(node)
    await_nodes(client, timeout_s=_NODES_TIMEOUT_S, progress=progress)
    if overhead is not None:
        applier.apply([daemon_set(overhead)])
        await_daemons(client, len(nodes), timeout_s=_NODES_TIMEOUT_S, progress=progress)
    return applier
