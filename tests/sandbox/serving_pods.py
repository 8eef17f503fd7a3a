"""Which pods serve while something happens to them, read from every event, so that no moment is missed."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from kubernetes.client import ApiClient, CoreV1Api, V1Pod
from kubernetes.watch import Watch

Serving = frozenset[str]
"""The names of the pods that serve at a moment."""

_WATCH_S = 1
"""After so long a watch is asked for anew, so that it ends soon after what is watched."""


def is_serving(pod: V1Pod) -> bool:
    """Whether a pod is ready and not on its way out: a Service sends requests to no other."""
    conditions = pod.status.conditions or ()
    return pod.metadata.deletion_timestamp is None and any(
        each.type == "Ready" and each.status == "True" for each in conditions
    )


@contextmanager
def serving_pods(client: ApiClient, namespace: str, selector: str = "") -> Iterator[list[Serving]]:
    """Who serves at the start of the block and after each event of a pod; whole once the block has ended.

    `client` is the block's own: one client serves one thread.
    """
    core, over = CoreV1Api(client), threading.Event()
    listed = core.list_namespaced_pod(namespace, label_selector=selector)
    moments = [frozenset(pod.metadata.name for pod in listed.items if is_serving(pod))]

    def follow(version: str) -> str:
        """Takes the events after a version of the list; returns the version of the last one."""
        asked = {"label_selector": selector, "resource_version": version, "timeout_seconds": _WATCH_S}
        for event in Watch().stream(core.list_namespaced_pod, namespace, **asked):
            pod: V1Pod = event["object"]
            version = pod.metadata.resource_version
            alone = {pod.metadata.name}
            serves = event["type"] != "DELETED" and is_serving(pod)
            moments.append(moments[-1] | alone if serves else moments[-1] - alone)
        return version

    def watch() -> None:
        version, last = listed.metadata.resource_version, False
        while not last:
            last = over.is_set()
            version = follow(version)

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(watch)
        try:
            yield moments
        finally:
            over.set()
        watching.result()  # a watch that broke has missed moments, and raises here
