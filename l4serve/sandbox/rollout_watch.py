"""Watches a rollout until all is available, until nothing more can happen, or until time is up."""

import time
from collections.abc import Callable, Iterable
from typing import Any

from kubernetes.client import ApiClient

from l4serve.sandbox.admin_kubeconfig import read_json
from l4serve.sandbox.apply import namespace_of
from l4serve.sandbox.pod_locations import PodPlacement, Snapshot
from l4serve.sandbox.pods import KubeObject
from l4serve.sandbox.progress import Progress, silent

POLL_S = 0.3
SETTLE_S = 5.0
"""How long the refusal of all that is left must stand: a preemption or a retry would change something."""


def take_snapshot(client: ApiClient, deployments: Iterable[KubeObject]) -> Snapshot:
    """What the API holds now of these Deployments, of all pods and of all nodes."""
    wanted = {(namespace_of(each), each["metadata"]["name"]) for each in deployments if each["kind"] == "Deployment"}
    found = _items(client, "/apis/apps/v1/deployments")
    return Snapshot(
        deployments=tuple(
            each for each in found if (each["metadata"]["namespace"], each["metadata"]["name"]) in wanted
        ),
        pods=tuple(_items(client, "/api/v1/pods")),
        nodes=tuple(_items(client, "/api/v1/nodes")),
    )


def await_rollout(
    client: ApiClient,
    objects: Iterable[KubeObject],
    *,
    timeout_s: float,
    settle_s: float = SETTLE_S,
    scale_up: Callable[[Snapshot], bool] = lambda _: False,
    progress: Progress = silent,
) -> tuple[PodPlacement, ...]:
    """Where the pods of the Deployments among `objects` are, once they run or waiting is of no use.

    `scale_up` may add nodes for what is pending, and says whether it did.
    Waiting ends once nothing changed for `settle_s` while each pod that does not run is refused, or after `timeout_s`.
    """
    deployments = [each for each in objects if each["kind"] == "Deployment"]
    watch = RolloutWatch(timeout_s=timeout_s, settle_s=settle_s, scale_up=scale_up)
    while not watch.is_over(take_snapshot(client, deployments)):
        progress("waiting for the pods", sum(row.ready for row in watch.placements), len(watch.placements))
        time.sleep(POLL_S)
    return watch.placements


class RolloutWatch:
    """Judges one rollout by snapshots of it, until waiting is of no use."""

    def __init__(self, *, timeout_s: float, settle_s: float, scale_up: Callable[[Snapshot], bool]) -> None:
        self._scale_up, self._settle_s = scale_up, settle_s
        self._unchanged_since = time.monotonic()
        self._deadline = self._unchanged_since + timeout_s
        self.placements: tuple[PodPlacement, ...] = ()
        """Where the pods were in the last snapshot."""

    def is_over(self, snapshot: Snapshot) -> bool:
        """Whether all pods run, or nothing more can happen, or time is up."""
        before, self.placements = self.placements, snapshot.placements()
        now = time.monotonic()
        if self._scale_up(snapshot) or not snapshot.are_nodes_ready or self.placements != before:
            self._unchanged_since = now
        # A Deployment's own count lags behind its pods, hence both are asked.
        done = snapshot.is_rolled_out and all(row.ready for row in self.placements)
        settled = all(row.final for row in self.placements) and now - self._unchanged_since >= self._settle_s
        return done or settled or now >= self._deadline


def await_nodes(client: ApiClient, *, timeout_s: float, progress: Progress = silent) -> None:
    """Wait until every node is open to pods, for `timeout_s` at most."""
    deadline = time.monotonic() + timeout_s
    while not take_snapshot(client, ()).are_nodes_ready and time.monotonic() < deadline:
        progress("waiting for the nodes", 0, None)
        time.sleep(POLL_S)


def await_daemons(client: ApiClient, node_count: int, *, timeout_s: float, progress: Progress = silent) -> None:
    """Wait until every DaemonSet runs on each of `node_count` nodes, for `timeout_s` at most."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        daemons = _items(client, "/apis/apps/v1/daemonsets")
        ready = [each.get("status", {}).get("numberReady", 0) for each in daemons]
        progress("waiting for the nodes", min(ready, default=node_count), node_count)
        if all(count >= node_count for count in ready):
            return
        time.sleep(POLL_S)


def _items(client: ApiClient, path: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = read_json(client, path)["items"]
    return items
