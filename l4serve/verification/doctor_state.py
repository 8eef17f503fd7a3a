"""Holds the Deployments of an exported state against the cluster of their stack."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubernetes.client import ApiClient, AppsV1Api
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from l4serve.planning.gke.cluster_plan import ClusterPlan
from l4serve.planning.stack.left_changes import deployments, differs
from l4serve.verification.cluster_access import AccessError, stack_client

_ANSWER_S = 10.0
_NOT_FOUND = 404


def changed_deployments(
    state: Any, cluster: ClusterPlan, stack: str, project_root: Path, *, trusted: bool
) -> list[str]:
    """Those, by namespace and name, that the cluster has otherwise than the state, or not at all.

    Raises AccessError where the cluster cannot be asked.
    """
    client = stack_client(cluster, stack, project_root, trusted=trusted)
    try:
        return [
            f"{space}/{name}"
            for space, name, resource in deployments(state)
            if (live := _live(client, space, name)) is None or differs(resource, live)
        ]
    except (ApiException, HTTPError, OSError, ValueError) as error:
        raise AccessError(f"the cluster does not answer ({type(error).__name__})") from None


def _live(client: ApiClient, space: str, name: str) -> Mapping[str, Any] | None:
    try:
        answer: Any = AppsV1Api(client).read_namespaced_deployment(
            name, space, _preload_content=False, _request_timeout=_ANSWER_S
        )
    except ApiException as error:
        if error.status == _NOT_FOUND:
            return None
        raise
    found: Mapping[str, Any] = json.loads(answer.data)
    return found
