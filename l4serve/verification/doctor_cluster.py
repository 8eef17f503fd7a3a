"""What the cluster says of a deployed stack: pods refused or waiting, nodes without a driver, blind autoscalers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from kubernetes import client as api
from kubernetes.client import ApiClient, ApiException
from urllib3.exceptions import HTTPError

from l4serve.config.data_file import load_data
from l4serve.config.secrecy.secret_shapes import excerpt
from l4serve.planning.machines.allocatable import Allocatable
from l4serve.planning.packing.pod_requests import GPU_RESOURCE, requests_of
from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.workload.nodes.node_choice import ACCELERATOR_LABEL
from l4serve.verification.doctor_alerts import alert_findings
from l4serve.verification.doctor_finding import Finding, bad, ok, unknown

_SECONDS = 20
_REVISION = "deployment.kubernetes.io/revision"


def cluster_findings(plan: StackPlan, client: ApiClient) -> Iterator[Finding]:
    """Findings about Deployments, pods, nodes and autoscalers; one that says so where the cluster does not answer."""
    core, apps, scaling = api.CoreV1Api(client), api.AppsV1Api(client), api.AutoscalingV2Api(client)
    try:
        deployments = _items(client, apps.list_namespaced_deployment(plan.namespace, _request_timeout=_SECONDS))
        replicas = _items(client, apps.list_namespaced_replica_set(plan.namespace, _request_timeout=_SECONDS))
        pods = _items(client, core.list_namespaced_pod(plan.namespace, _request_timeout=_SECONDS))
        events = _items(client, core.list_namespaced_event(plan.namespace, _request_timeout=_SECONDS))
        nodes = _items(client, core.list_node(label_selector=ACCELERATOR_LABEL, _request_timeout=_SECONDS))
        scalers = _items(
            client, scaling.list_namespaced_horizontal_pod_autoscaler(plan.namespace, _request_timeout=_SECONDS)
        )
    except (ApiException, HTTPError, OSError) as error:
        yield unknown("cluster", f"it does not answer: {type(error).__name__}", "l4serve verify -s STACK says why")
        return
    yield from refused_pods(deployments)
    yield from pods_of_other_sizes(replicas, pods)
    yield from pending_pods(pods, events)
    yield from drivers(nodes)
    yield from autoscalers(scalers)
    yield from alert_findings(plan, client)


def current_cluster(client: ApiClient) -> Iterator[Finding]:
    """Findings about a cluster that no stack is named of: whether it answers, and its GPU nodes."""
    try:
        nodes = _items(
            client, api.CoreV1Api(client).list_node(label_selector=ACCELERATOR_LABEL, _request_timeout=_SECONDS)
        )
    except (ApiException, HTTPError, OSError) as error:
        yield unknown("cluster", f"it does not answer: {type(error).__name__}", "kubectl get nodes says why")
        return
    yield ok("cluster", "that of the current context answers")
    yield from drivers(nodes)


def refused_pods(deployments: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
    """One finding for each Deployment whose pods the API server refuses, in its words; such pods are nowhere listed."""
    for deployment in deployments:
        refusal = _condition(deployment, "ReplicaFailure", "True")
        if refusal is not None:
            reason = str(refusal.get("message") or refusal.get("reason", ""))
            told = f"its pods are refused: {excerpt(reason, 300)}"
            fix = _remedy(reason, "refused", "kubectl describe replicaset says more")
            yield bad(f"Deployment {deployment['metadata']['name']}", told, fix)


def pods_of_other_sizes(
    replica_sets: Iterable[Mapping[str, Any]], pods: Iterable[Mapping[str, Any]]
) -> Iterator[Finding]:
    """One finding for each ReplicaSet whose pods have another size than newer ones of its Deployment without a node.

    A killed update leaves such pods, and the next one may not know of them: they can hold the GPUs that it waits for.
    """
    waiting = {_owner(pod) for pod in pods if _is_pending(pod) and not _has_node(pod)}
    newest: dict[str, Mapping[str, Any]] = {}
    alive = [each for each in replica_sets if (each.get("status") or {}).get("replicas") and _owner(each)]
    for each in sorted(alive, key=lambda found: int((found["metadata"].get("annotations") or {}).get(_REVISION, 0))):
        newest[_owner(each)] = each
    for each in alive:
        new, metadata = newest[_owner(each)], each["metadata"]
        if new["metadata"]["name"] in waiting and _pod_size(each) != _pod_size(new):
            told = f"{each['status']['replicas']} of its pods have another size than a new one, which waits for a node"
            own = f"kubectl -n {metadata['namespace']} delete replicaset {metadata['name']}"
            fix = f"nothing while an update makes headway; where it stands still, {own} ends the old pods at once"
            yield bad(f"Deployment {_owner(each)}", told, fix)


def _pod_size(replica_set: Mapping[str, Any]) -> Allocatable:
    return requests_of(replica_set["spec"]["template"]["spec"])


def _owner(each: Mapping[str, Any]) -> str:
    """The Deployment of a ReplicaSet, or the ReplicaSet of a pod; empty where it has none."""
    return next((str(owner["name"]) for owner in each["metadata"].get("ownerReferences") or ()), "")


def _is_pending(pod: Mapping[str, Any]) -> bool:
    return bool(pod.get("status", {}).get("phase") == "Pending")


def pending_pods(pods: Iterable[Mapping[str, Any]], events: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
    """One finding for each pod that waits: for a node, with the words of the scheduler, or for its containers."""
    waiting = [pod for pod in pods if _is_pending(pod)]
    told = list(events)
    for pod in waiting:
        name = pod["metadata"]["name"]
        own = [event for event in told if (event.get("involvedObject") or {}).get("name") == name]
        yield _starting(name, pod, own) if _has_node(pod) else _placing(name, pod, own)
    if not waiting:
        yield ok("pods", "none is Pending")


def _placing(name: str, pod: Mapping[str, Any], events: list[Mapping[str, Any]]) -> Finding:
    """What stands against a node for a pod; nothing where one is being made."""
    words = _table()["placing"]
    conditions = pod["status"].get("conditions") or ()
    scheduler = [c.get("message", "") for c in conditions if c.get("type") == "PodScheduled" and c["status"] != "True"]
    reasons = {event.get("reason") for event in events} & {*words["reasons"]}
    if words["coming"] in reasons and reasons <= {words["coming"], "FailedScheduling"}:
        return ok(f"pod {name}", "Pending: a node is being made for it")
    reason = _joined([*scheduler, *_messages(events)])
    return _stuck(name, reason) if reason else ok(f"pod {name}", "it was just made")


def _has_node(pod: Mapping[str, Any]) -> bool:
    return _condition(pod, "PodScheduled", "True") is not None or bool((pod.get("spec") or {}).get("nodeName"))


def _starting(name: str, pod: Mapping[str, Any], events: list[Mapping[str, Any]]) -> Finding:
    """What keeps the containers of a pod that has a node; nothing where its image is pulled or its volumes come."""
    states = [
        (status.get("state") or {}).get("waiting") or {}
        for kind in ("initContainerStatuses", "containerStatuses")
        for status in pod["status"].get(kind) or ()
    ]
    stuck = [f"{state['reason']}: {state.get('message', '')}".rstrip(": ") for state in states if _is_trouble(state)]
    past = set(_table()["placing"]["reasons"])
    warned = [event for event in events if event.get("type") == "Warning" and event.get("reason") not in past]
    reason = _joined([*stuck, *_messages(warned)])
    if not reason:
        return ok(f"pod {name}", "it has a node, and its image is pulled or its volumes are mounted")
    return _stuck(name, reason)


def _stuck(name: str, reason: str) -> Finding:
    return bad(f"pod {name}", f"Pending: {reason}", _remedy(reason, "pending", "kubectl describe pod says more"))


def _is_trouble(waiting: Mapping[str, Any]) -> bool:
    return waiting.get("reason", _table()["starting"][0]) not in _table()["starting"]


def _messages(events: Iterable[Mapping[str, Any]]) -> list[str]:
    return [str(event.get("message", "")) for event in events]


def _joined(words: Iterable[str]) -> str:
    return " ".join(dict.fromkeys(filter(None, words)))


def _condition(each: Mapping[str, Any], kind: str, status: str) -> Mapping[str, Any] | None:
    """The condition of an object of that kind, where it has that status."""
    conditions = (each.get("status") or {}).get("conditions") or ()
    return next((c for c in conditions if c.get("type") == kind and c.get("status") == status), None)


def _remedy(reason: str, kind: str, otherwise: str) -> str:
    rows = _table()[kind]
    fits = (str(row["fix"]) for row in rows if str(row["says"]).lower() in reason.lower())
    return next(fits, otherwise)


def drivers(nodes: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
    """GPU nodes that show the scheduler no GPU: their driver is not there."""
    known = list(nodes)
    for node in known:
        if not int((node["status"].get("allocatable") or {}).get(GPU_RESOURCE, 0)):
            fix = "wait a few minutes; then kubectl -n kube-system get pods -o wide, or driverVersion: LATEST"
            yield bad(f"node {node['metadata']['name']}", "it shows no GPU: the driver is not installed", fix)
    if known:
        yield ok("GPU nodes", f"{len(known)} in the cluster")


def autoscalers(scalers: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
    """Autoscalers that read no metric, and so never scale."""
    for scaler in scalers:
        blind = _condition(scaler, "ScalingActive", "False")
        if blind is not None:
            fix = "install the adapter and grant it roles/monitoring.viewer (docs/production.md), or metricsFrom: gke"
            yield bad(f"autoscaler {scaler['metadata']['name']}", excerpt(blind.get("message", ""), 300), fix)


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = load_data(__file__, "doctor.yaml")
    return table


def _items(client: Any, found: Any) -> list[dict[str, Any]]:
    """The objects of a list as the API's JSON has them."""
    plain: dict[str, Any] = client.sanitize_for_serialization(found)
    return plain.get("items") or []
