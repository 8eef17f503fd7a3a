"""The plain HTTP side of a server: health, version and metrics."""

from collections.abc import Mapping
from typing import Any

import httpx2
from packaging.version import InvalidVersion, Version

from l4serve.config.secrecy.secret_shapes import excerpt, without
from l4serve.verification.checks import CheckError, Finding, NotOfferedError, UnreachableError, require
from l4serve.verification.http_client import client
from l4serve.verification.metrics import compare, families
from l4serve.verification.target import Target

_SHOWN = 120


def get(target: Target, path: str) -> httpx2.Response:
    """The answer to a GET, whatever its status."""
    return _ask(target, "GET", path, headers=target.headers)


def get_json(target: Target, path: str) -> dict[str, Any]:
    """The JSON object at a path; CheckError on another status or body."""
    return _json(_require_ok(get(target, path)))


def post(target: Target, path: str, body: Mapping[str, Any]) -> httpx2.Response:
    """The answer to a POST of JSON, whatever its status."""
    return _ask(target, "POST", path, json=dict(body), headers=target.headers)


def post_json(target: Target, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON object that answers a POST; CheckError on another status or body."""
    response = post(target, path, body)
    require(response.status_code == 200, f"POST {path} answered {response.status_code}: {_body(response)}")
    return _json(response)


def check_health(target: Target) -> Finding:
    """200 from the health path."""
    try:
        response = get(target, target.health_path)
    except httpx2.TransportError as error:
        reason = "no answer in time" if isinstance(error, httpx2.TimeoutException) else str(error)
        raise UnreachableError(f"{target.base_url}{target.health_path}: {reason}") from error
    _require_ok(response)
    return Finding(f"GET {target.health_path} answered 200")


def check_version(target: Target, path: str) -> Finding:
    """The server names the planned version in the `version` of the JSON at a path."""
    response = get(target, path)
    if response.status_code == 404:
        raise NotOfferedError(f"the server has no {path}")
    running = str(_json(_require_ok(response)).get("version") or "")
    require(
        _same_release(running, target.version),
        f"the server runs {target.kind} {running or 'of no known version'}; the plan is {target.version}",
    )
    return Finding(f"{target.kind} {running}")


def check_key(target: Target, path: str) -> Finding:
    """A request for tokens without the key is refused."""
    status = _ask(target, "POST", path, json={}).status_code
    require(status in (401, 403), f"POST {path} without the key answered {status}, not 401: the key guards nothing")
    return Finding(f"POST {path} without the key answered {status}")


def check_metrics(target: Target) -> Finding:
    """Every metric that the contract names is exposed, with its type."""
    if not target.metrics:
        raise NotOfferedError("no contract names metrics for this version")
    response = _require_ok(get(target, target.metrics_path))
    return Finding(compare(families(response.text), target.metrics, target.feature_metrics))


def _ask(target: Target, method: str, path: str, **request: Any) -> httpx2.Response:
    with client(target) as asking:
        return asking.request(method, target.base_url.rstrip("/") + path, **request)


def _require_ok(response: httpx2.Response) -> httpx2.Response:
    status, path = response.status_code, response.url.path
    require(status == 200, f"GET {path} answered {status}, not 200: {_body(response)}")
    return response


def _json(response: httpx2.Response) -> dict[str, Any]:
    path = response.url.path
    try:
        value = response.json()
    except ValueError as error:
        raise CheckError(f"{path} answered what is not JSON: {_body(response)!r}") from error
    require(isinstance(value, dict), f"{path} answered JSON that is not an object: {_body(response)}")
    return dict(value)


def _same_release(running: str, planned: str) -> bool:
    try:
        release = Version(planned).release
        return Version(running).release[: len(release)] == release
    except InvalidVersion:
        return running == planned


def _body(response: httpx2.Response) -> str:
    """The begin of an answer, without the key that it may repeat: what is cut in two is no longer known."""
    sent = response.request.headers.get("Authorization", "").removeprefix("Bearer ")
    text = " ".join(without(response.text, (sent,)).split())
    return excerpt(text, _SHOWN, "…")
