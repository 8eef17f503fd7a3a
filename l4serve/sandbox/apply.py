"""Server-side apply of rendered objects in dependency order, with one readable line for each refusal."""

import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kubernetes.client import ApiClient
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import DynamicApiError, ResourceNotFoundError

from l4serve.config.data_file import read_data
from l4serve.config.frozen import frozen
from l4serve.sandbox.errors import SandboxError
from l4serve.sandbox.nodes import FakeNode
from l4serve.sandbox.paths import CRDS
from l4serve.sandbox.pods import KubeObject
from l4serve.sandbox.progress import Progress, silent

FIELD_MANAGER = "l4serve"
_KIND_ORDER = (
    "Namespace",
    "CustomResourceDefinition",
    "PriorityClass",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "PersistentVolumeClaim",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "Service",
)
_ESTABLISHED_TIMEOUT_S = 30.0
_POLL_S = 0.1


@frozen(kw_only=True)
class ApplyFailure:
    """One object that the API server refused."""

    object: str
    """Kind, namespace and name."""
    reason: str
    """What the API server said."""


class Applier:
    """Applies objects to one cluster as the field manager `l4serve`."""

    def __init__(self, client: ApiClient, cache_file: Path) -> None:
        """`cache_file` holds what the client discovered; its default would be left behind in /tmp."""
        self._client = DynamicClient(client, cache_file=str(cache_file))  # type: ignore[no-untyped-call]

    def apply_definitions(self) -> None:
        """Serve the kinds that GKE has and plain Kubernetes lacks. Raises SandboxError where it cannot."""
        definitions = [read_data(path) for path in sorted(CRDS.glob("*.yaml"))]
        failures = self.apply(definitions)
        if failures:
            raise SandboxError(f"The API server refused {failures[0].object}.", detail=failures[0].reason)
        for definition in definitions:
            self._await_established(definition["metadata"]["name"])
        self._client.resources.invalidate_cache()

    def create_node(self, node: FakeNode) -> None:
        """Make a Node with its status as a kubelet does when it registers: an apply would drop the status."""
        self._client.resources.get(api_version="v1", kind="Node").create(body=node.to_object())

    def apply(
        self, objects: Iterable[KubeObject], progress: Progress = silent, *, keep: bool = True
    ) -> tuple[ApplyFailure, ...]:
        """Apply every object, whatever happens to the others; the failures, in order.

        Without `keep` the API server checks and admits each as it would, and stores none.
        """
        ordered = in_apply_order(objects)
        failures = []
        for done, each in enumerate(ordered):
            progress("applying the manifests", done, len(ordered))
            if (reason := self._apply_one(each, keep=keep)) is not None:
                failures.append(ApplyFailure(object=describe(each), reason=reason))
        progress("applying the manifests", len(ordered), len(ordered))
        return tuple(failures)

    def _apply_one(self, each: KubeObject, *, keep: bool) -> str | None:
        try:
            resource = self._client.resources.get(api_version=each["apiVersion"], kind=each["kind"])
            resource.server_side_apply(
                body=dict(each),
                name=each["metadata"]["name"],
                namespace=namespace_of(each) if resource.namespaced else None,
                field_manager=FIELD_MANAGER,
                force_conflicts=True,
                **({} if keep else {"dry_run": "All"}),
            )
        except ResourceNotFoundError:
            return f"the API server serves no {each['kind']} of {each['apiVersion']}"
        except (ApiException, DynamicApiError) as error:
            return api_message(error)
        return None

    def _await_established(self, name: str) -> None:
        definitions = self._client.resources.get(api_version="apiextensions.k8s.io/v1", kind="CustomResourceDefinition")
        deadline = time.monotonic() + _ESTABLISHED_TIMEOUT_S
        while not _is_established(definitions.get(name=name).to_dict()):
            if time.monotonic() > deadline:
                raise SandboxError(f"The API server did not begin to serve {name}.")
            time.sleep(_POLL_S)


def in_apply_order(objects: Iterable[KubeObject]) -> tuple[KubeObject, ...]:
    """The objects with what others refer to first; kinds without a place of their own come last, in order."""
    place = {kind: index for index, kind in enumerate(_KIND_ORDER)}
    return tuple(sorted(objects, key=lambda each: place.get(each["kind"], len(place))))


def namespace_of(each: KubeObject) -> str:
    """The namespace of a namespaced object."""
    return str(each["metadata"].get("namespace") or "default")


def describe(each: KubeObject) -> str:
    """Kind and name of an object, with its namespace where it names one."""
    metadata = each["metadata"]
    scope = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return f"{each['kind']} {scope}{metadata['name']}"


def api_message(error: ApiException) -> str:
    """What the API server said, without the HTTP around it."""
    try:
        status: Mapping[str, Any] = json.loads(error.body or "")
        return str(status["message"])
    except (ValueError, KeyError, TypeError):
        return f"{error.status} {error.reason}"


def _is_established(definition: KubeObject) -> bool:
    conditions = definition.get("status", {}).get("conditions") or ()
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)
