"""Whether anybody is told of a stack's alerts: what the managed alertmanager of its cluster is given.

Data: planning/workload/data/alerts.yaml.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kubernetes.client import ApiClient, ApiException
from urllib3.exceptions import HTTPError

from l4serve.planning.stack.stack_plan import StackPlan
from l4serve.planning.workload.alerting import alertmanager_secret
from l4serve.verification.doctor_finding import Finding, bad, ok, unknown

_SECONDS = 20
_WITHOUT_CONTENT = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
"""Asks for what is said about an object: a doctor reads no Secret."""


def alert_findings(plan: StackPlan, client: ApiClient) -> Iterator[Finding]:
    """A finding where the stack has rules: their alerts have a receiver, none, or nobody could tell."""
    if not any(each.alerts is not None and each.alerts.via == "rules" for each in plan.workloads):
        return
    namespace, name, key = alertmanager_secret()
    try:
        own = _get(client, f"/apis/monitoring.googleapis.com/v1/namespaces/{namespace}/operatorconfigs/config")
        there = _get(client, f"/api/v1/namespaces/{namespace}/secrets/{name}") is not None
    except (ApiException, HTTPError, OSError) as error:
        why = f"{error.status} {error.reason}" if isinstance(error, ApiException) else type(error).__name__
        yield unknown("alerts", f"whom the alertmanager tells is not to be read: {why}")
        return
    if there or _named_elsewhere(own or {}):
        yield ok("alerts", "the managed alertmanager has a configuration")
        return
    fix = f"kubectl -n {namespace} create secret generic {name} --from-file={key} (docs/production.md)"
    yield bad("alerts", f"they reach nobody: Secret {namespace}/{name} is not there", fix)


def _named_elsewhere(operator: Mapping[str, Any]) -> bool:
    """Whether the operator's configuration names a Secret of its own, or alertmanagers that are not its own."""
    managed = operator.get("managedAlertmanager") or {}
    others = ((operator.get("rules") or {}).get("alerting") or {}).get("alertmanagers")
    return bool(managed.get("configSecret") or others)


def _get(client: Any, path: str) -> dict[str, Any] | None:
    """The JSON of an object, of a Secret what is said about it alone; None where there is none. Raises ApiException."""
    accepted = _WITHOUT_CONTENT if "/secrets/" in path else "application/json"
    asked = client.param_serialize("GET", path, header_params={"Accept": accepted}, auth_settings=["BearerToken"])
    try:
        answer = client.call_api(*asked, _request_timeout=_SECONDS)
        answer.read()
        if answer.status >= 400:
            raise ApiException(status=answer.status, reason=answer.reason)
        document = json.loads(answer.data)
    except ApiException as error:
        if error.status == 404:
            return None
        raise
    except ValueError:
        raise ApiException(status=0, reason="it answers with no JSON") from None
    return document if isinstance(document, dict) else {}
