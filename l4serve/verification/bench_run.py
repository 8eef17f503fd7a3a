"""Runs the load Job on a cluster and hands back its log; the Job is gone afterwards, however it ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from kubernetes import client as api
from kubernetes.client import ApiClient, ApiException
from urllib3.exceptions import HTTPError

from l4serve.config.secrecy.secret_shapes import excerpt
from l4serve.verification.checks import CheckError

POLL_SECONDS = 5.0
REQUEST_SECONDS = 30
LAST_LINE = 300
LONGER = "give a longer --timeout, or look at what its pod waits for"
_SILENT = (HTTPError, OSError)
"""What the client raises where nobody answers, or not as Kubernetes does."""


def run_job(
    client: ApiClient,
    manifest: Mapping[str, Any],
    *,
    timeout: float,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> str:
    """The log of the Job's pod once it has ended. Raises CheckError where it cannot be made or takes too long."""
    name, namespace = manifest["metadata"]["name"], manifest["metadata"]["namespace"]
    batch: Any = api.BatchV1Api(client)
    try:
        batch.create_namespaced_job(namespace, manifest, _request_timeout=REQUEST_SECONDS)
    except ApiException as error:
        why = "one of that name is there: another bench runs" if error.status == 409 else str(error.reason)
        raise CheckError(f"Job {name} cannot be made: {why}") from None
    except _SILENT as error:
        raise CheckError(_unanswered(client, error)) from None
    try:
        end = clock() + timeout
        while not (status := _status(batch, name, namespace)).succeeded:
            if broken := _failure(status):
                raise CheckError(
                    f"Job {name} failed: {_last_line(client, name, namespace) or broken}; {_remedy(broken)}"
                )
            if clock() > end:
                raise CheckError(f"Job {name} did not end within {timeout:.0f} s; {LONGER}")
            sleep(POLL_SECONDS)
        return _log(client, name, namespace)
    except ApiException as error:
        raise CheckError(f"Job {name} cannot be followed: {error.reason}") from None
    except _SILENT as error:
        raise CheckError(_unanswered(client, error)) from None
    finally:
        # Where it cannot be deleted its own deadline ends it; what went wrong before is what is told.
        with suppress(ApiException, *_SILENT):
            batch.delete_namespaced_job(
                name, namespace, propagation_policy="Background", _request_timeout=REQUEST_SECONDS
            )


def _unanswered(client: ApiClient, error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return (
        f"the cluster at {client.configuration.host} does not answer ({type(reason).__name__}); "
        "check it with l4serve doctor, and the kubeconfig"
    )


def _status(batch: Any, name: str, namespace: str) -> Any:
    return batch.read_namespaced_job(name, namespace, _request_timeout=REQUEST_SECONDS).status


def _failure(status: Any) -> str | None:
    """Why a Job has failed, in its own words; None of one that has not."""
    for condition in status.conditions or ():
        if condition.type == "Failed" and condition.status == "True":
            return str(condition.reason)
    return None


def _remedy(why: str) -> str:
    return LONGER if why == "DeadlineExceeded" else "look at the server by l4serve verify"


def _last_line(client: ApiClient, name: str, namespace: str) -> str:
    """What the pod of a failed Job said last; of one that ran too long none may be left."""
    try:
        lines = _log(client, name, namespace).strip().splitlines()
    except (CheckError, ApiException, *_SILENT):
        return ""
    return f"its log ends with {excerpt(lines[-1], LAST_LINE)!r}" if lines else ""


def _log(client: ApiClient, name: str, namespace: str) -> str:
    core: Any = api.CoreV1Api(client)
    pods = core.list_namespaced_pod(namespace, label_selector=f"job-name={name}", _request_timeout=REQUEST_SECONDS)
    if not pods.items:
        raise CheckError(f"Job {name} has no pod left to read the report from")
    pod = str(pods.items[0].metadata.name)
    log: str = core.read_namespaced_pod_log(pod, namespace, _request_timeout=REQUEST_SECONDS)
    return log
