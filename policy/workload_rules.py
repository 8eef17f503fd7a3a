"""Rules about pods: resources, images and secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from policy.model import SECRET, Resource, ResourceRule, at, many

POD_TEMPLATES: Mapping[str, str] = {
    "kubernetes:core/v1:Pod": "spec",
    "kubernetes:apps/v1:Deployment": "spec.template.spec",
    "kubernetes:apps/v1:StatefulSet": "spec.template.spec",
    "kubernetes:apps/v1:DaemonSet": "spec.template.spec",
    "kubernetes:batch/v1:Job": "spec.template.spec",
    "kubernetes:batch/v1:CronJob": "spec.jobTemplate.spec.template.spec",
}
REQUESTED = ("cpu", "memory", "ephemeral-storage")
LIMITED = ("memory", "ephemeral-storage")
_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_EXACT_TAG = re.compile(r".*\d+\.\d+\.\d+.*|(.*-)?[0-9a-f]{7,40}")
_SECRET_NAME = re.compile(r"(TOKEN|PASSWORD|PASSWD|SECRET|API_?KEY|PRIVATE_?KEY|CREDENTIALS?)(_|$)", re.IGNORECASE)
_NO_SECRET = re.compile(r"(PATH|FILE|DIR|NAME|URL|COUNT|LIMIT|LENGTH|MAX|PARALLELISM)$", re.IGNORECASE)
_SECRET_VALUE = re.compile(
    r"hf_[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{30,}|AIza[A-Za-z0-9_-]{30,}|sk-[A-Za-z0-9_-]{20,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----|\"private_key\"\s*:"
)


def requests_and_limits(workload: Resource) -> Iterator[str]:
    """Every container says what it needs and what it may take, so that nodes are packed and none starves another."""
    for name, container in _containers(workload):
        requests, limits = at(container, "resources.requests") or {}, at(container, "resources.limits") or {}
        lacks = [f"requests.{key}" for key in REQUESTED if key not in requests]
        lacks += [f"limits.{key}" for key in LIMITED if key not in limits]
        if lacks:
            yield f"container {name} sets no {', '.join(lacks)}"


def confined_pods(workload: Resource) -> Iterator[str]:
    """Containers gain no rights, have no capability and a filter of system calls, and share nothing of their host."""
    pod = at(workload.props, POD_TEMPLATES.get(workload.type, ""))
    for shared in ("hostNetwork", "hostPID", "hostIPC"):
        if at(pod, shared):
            yield f"its pods share their node's {shared}; remove it"
    profile = at(pod, "securityContext.seccompProfile.type")
    for name, container in _containers(workload):
        own = at(container, "securityContext")
        if at(own, "privileged") or at(own, "allowPrivilegeEscalation") is not False:
            yield f"container {name} may gain rights; set allowPrivilegeEscalation: false"
        if "ALL" not in many(at(own, "capabilities.drop")):
            yield f"container {name} keeps capabilities; drop ALL"
        if (at(own, "seccompProfile.type") or profile) not in ("RuntimeDefault", "Localhost"):
            yield f"container {name} has no filter of system calls; set seccompProfile: RuntimeDefault"


def pinned_images(workload: Resource) -> Iterator[str]:
    """The same stack runs the same image tomorrow."""
    for name, container in _containers(workload):
        image = str(at(container, "image") or "")
        if not is_pinned(image):
            yield f"container {name} runs {image or 'no image'}, which may change; pin a digest or an exact tag"


def is_pinned(image: str) -> bool:
    """Whether an image is named by digest, by an exact version, or lies in a repository that holds one version."""
    if _DIGEST.search(image):
        return True
    _, separator, tag = image.rpartition(":")
    if separator and "/" not in tag:
        return _EXACT_TAG.fullmatch(tag) is not None
    return any(re.fullmatch(row["repository"], image) for row in _versioned_repositories())


def no_plain_secrets(resource: Resource) -> Iterator[str]:
    """Secrets stand in Secrets alone: not in variables, arguments, annotations or config maps."""
    for name, container in _containers(resource):
        for variable in many(at(container, "env")):
            key, value = str(at(variable, "name")), at(variable, "value")
            if value and _SECRET_NAME.search(key) and not _NO_SECRET.search(key):
                yield f"container {name} has the value of {key} in plain; take it from a Secret with secretKeyRef"
    if resource.type != SECRET:
        for path in _secret_like(resource.props, ""):
            yield f"{path} looks like a credential; move it into a Secret"


def _secret_like(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, str):
        if _SECRET_VALUE.search(value):
            yield path
    elif isinstance(value, Mapping):
        for key in value:
            yield from _secret_like(value[key], f"{path}.{key}" if path else str(key))
    elif isinstance(value, Sequence):
        for position, item in enumerate(value):
            yield from _secret_like(item, f"{path}[{position}]")


def _containers(workload: Resource) -> Iterator[tuple[str, Any]]:
    path = POD_TEMPLATES.get(workload.type)
    if path is None:
        return
    pod = at(workload.props, path)
    for kind in ("initContainers", "containers"):
        for container in many(at(pod, kind)):
            yield str(at(container, "name")), container


@cache
def _versioned_repositories() -> Sequence[Mapping[str, str]]:
    text = (Path(__file__).parent / "data" / "versioned_repositories.yaml").read_text(encoding="utf-8")
    rows: Sequence[Mapping[str, str]] = yaml.safe_load(text)["repositories"]
    return rows


_PODS = tuple(POD_TEMPLATES)
WORKLOAD_RULES = (
    ResourceRule(
        "requests-and-limits", "Containers set requests and limits of their resources.", _PODS, requests_and_limits
    ),
    ResourceRule("confined-pods", "Pods are confined to what they need.", _PODS, confined_pods),
    ResourceRule("pinned-images", "Images are pinned by digest or exact tag.", _PODS, pinned_images),
    ResourceRule("no-plain-secrets", "Credentials stand only in Secrets.", (), no_plain_secrets),
)
